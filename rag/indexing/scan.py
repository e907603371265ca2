"""Which files of a folder are documents."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rag.errors import KnowledgeBaseError
from rag.indexing.folder_root import Root, open_file
from rag.indexing.ignore import IGNORE_FILE, Rules
from rag.load.system_files import is_hidden, is_system_name


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a folder: its path relative to it, with ``/``, and what the file system says.

    ``target`` is where below ``root`` it really stands: another place for a link.
    """

    source: str
    path: Path
    status: os.stat_result
    root: Root | None = None
    target: str = ""

    def open(self) -> int:
        """Return a descriptor to read from; follows no link that was put there since it was listed.

        Raises :class:`LoadError` where one was, and ``OSError``.
        """
        return self.root.open(self.target) if self.root else open_file(self.path)


@dataclass(frozen=True, slots=True)
class Listing:
    """What stands below a folder: its files, sorted by source, and with the reason each, the
    folders that could not be listed and what was left out though it may be taken for a document.
    What is not seen must not be taken for deleted."""

    files: tuple[FoundFile, ...]
    unlisted: tuple[tuple[str, str], ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def list_folder(folder: Path, leave_out: Path | None = None) -> Listing:
    """Return every file below ``folder`` that a document may be read from.

    Files of unsupported types are listed too, so that they can be reported. Left out in silence
    are what :mod:`rag.indexing.ignore` tells, linked folders inside ``folder`` and all below
    ``leave_out``; with their reasons, links that are broken or lead out of ``folder`` and what is
    not a regular file. A name that is not valid UTF-8 is listed with its bytes escaped
    (``\\xff``), for a source must be text; its path stays as it is.

    Raises ``NotADirectoryError`` or ``FileNotFoundError`` for a wrong ``folder``, and
    :class:`KnowledgeBaseError` where it cannot be listed at all.
    """
    root = Root.of(folder)
    walk = _Walk(root, leave_out.resolve() if leave_out else None)
    walk.enter("", Rules())
    if walk.unlisted and walk.unlisted[0][0] == "":
        raise KnowledgeBaseError(
            f"cannot list {str(folder)!r}: {walk.unlisted[0][1]}; nothing was changed"
        )
    found: dict[str, str] = {}
    for relative in sorted(
        walk.files, key=lambda relative: (_as_text(relative) != relative, relative)
    ):
        source = _as_text(relative)
        while source in found:  # a file that is really named like that
            source = "\\" + source
        found[source] = relative
    files = (
        FoundFile(source, folder / relative, walk.files[relative][0], root, walk.files[relative][1])
        for source, relative in sorted(found.items())
    )
    return Listing(tuple(files), _as_sources(walk.unlisted), _as_sources(walk.left_out))


def find_files(folder: Path) -> tuple[FoundFile, ...]:
    """Return every file of :func:`list_folder`.

    Raises :class:`KnowledgeBaseError` too where a folder below cannot be listed.
    """
    listing = list_folder(folder)
    for source, reason in listing.unlisted:
        raise KnowledgeBaseError(f"cannot list {str(folder / source)!r}: {reason}")
    return listing.files


@dataclass(slots=True)
class _Walk:
    """One walk through a folder. Paths are relative to ``root``, with ``/``."""

    root: Root
    leave_out: Path | None
    files: dict[str, tuple[os.stat_result, str]] = field(default_factory=dict)
    """By path: what the file system says, and where it really stands."""
    unlisted: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def enter(self, relative: str, rules: Rules) -> None:
        """Walk through one folder and those below."""
        # Linked folders are not entered: what they hold inside the root is found at its own
        # place, and a link to a parent would never end.
        pending = [(relative, rules)]
        while pending:
            relative, rules = pending.pop()
            folder = self.root.path / relative
            try:
                entries = sorted(self._entries(folder), key=lambda entry: entry.name)
                rules, wrong = rules.within(self.root, relative)
                if wrong:
                    self.left_out.append(
                        (f"{relative}/{IGNORE_FILE}" if relative else IGNORE_FILE, wrong)
                    )
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
                for source in [s for s in self.files if s.startswith(f"{relative}/")]:
                    del self.files[source]

    def _entries(self, folder: Path) -> Iterator[os.DirEntry[str]]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not is_system_name(entry.name):
                    yield entry

    def _take(self, entry: os.DirEntry[str], source: str) -> None:
        """List a regular file that, its links followed, stands below the root."""
        target = source
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # deleted since it was listed
            return
        if stat.S_ISLNK(status.st_mode):
            try:
                real = Path(entry.path).resolve(strict=True)
                status = real.stat()
            except (OSError, RuntimeError):  # broken, or a loop of links
                self.left_out.append((source, "is a link that leads nowhere; not read"))
                return
            if not real.is_relative_to(self.root.path):
                self.left_out.append((source, "is a link that leads out of the folder; not read"))
                return
            if stat.S_ISDIR(status.st_mode):
                return
            target = real.relative_to(self.root.path).as_posix()
        if is_hidden(status):
            return
        if stat.S_ISREG(status.st_mode):
            self.files[source] = status, target
        else:
            self.left_out.append((source, "is a pipe, a socket or a device; not read"))


def _as_sources(told: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((_as_text(relative), reason) for relative, reason in told))


def _as_text(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")
