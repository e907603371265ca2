"""Files inside a file: the members of an archive, the attachments of a mail.

The module of such a format has ``unpack(data, source, budget)``. It yields the file's own text as a
:class:`Document`, if it has one, and a :class:`Member` for each file inside. The
:class:`Collector` names them, reads them, and goes into those that hold files themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Protocol

from rag.errors import LoadError
from rag.load.archives.names import inner_path, is_junk, leads_out
from rag.load.detect.containers import MAX_ENTRIES, MAX_MEMBERS
from rag.types import Document

MAX_DEPTH = 5
"""An archive in a mail in an archive is 3 deep."""

TOO_MANY_ENTRIES = (
    f"holds more than {MAX_ENTRIES:,} files; unpack what is needed of it into the folder"
)

MAX_BYTES = 256_000_000
"""Bytes that everything inside one file may unpack to: as much as the largest file that is read."""

MAX_GROWTH = 100
"""How many times its own size a file may unpack to; text is packed to a tenth or so."""

_SMALL = 32_000_000  # bytes that any file may unpack to, however small it is
_STEP = 1_000_000


class Readable(Protocol):
    """An open member of an archive."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""


class SpentError(LoadError):
    """What the files inside a file may take together is used up."""


class Budget:
    """What all files inside one file may still take. Counted as it comes: headers lie."""

    def __init__(self, size: int) -> None:
        self._members = MAX_MEMBERS
        self._bytes = min(MAX_BYTES, max(_SMALL, MAX_GROWTH * size))
        growth = f"to more than {MAX_GROWTH} times the size of the file, as data made to fill the"
        self._too_much = (
            f"to more than {MAX_BYTES // 1_000_000} MB with the rest of the file; unpack it into "
            "the folder"
            if self._bytes == MAX_BYTES
            else f"{growth} memory does; unpack it into the folder if you trust it"
        )

    def count(self) -> None:
        """Take one more member. Raises :class:`SpentError` if that is one too many."""
        self._members -= 1
        if self._members < 0:
            raise SpentError(
                f"and all that follows is not read: the file holds more than {MAX_MEMBERS:,} "
                "files; unpack it into the folder"
            )

    def take(self, size: int) -> None:
        """Take ``size`` bytes. Raises :class:`SpentError` if that is too much."""
        self._bytes -= size
        if self._bytes < 0:
            raise SpentError(f"and all that follows is not read: it unpacks {self._too_much}")

    def give_back(self, size: int) -> None:
        """Undo a :meth:`take`, where the same bytes are counted again in smaller parts."""
        self._bytes += size

    def read(self, stream: Readable) -> bytes:
        """Return all of ``stream``.

        Raises :class:`SpentError` as soon as it turns out to be too much.
        """
        pieces = []
        while piece := stream.read(min(_STEP, max(self._bytes, 0) + 1)):
            self.take(len(piece))
            pieces.append(piece)
        return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside another.

    ``name`` is as its container has it, with folders. ``read`` gives its bytes, or what it holds
    where it has no bytes of its own; it may raise :class:`LoadError`.
    """

    name: str
    read: Callable[[], Content]


Part = Document | Member
Content = bytes | Iterable[Part]


class Collector:
    """Gathers the documents of one file, and the members that cannot be read.

    ``read(data, source, budget)`` is how a file of any type is read: as one document, or as the
    parts of a container.
    """

    def __init__(
        self, size: int, read: Callable[[bytes, str, Budget], Document | Iterable[Part]]
    ) -> None:
        self.documents: list[Document] = []
        self.failed: list[tuple[str, str]] = []
        self._read = read
        self._budget = Budget(size)
        self._used: dict[str, int] = {}  # source -> the number of the next of that name
        self._stopped = False

    def collect(self, data: bytes, source: str) -> None:
        """Read the outermost file. Raises :class:`LoadError` if nothing of it can be read."""
        try:
            self._add(self._read(data, source, self._budget), source, 0)
        except LoadError as error:
            if not self.documents:
                raise
            self.failed.append((f"{source}/(the rest)", str(error)))
        if not self.documents:
            raise LoadError(self._nothing(source))

    def _add(self, content: Document | Iterable[Part], source: str, depth: int) -> None:
        if isinstance(content, Document):
            self.documents.append(content)
            return
        if depth == MAX_DEPTH:
            raise LoadError(
                f"is a file in a file, more than {MAX_DEPTH} deep; unpack it into the folder"
            )
        for part in _unharmed(content):
            if isinstance(part, Document):
                if part.text.strip():
                    self.documents.append(replace(part, source=source))
            else:
                self._member(part, source, depth + 1)
            if self._stopped:
                return

    def _member(self, member: Member, container: str, depth: int) -> None:
        path = inner_path(member.name)
        if is_junk(path):
            return
        source = self._unused(f"{container}/{path}")
        try:
            self._budget.count()
            if leads_out(member.name):
                raise LoadError("has a name that leads out of its archive (..); rename it")
            content = _guarded(member.read)
            if isinstance(content, bytes):
                self._add(self._read(content, source, self._budget), source, depth)
            else:
                self._add(content, source, depth)
        except LoadError as error:
            self.failed.append((source, str(error)))
            self._stopped = self._stopped or isinstance(error, SpentError)

    def _unused(self, source: str) -> str:
        """``source``, or with a number before its suffix where it is used: ``a (2).txt``."""
        path = PurePosixPath(source)
        number = self._used.get(source, 1)
        free = source
        while free in self._used:
            number += 1
            free = str(path.with_name(f"{path.stem} ({number}){path.suffix}"))
        self._used[source] = number
        self._used.setdefault(free, 1)
        return free

    def _nothing(self, source: str) -> str:
        if not self.failed:
            return "holds no files; remove it"
        first, reason = self.failed[0]
        more = len(self.failed) - 1
        others = f" (and {more:,} more)" if more else ""
        return f"holds nothing that can be read: {first[len(source) + 1 :]} {reason}{others}"


def _guarded(read: Callable[[], Content]) -> Content:
    try:
        return read()
    except LoadError:
        raise
    except Exception as error:  # whatever an archive's reader throws becomes a reason
        raise LoadError(_damaged(error)) from error


def _unharmed(parts: Iterable[Part]) -> Iterator[Part]:
    try:
        yield from parts
    except LoadError:
        raise
    except Exception as error:  # as above
        raise LoadError(_damaged(error)) from error


def _damaged(error: Exception) -> str:
    return f"is damaged or malformed ({type(error).__name__}); save or pack it again"
