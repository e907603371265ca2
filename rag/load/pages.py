"""The pages of a document as they look, for the formats that have any: PDF and pictures."""

from __future__ import annotations

from itertools import islice

from rag.load.image import pictures
from rag.load.pdf.picture import HIGHEST, WIDTH, as_png, draw_page, places_in
from rag.load.pdf.place import pages_of
from rag.load.sniff import sniff
from rag.types import Document, PageImage, PagePlace

_PICTURES = ("png", "jpeg", "tiff")


def page_places(data: bytes, document: Document, start: int, end: int) -> list[PagePlace]:
    """The pages that hold ``text[start:end]``, and where on them; empty where there are none.

    ``data`` must be the bytes that ``document`` was made of. Raises :class:`LoadError` for a file
    that cannot be opened.
    """
    kind = _kind(data, document)
    if kind == "pdf":
        return places_in(data, document, start, end)
    if kind in _PICTURES:
        return [PagePlace(number, ()) for number in pages_of(document, start, end)]
    return []


def page_image(
    data: bytes, document: Document, number: int, start: int, end: int
) -> PageImage | None:
    """Page ``number``, with what it holds of ``text[start:end]`` marked; None if there is none.

    As :func:`page_places` for the rest.
    """
    if not 1 <= number <= len(document.pages):
        return None
    kind = _kind(data, document)
    if kind == "pdf":
        return draw_page(data, document, number, start, end)
    if kind in _PICTURES:
        for picture in islice(pictures(data), number - 1, number):
            picture.thumbnail((WIDTH, HIGHEST))
            return as_png(picture, number, ())
    return None


def _kind(data: bytes, document: Document) -> str | None:
    return sniff(data, "pdf" if document.source.lower().endswith(".pdf") else None)
