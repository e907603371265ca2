"""PNG, JPEG and TIFF -> the words that OCR finds in them, a page a picture."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.load import ocr
from rag.load.detect.sniff import sniff
from rag.load.pdf.bind import bind
from rag.load.pdf.geometry import Box
from rag.load.pdf.running import Sheet
from rag.load.pdf.scanned import read_picture
from rag.types import Document

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PICTURES = 500
"""In one TIFF."""


def load(data: bytes, source: str) -> Document:
    """Raises :class:`LoadError` where no OCR program is installed, or it finds no words."""
    engine = ocr.engine()
    if engine is None:
        kind = (sniff(data) or "").upper()
        raise LoadError(f"is a {kind} image, whose words only OCR can read; {ocr.HOW}")
    sheets = []
    for picture in pictures(data):
        blocks = read_picture(picture, engine)
        sheets.append(Sheet(tuple(blocks), Box(0, 0, picture.width, picture.height)))
    text, pages = bind(sheets)
    if not text.text.strip():
        raise LoadError("is an image in which OCR found no words; describe it in a text file")
    return Document(source, text.text, pages=pages)


def pictures(data: bytes) -> Iterator[Image]:
    """Yield the pictures of a file, one after the other, upright as their camera noted.

    Raises :class:`LoadError` for a file that is damaged or would fill the memory.
    """
    from PIL import Image, ImageOps, ImageSequence

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            file = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "TIFF"))
            count = getattr(file, "n_frames", 1)
            if count > MAX_PICTURES:
                raise LoadError(f"holds {count:,} pictures, above {MAX_PICTURES}: split it")
            for picture in ImageSequence.Iterator(file):
                if picture.width * picture.height > (Image.MAX_IMAGE_PIXELS or 0):
                    raise Image.DecompressionBombWarning
                yield ImageOps.exif_transpose(picture).convert("RGB")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise LoadError("is an image of too many pixels; make it smaller") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise LoadError("is a damaged image; open it and save it again") from error
