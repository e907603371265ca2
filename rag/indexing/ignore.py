"""Which names are no documents: hidden and system files, and what ``.ragignore`` files say."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from rag.errors import LoadError
from rag.indexing.folder_root import Root
from rag.indexing.patterns import MAX_CHARACTERS, Pattern, read_patterns

IGNORE_FILE = ".ragignore"
"""A file of patterns in the syntax of ``.gitignore``; it counts for its folder and those below."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The patterns that count in a folder: its own and those of the folders above, as git has it.

    The pattern nearest to a file decides, in one file the last that fits. What stands in an
    ignored folder cannot be taken in again.
    """

    above: Sequence[tuple[str, Sequence[Pattern]]] = field(default=())

    def within(self, root: Root, source: str) -> tuple[Rules, str]:
        """Return the rules for the folder ``source`` below ``root``, which is "" itself.

        Also tells what is wrong with its file of patterns, "" if nothing is; the lines that can
        be understood count. Raises ``OSError`` where it cannot be read.
        """
        text = _read(root, f"{source}/{IGNORE_FILE}" if source else IGNORE_FILE)
        if text is None:
            return self, ""
        patterns, wrong = read_patterns(text)
        return Rules((*self.above, (source, patterns))), wrong

    def ignore(self, source: str, *, folder: bool = False) -> bool:
        """Whether the patterns leave out a file, or a folder, given by its path from the root."""
        for base, patterns in reversed(self.above):
            relative = PurePosixPath(source).relative_to(base).as_posix() if base else source
            for pattern in reversed(patterns):
                if pattern.fits(relative, folder=folder):
                    return not pattern.negated
        return False


def _read(root: Root, relative: str) -> str | None:
    """The beginning of a file of patterns; None where there is none. As git: no link to one."""
    try:
        with os.fdopen(root.open(relative), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            data = file.read(4 * MAX_CHARACTERS + 4)
    except (FileNotFoundError, LoadError):
        return None
    except OSError as error:
        raise OSError(
            error.errno,
            f"its {IGNORE_FILE} cannot be read ({error.strerror}): allow that, or remove it",
        ) from error
    return data.decode("utf-8-sig", "replace")
