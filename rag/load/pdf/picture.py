"""A page of a PDF as a picture, with a quote marked."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.load.ocr import MOST_PIXELS
from rag.load.pdf.pdfium import PDFIUM, opened, page_of
from rag.load.pdf.place import marks_on, pages_of
from rag.types import Document, Mark, PageImage, PagePlace

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfPage

WIDTH = 1200
"""Pixels across; a page that would be higher than :data:`HIGHEST` is narrower."""

HIGHEST = 3000
"""Pixels."""

_YELLOW = (255, 224, 102)
_EDGE = (217, 119, 6)


def places_in(data: bytes, document: Document, start: int, end: int) -> list[PagePlace]:
    """The pages that hold ``text[start:end]``, and where on each of them it stands.

    Raises :class:`LoadError` for a PDF that cannot be opened.
    """
    from pypdfium2 import PdfiumError

    places = []
    with opened(data) as pdf:
        for number in pages_of(document, start, end):
            marks: list[Mark] = []
            with suppress(PdfiumError), PDFIUM, page_of(pdf, number - 1) as page:
                marks = marks_on(page, document, number, start, end)
            places.append(PagePlace(number, tuple(marks)))
    return places


def draw_page(data: bytes, document: Document, number: int, start: int, end: int) -> PageImage:
    """Page ``number`` of the PDF, with what it holds of ``text[start:end]`` marked.

    Raises :class:`LoadError` for a PDF that cannot be opened, and for a damaged page.
    """
    from pypdfium2 import PdfiumError

    with opened(data) as pdf:
        try:
            with PDFIUM, page_of(pdf, number - 1) as page:
                width, height = page.get_size()
                scale = min(WIDTH / max(width, 1), HIGHEST / max(height, 1))
                picture = rendered(page, scale)
                marks = marks_on(page, document, number, start, end)
        except PdfiumError as error:
            raise LoadError(f"page {number} is damaged; save the file again") from error
    return as_png(picture, number, marks)


def rendered(page: PdfPage, scale: float) -> Image:
    """The page as it is shown, ``scale`` pixels a point, but at most :data:`MOST_PIXELS`.

    To be called under the lock of PDFium.
    """
    width, height = page.get_size()
    most = (MOST_PIXELS / max(width * height, 1)) ** 0.5
    image: Image = page.render(scale=min(scale, most), may_draw_forms=False).to_pil()
    return image.convert("RGB")


def as_png(image: Image, number: int, marks: Sequence[Mark]) -> PageImage:
    """A picture with rectangles laid over it as a highlighter would: the words stay legible."""
    from PIL import Image as Images
    from PIL import ImageChops, ImageDraw

    over = Images.new("RGB", image.size, (255, 255, 255))
    pen = ImageDraw.Draw(over)
    boxes = [_pixels(mark, image.size) for mark in marks]
    for box in boxes:
        pen.rectangle(box, fill=_YELLOW)
    marked = ImageChops.multiply(image, over) if boxes else image
    pen = ImageDraw.Draw(marked)
    for box in boxes:
        pen.rectangle(box, outline=_EDGE)
    file = io.BytesIO()
    marked.save(file, "PNG")
    return PageImage(file.getvalue(), *image.size, PagePlace(number, tuple(marks)))


def _pixels(mark: Mark, size: tuple[int, int]) -> tuple[int, int, int, int]:
    width, height = size
    return (
        max(0, math.floor(mark.left * width) - 2),
        max(0, math.floor(mark.top * height) - 1),
        min(width - 1, math.ceil(mark.right * width) + 2),
        min(height - 1, math.ceil(mark.bottom * height) + 1),
    )
