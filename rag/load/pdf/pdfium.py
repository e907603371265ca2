"""Opening PDFs with PDFium, which may be entered by one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.load.ocr import MAX_PIXELS

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfDocument, PdfPage

PDFIUM = threading.Lock()
"""Held by whoever uses a document or a page; for a page at a time, so that others get a turn."""


@contextmanager
def opened(data: bytes) -> Iterator[PdfDocument]:
    """The document; :class:`LoadError` if it is damaged or encrypted. Use it under the lock."""
    with PDFIUM:
        document = _open(data)
    try:
        yield document
    finally:
        with PDFIUM:
            document.close()


def _open(data: bytes) -> PdfDocument:
    from pypdfium2 import PdfDocument, PdfiumError
    from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

    try:
        return PdfDocument(data)
    except PdfiumError as error:
        code = getattr(error, "err_code", None)
        if code == FPDF_ERR_PASSWORD:
            raise LoadError("is encrypted; remove its password and save it again") from error
        if code == FPDF_ERR_SECURITY:
            raise LoadError(
                "is protected in a way that is not supported; save it without protection"
            ) from error
        raise LoadError(
            "is damaged or not a PDF; open it in a PDF viewer and save it again"
        ) from error


@contextmanager
def page_of(document: PdfDocument, index: int) -> Iterator[PdfPage]:
    """The page with what stands in form fields and text boxes made part of its content.

    Raises :class:`pypdfium2.PdfiumError` for a page that is damaged beyond reading.
    """
    from pypdfium2.raw import (
        FLAT_NORMALDISPLAY,
        FLATTEN_SUCCESS,
        FPDFPage_Flatten,
        FPDFPage_GetAnnotCount,
    )

    page = document[index]
    if FPDFPage_GetAnnotCount(page) and (
        FPDFPage_Flatten(page, FLAT_NORMALDISPLAY) == FLATTEN_SUCCESS
    ):
        page.close()
        page = document[index]
    try:
        yield page
    finally:
        page.close()


def rendered(page: PdfPage, scale: float) -> Image:
    """Return the page as it is shown, ``scale`` pixels a point, but at most :data:`MAX_PIXELS`.

    To be called under the lock.
    """
    width, height = page.get_size()
    most = (MAX_PIXELS / max(width * height, 1)) ** 0.5
    image: Image = page.render(scale=min(scale, most), may_draw_forms=False).to_pil()
    return image.convert("RGB")
