"""Which files of a folder are documents."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rag.errors import KnowledgeBaseError
from rag.load.ignore import Rules, is_hidden, is_system_name


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a folder: its path relative to it, with ``/``, and what the file system says."""

    source: str
    path: Path
    status: os.stat_result


@dataclass(frozen=True, slots=True)
class Listing:
    """What stands below a folder: its files, sorted by source, and the folders that could not be
    listed, each with the reason. What is not seen must not be taken for deleted."""

    files: tuple[FoundFile, ...]
    unlisted: tuple[tuple[str, str], ...] = ()


def list_folder(folder: Path, leave_out: Path | None = None) -> Listing:
    """Every file below ``folder`` that a document may be read from.

    Files of unsupported types are listed too, so that they can be reported. Left out: what
    :mod:`rag.load.ignore` tells, links that are broken or lead out of ``folder``, what is not a
    regular file, and all below ``leave_out``. A name that is not valid UTF-8 is listed with its
    bytes escaped (``\\xff``), for a source must be text; its path stays as it is.

    Raises ``NotADirectoryError`` or ``FileNotFoundError`` for a wrong ``folder``, and
    :class:`KnowledgeBaseError` where it cannot be listed at all.
    """
    root = folder.resolve(strict=True)
    if not root.is_dir():
        raise NotADirectoryError(str(folder))
    walk = _Walk(root, leave_out.resolve() if leave_out else None)
    walk.enter("", Rules())
    if walk.unlisted and walk.unlisted[0][0] == "":
        raise KnowledgeBaseError(
            f"cannot list {str(folder)!r}: {walk.unlisted[0][1]}; nothing was changed"
        )
    found: dict[str, tuple[str, os.stat_result]] = {}
    escaped: list[tuple[str, os.stat_result]] = []
    for relative, status in walk.files:
        if _as_text(relative) == relative:
            found[relative] = relative, status
        else:
            escaped.append((relative, status))
    for relative, status in sorted(escaped):
        source = _as_text(relative)
        while source in found:  # a file that is really named like that
            source = "\\" + source
        found[source] = relative, status
    files = (FoundFile(s, folder / relative, st) for s, (relative, st) in sorted(found.items()))
    unlisted = ((_as_text(relative), reason) for relative, reason in walk.unlisted)
    return Listing(tuple(files), tuple(sorted(unlisted)))


def find_files(folder: Path) -> list[tuple[str, Path]]:
    """Every file of :func:`list_folder` as ``(source, path)``.

    Raises :class:`KnowledgeBaseError` too where a folder below cannot be listed.
    """
    listing = list_folder(folder)
    for source, reason in listing.unlisted:
        raise KnowledgeBaseError(f"cannot list {str(folder / source)!r}: {reason}")
    return [(file.source, file.path) for file in listing.files]


@dataclass(slots=True)
class _Walk:
    """One walk through a folder. Paths are relative to ``root``, with ``/``."""

    root: Path
    leave_out: Path | None
    files: list[tuple[str, os.stat_result]] = field(default_factory=list)
    unlisted: list[tuple[str, str]] = field(default_factory=list)

    def enter(self, relative: str, rules: Rules) -> None:
        """Walk through one folder and those below."""
        # Linked folders are not entered: what they hold inside the root is found at its own
        # place, and a link to a parent would never end.
        pending = [(relative, rules)]
        while pending:
            relative, rules = pending.pop()
            folder = self.root / relative
            try:
                rules = rules.within(folder, relative)
                entries = sorted(self._entries(folder), key=lambda entry: entry.name)
                for entry in entries:
                    source = f"{relative}/{entry.name}" if relative else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if Path(entry.path) != self.leave_out and not rules.ignore(
                            _as_text(source), folder=True
                        ):
                            pending.append((source, rules))
                    elif not rules.ignore(_as_text(source)):
                        self._take(entry, source)
            except OSError as error:
                reason = error.strerror or str(error)
                self.unlisted.append((relative, reason))
                self.files = [f for f in self.files if not f[0].startswith(f"{relative}/")]

    def _entries(self, folder: Path) -> Iterator[os.DirEntry[str]]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not is_system_name(entry.name):
                    yield entry

    def _take(self, entry: os.DirEntry[str], source: str) -> None:
        """List a regular file that, its links followed, lies below the root."""
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # deleted since it was listed
            return
        if stat.S_ISLNK(status.st_mode):
            try:
                target = Path(entry.path).resolve(strict=True)
                status = target.stat()
            except (OSError, RuntimeError):  # broken, or a loop of links
                return
            if not target.is_relative_to(self.root):
                return
        if stat.S_ISREG(status.st_mode) and not is_hidden(status):
            self.files.append((source, status))


def _as_text(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")
