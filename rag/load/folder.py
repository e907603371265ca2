"""Which files of a folder are documents."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NoReturn

from rag.errors import KnowledgeBaseError

_JUNK = {"thumbs.db", "desktop.ini"}
_LOCK_PREFIX = "~$"  # Office's lock file beside an open document


def find_files(folder: Path) -> list[tuple[str, Path]]:
    """Every file below ``folder`` as ``(source, path)``, sorted by source.

    ``source`` is the path relative to ``folder`` with ``/``. Files of unsupported types are listed
    too, so that they can be reported. Left out: names that start with a dot, what the operating
    system or Office drops, links that are broken or lead out of ``folder``, and what is not a
    regular file. A name that is not valid UTF-8 is listed with its bytes escaped (``\\xff``), for
    a source must be text; its path stays as it is.

    Raises ``NotADirectoryError`` or ``FileNotFoundError`` for a wrong ``folder``, and
    :class:`KnowledgeBaseError` where something below it cannot be listed: what is not seen must
    not be taken for deleted.
    """
    root = folder.resolve(strict=True)
    if not root.is_dir():
        raise NotADirectoryError(str(folder))
    found: dict[str, Path] = {}
    escaped: list[Path] = []
    # Linked directories are not entered: what they hold inside the folder is found at its own
    # place, and a link to a parent would never end.
    for directory, subdirectories, names in os.walk(root, onerror=_refuse, followlinks=False):
        subdirectories[:] = [name for name in subdirectories if not name.startswith(".")]
        for name in names:
            path = Path(directory, name)
            if not is_ignored(name) and _is_inside(path, root):
                relative = path.relative_to(root)
                source = relative.as_posix()
                if _as_text(source) == source:
                    found[source] = folder / relative
                else:
                    escaped.append(relative)
    for relative in sorted(escaped):
        source = _as_text(relative.as_posix())
        while source in found:  # a file that is really named like that
            source = "\\" + source
        found[source] = folder / relative
    return sorted(found.items())


def _refuse(error: OSError) -> NoReturn:
    path, reason = str(error.filename), error.strerror or str(error)
    raise KnowledgeBaseError(f"cannot list {path!r}: {reason}; nothing was changed") from error


def _as_text(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def is_ignored(name: str) -> bool:
    """Whether a file's name says that it is hidden, or dropped by a program."""
    return name.startswith((".", _LOCK_PREFIX)) or name.lower() in _JUNK


def _is_inside(path: Path, root: Path) -> bool:
    """Whether ``path`` is a regular file that, its links followed, lies below ``root``."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:  # deleted since it was listed
        return False
    except OSError as error:  # its folder can be listed and not entered
        _refuse(error)
    if not stat.S_ISLNK(mode):
        return stat.S_ISREG(mode)
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # broken, or a loop of links
        return False
    return target.is_file() and target.is_relative_to(root)
