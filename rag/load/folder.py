"""Which files of a folder are documents."""

from __future__ import annotations

import os
from pathlib import Path

_JUNK = {"thumbs.db", "desktop.ini"}
_LOCK_PREFIX = "~$"  # Office's lock file beside an open document


def find_files(folder: Path) -> list[tuple[str, Path]]:
    """Every file below ``folder`` as ``(source, path)``, sorted by source.

    ``source`` is the path relative to ``folder`` with ``/``. Files of unsupported types are listed
    too, so that they can be reported. Left out: names that start with a dot, what the operating
    system or Office drops, links that are broken or lead out of ``folder``, and what is not a
    regular file. Raises ``NotADirectoryError`` or ``FileNotFoundError`` for a wrong ``folder``.
    """
    root = folder.resolve(strict=True)
    if not root.is_dir():
        raise NotADirectoryError(str(folder))
    found: list[tuple[str, Path]] = []
    # Linked directories are not entered: what they hold inside the folder is found at its own
    # place, and a link to a parent would never end.
    for directory, subdirectories, names in os.walk(root, followlinks=False):
        subdirectories[:] = [name for name in subdirectories if not name.startswith(".")]
        for name in names:
            path = Path(directory, name)
            if not _is_ignored(name) and _is_inside(path, root):
                relative = path.relative_to(root)
                found.append((relative.as_posix(), folder / relative))
    return sorted(found)


def _is_ignored(name: str) -> bool:
    return name.startswith((".", _LOCK_PREFIX)) or name.lower() in _JUNK


def _is_inside(path: Path, root: Path) -> bool:
    """Whether ``path`` is a regular file that, its links followed, lies below ``root``."""
    if not path.is_symlink():
        return path.is_file()
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # broken, or a loop of links
        return False
    return target.is_file() and target.is_relative_to(root)
