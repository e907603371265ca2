"""Which names are no documents: hidden and system files, and what ``.ragignore`` files say."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rag.errors import KnowledgeBaseError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

RULES = ".ragignore"
"""A file of patterns in the syntax of ``.gitignore``; it counts for its folder and those below."""

_SYSTEM = {
    "thumbs.db", "desktop.ini", "icon\r", "$recycle.bin", "system volume information",
    "lost+found", "__macosx",
}  # fmt: skip
"""What operating systems drop, in lower case."""

_HIDDEN_ON_WINDOWS = 0x2 | 0x4  # FILE_ATTRIBUTE_HIDDEN, FILE_ATTRIBUTE_SYSTEM


def is_system_name(name: str) -> bool:
    """Whether a file or folder of that name is hidden, an editor's backup or the system's own."""
    # "~$a.docx" is Office's lock file beside an open document, "a.txt~" and "#a.txt#" backups.
    return (
        name.startswith((".", "~$"))
        or name.endswith("~")
        or (name.startswith("#") and name.endswith("#"))
        or name.lower() in _SYSTEM
    )


def is_hidden(status: os.stat_result) -> bool:
    """Whether the file system says that a file is hidden."""
    windows = getattr(status, "st_file_attributes", 0) & _HIDDEN_ON_WINDOWS
    macos = getattr(status, "st_flags", 0) & getattr(stat, "UF_HIDDEN", 0)
    return bool(windows or macos)


@dataclass(frozen=True, slots=True)
class Rules:
    """The patterns that count in a folder: its own and those of the folders above, as git has it.

    The pattern nearest to a file decides, in one file the last that fits. What stands in an
    ignored folder cannot be taken in again.
    """

    above: Sequence[tuple[str, GitIgnoreSpec]] = field(default=())

    def within(self, folder: Path, source: str) -> Rules:
        """The rules for ``folder``, which is ``source`` from the root; "" is the root itself.

        Raises :class:`KnowledgeBaseError` for a pattern that cannot be understood.
        """
        path = folder / RULES
        try:
            if not stat.S_ISREG(path.lstat().st_mode):  # as git: no link to another file
                return self
            text = path.read_bytes().decode("utf-8-sig", "replace")
        except FileNotFoundError:
            return self
        except OSError as error:
            raise KnowledgeBaseError(
                f"cannot read {str(path)!r}: {error.strerror}; nothing was changed"
            ) from error
        return Rules((*self.above, (source, _spec(path, text))))

    def ignore(self, source: str, *, folder: bool = False) -> bool:
        """Whether the patterns leave out a file, or a folder, given by its path from the root."""
        for base, spec in reversed(self.above):
            relative = PurePosixPath(source).relative_to(base).as_posix() if base else source
            said = spec.check_file(f"{relative}/" if folder else relative).include
            if said is not None:
                return said
        return False


def _spec(path: Path, text: str) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    lines = text.splitlines()
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        for number, line in enumerate(lines, start=1):
            try:
                GitIgnoreSpec.from_lines([line])
            except ValueError:
                raise KnowledgeBaseError(
                    f"{str(path)!r}, line {number}: {line!r} is no pattern of .gitignore's "
                    "syntax; mend it (nothing was changed)"
                ) from error
        raise
