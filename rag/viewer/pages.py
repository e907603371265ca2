"""The pages of a document as they look, for the formats that have any: PDF and pictures.

Looking at a page means to parse its file again, so :func:`show` is made to run in a worker; what
it gives back is numbers and pixels, which are checked here.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from cachetools import TTLCache

from rag.dataclass_json import from_plain
from rag.errors import BusyError, LoadError
from rag.load.image import pictures
from rag.load.picture import MAX_PICTURE_HEIGHT, WIDTH, Picture, as_png, picture_of
from rag.load.registry import file_in, kind_of
from rag.sandbox.isolated import Isolated, Limits, Work
from rag.sandbox.protocol import encode, parse
from rag.types import Document, Location, Mark, PageImage

MAX_SECONDS = 30.0
"""That showing a page may take: somebody waits for it."""

MAX_WAITING = 16
"""Who may wait for a page at once, the one whose page is worked on among them."""

SECONDS_REMEMBERED = 600.0
"""How long a page that could not be shown is not tried again."""

_MAX_REMEMBERED = 10_000
_PICTURES = ("png", "jpeg", "tiff")


@dataclass(frozen=True, slots=True)
class Piece:
    """What is asked of a page: where ``text[start:end]`` of the text that it has stands on it."""

    number: int
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Pieces of the document ``source``, which is the file ``file`` or a file in it.

    ``draw`` asks for a picture of the page of the first piece.
    """

    file: str
    source: str
    pieces: tuple[Piece, ...]
    draw: bool


@dataclass(frozen=True, slots=True)
class PageView:
    """The marks of each piece; None for a file whose pages cannot be shown."""

    marks: tuple[tuple[Mark, ...], ...] | None
    picture: Picture | None = None


PageRenderer = Callable[[bytes, str], PageView]
"""Called as :func:`show` is."""


def show(data: bytes, asked: str) -> PageView:
    """Return what is asked of the bytes of a file; ``asked`` is :class:`PageRequest` as JSON.

    Raises :class:`LoadError` for a file that cannot be opened, and for a damaged page.
    """
    from rag.load.pdf.place import look

    wanted = _wanted(asked)
    found = file_in(data, wanted.file, wanted.source)
    kind = kind_of(found, wanted.source) if found else ""
    if found is None or kind not in ("pdf", *_PICTURES):
        return PageView(None)
    pieces = [(p.number, p.text, p.start, p.end) for p in wanted.pieces]
    if kind == "pdf":
        marks, picture = look(found, pieces, wanted.draw)
        return PageView(tuple(map(tuple, marks)), picture)
    if not wanted.draw:
        return PageView(((),) * len(pieces))
    number = pieces[0][0]
    for image in islice(pictures(found), number - 1, number):
        image.thumbnail((WIDTH, MAX_PICTURE_HEIGHT))
        return PageView(((),), picture_of(image))
    return PageView(None)


class IsolatedPages(Isolated[PageView]):
    """As :func:`show`, or ``work``, in a worker process, which starts no program.

    Raises :class:`BusyError` where :data:`MAX_WAITING` others wait. A page that could not be shown
    fails at once when it is asked for again.
    """

    def __init__(self, limits: Limits, work: Work[PageView] = show) -> None:
        seconds = min(limits.seconds, MAX_SECONDS)
        super().__init__(replace(limits, seconds=seconds, programs=False), work, _checked)
        self._places = threading.BoundedSemaphore(MAX_WAITING)
        self._failed: TTLCache[str, str] = TTLCache(_MAX_REMEMBERED, SECONDS_REMEMBERED)

    def __call__(self, data: bytes, asked: str) -> PageView:
        """What is asked of the bytes of a file."""
        if not self._places.acquire(blocking=False):
            raise BusyError("too many pages are being drawn: try again in a moment")
        try:
            return super().__call__(data, asked)
        finally:
            self._places.release()

    def _answer(self, data: bytes, asked: str, closings: int) -> PageView:
        wanted = _wanted(asked)
        what = f"{[p.number for p in wanted.pieces]} {wanted.draw} {wanted.file} {wanted.source}"
        key = hashlib.sha256(data).hexdigest() + what
        if (reason := self._failed.get(key)) is not None:
            raise LoadError(reason)
        try:
            return super()._answer(data, asked, closings)
        except LoadError as error:
            self._failed[key] = str(error)
            raise


def locate(
    data: bytes, file: str, document: Document, start: int, end: int, show: PageRenderer = show
) -> list[Location]:
    """Tell where ``text[start:end]`` stands; with marks if the pages can be shown as they look.

    ``data`` must be the bytes of ``file`` that ``document`` was made of. Raises
    :class:`LoadError` for a file that cannot be opened.
    """
    located = document.locate(start, end)
    pieces = [_piece(document, at.page, start, end) for at in located if at.page is not None]
    if not pieces:
        return list(located)
    shown = show(data, _as_json(PageRequest(file, document.source, tuple(pieces), draw=False)))
    if shown.marks is None:
        return list(located)
    return [replace(at, marks=m) for at, m in zip(located, shown.marks, strict=True)]


def page_image(
    data: bytes,
    file: str,
    document: Document,
    number: int,
    start: int,
    end: int,
    show: PageRenderer = show,
) -> PageImage | None:
    """Return page ``number``, with what it holds of ``text[start:end]`` marked.

    None if there is none.

    As :func:`locate` for the rest; also raises :class:`LoadError` for a damaged page.
    """
    if not 1 <= number <= len(document.pages):
        return None
    piece = _piece(document, number, start, end)
    shown = show(data, _as_json(PageRequest(file, document.source, (piece,), draw=True)))
    if shown.marks is None or shown.picture is None:
        return None
    png = as_png(shown.picture, shown.marks[0])
    return PageImage(png, shown.picture.width, shown.picture.height, number, shown.marks[0])


def _piece(document: Document, number: int, start: int, end: int) -> Piece:
    page = document.pages[number - 1]
    first, last = (min(max(at, page.start), page.end) - page.start for at in (start, end))
    return Piece(number, document.text[page.start : page.end], first, last)


def _as_json(asked: PageRequest) -> str:
    return encode(asked).decode("utf-8", "surrogatepass")


def _wanted(asked: str) -> PageRequest:
    return from_plain(PageRequest, parse(asked.encode("utf-8", "surrogatepass")))


def _checked(value: Any, asked: str) -> PageView:
    """What a worker sent; ValueError where it is not what was asked for."""
    shown = from_plain(PageView, value)
    wanted = _wanted(asked)
    if shown.marks is not None and len(shown.marks) != len(wanted.pieces):
        raise ValueError("other pages than were asked for")
    for mark in (mark for marks in shown.marks or () for mark in marks):
        if not (0 <= mark.left <= mark.right <= 1 and 0 <= mark.top <= mark.bottom <= 1):
            raise ValueError("a mark outside of its page")
    if shown.picture is not None:
        shown.picture.check()
    return shown
