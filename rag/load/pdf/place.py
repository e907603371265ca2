"""Where on a PDF's pages the characters of its text stand, and how the pages look.

Nothing is stored for it: a page is read again, as it was when the document was indexed, and its
text must be the same; if it is not, no place is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.load.pdf.bind import bind
from rag.load.pdf.geometry import Box, around, shared
from rag.load.pdf.page import lay_out
from rag.load.pdf.pdfium import PDFIUM, opened, page_of, rendered
from rag.load.pdf.running import Sheet, edge_blocks
from rag.load.pdf.text import CharacterBox, box_reader
from rag.load.picture import MAX_PICTURE_HEIGHT, WIDTH, Picture, picture_of
from rag.load.traced import MappedText
from rag.types import Mark

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

_MAX_UNSURE = 8  # Running headers and footers of a page that may have been left out
_NEXT_WORD = 2.5  # in heights of the font; words further apart are marked apart
_FINE = 1_000_000  # steps that a page's side is divided into when places are converted


def look(
    data: bytes, pieces: Sequence[tuple[int, str, int, int]], draw: bool
) -> tuple[list[list[Mark]], Picture | None]:
    """Return the marks of each piece, and if it is to be drawn a picture of the page of the first.

    A piece is a page's number from 1, its text, and the start and end of what to mark in that.
    Raises :class:`LoadError` for a PDF that cannot be opened, and if a page to draw is damaged.
    """
    from pypdfium2 import PdfiumError

    marks: list[list[Mark]] = []
    picture = None
    with opened(data) as pdf:
        for number, text, start, end in pieces:
            marks.append([])
            try:
                with PDFIUM, page_of(pdf, number - 1) as page:
                    if draw and picture is None:
                        picture = _drawn(page)
                    marks[-1] = marks_on(page, text, start, end)
            except (PdfiumError, IndexError) as error:
                if draw and picture is None:
                    raise LoadError(f"page {number} is damaged; save the file again") from error
    return marks, picture


def _drawn(page: PdfPage) -> Picture:
    width, height = page.get_size()
    return picture_of(
        rendered(page, min(WIDTH / max(width, 1), MAX_PICTURE_HEIGHT / max(height, 1)))
    )


def marks_on(page: PdfPage, text: str, start: int, end: int) -> list[Mark]:
    """Return the rectangles of exactly the characters of ``text[start:end]`` on a page.

    Empty if the page, read again, does not give ``text``. To be called under the lock of PDFium.
    """
    textpage = page.get_textpage()
    try:
        traced = same_text(lay_out(page, textpage), text)
        if traced is None:
            return []
        boxes = _lines(traced.origins[start:end], box_reader(textpage))
        return [_mark(page, box) for box in boxes]
    finally:
        textpage.close()


def same_text(sheet: Sheet, text: str) -> MappedText | None:
    """Return the page's text if it is ``text``, but for what joins it to the next page.

    Which of its running headers and footers were left out depends on the other pages; ``text``
    tells.
    """
    edges = edge_blocks(sheet)
    gone = {i for i in edges if sheet.blocks[i].text.text.rstrip("-\x02") not in text}
    unsure = [i for i in edges if i not in gone][:_MAX_UNSURE]
    for dropped in _subsets(unsure):
        traced, _ = bind([sheet], {(0, index) for index in (*gone, *dropped)})
        if text.startswith(traced.text) and not text[len(traced.text) :].strip():
            return traced
        if traced.text[:-1] == text:  # its last word goes on overleaf, without the hyphen
            return traced[: len(text)]
    return None


def _subsets(items: Sequence[int]) -> Iterable[tuple[int, ...]]:
    return (some for size in range(len(items) + 1) for some in combinations(items, size))


def _lines(places: Sequence[int], box: CharacterBox) -> list[Box]:
    """The boxes of characters, those of one line and word after word in one."""
    lines: list[Box] = []
    before: Box | None = None
    for place in places:
        if place < 0:
            continue
        here = box(place)
        if here.width <= 0 or here.height <= 0:
            continue
        if before is not None and _goes_on(before, here):
            lines[-1] = around((lines[-1], here))
        else:
            lines.append(here)
        before = here
    return lines


def _goes_on(one: Box, other: Box) -> bool:
    """Whether a character stands beside the one before it, or below it in upright text."""
    gap = max(one.left, other.left) - min(one.right, other.right)
    drop = max(one.bottom, other.bottom) - min(one.top, other.top)
    level = shared(one.bottom, one.top, other.bottom, other.top) > 0.5
    upright = shared(one.left, one.right, other.left, other.right) > 0.5
    near = _NEXT_WORD * min(one.height, other.height), _NEXT_WORD * min(one.width, other.width)
    return (level and gap < near[0]) or (upright and drop < near[1])


def _mark(page: PdfPage, box: Box) -> Mark:
    """A box on the page in shares of the page as it is shown: turned and cut out."""
    from ctypes import c_int

    from pypdfium2.raw import FPDF_PageToDevice

    xs, ys = [], []
    for x, y in ((box.left, box.bottom), (box.right, box.top)):
        across, down = c_int(), c_int()
        FPDF_PageToDevice(page, 0, 0, _FINE, _FINE, 0, x, y, across, down)
        xs.append(min(max(across.value / _FINE, 0.0), 1.0))
        ys.append(min(max(down.value / _FINE, 0.0), 1.0))
    return Mark(min(xs), min(ys), max(xs), max(ys))
