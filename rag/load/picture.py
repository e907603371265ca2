"""A page as pixels, and as a PNG in which a quote is marked."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.types import Mark

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH = 1200
"""Pixels across; a page that would be higher than :data:`MAX_PICTURE_HEIGHT` is narrower."""

MAX_PICTURE_HEIGHT = 3000
"""Pixels."""

_YELLOW = (255, 224, 102)
_EDGE = (217, 119, 6)


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels from the upper left, row by row, a byte each of red, green and blue."""

    width: int
    height: int
    pixels: bytes

    def check(self) -> None:
        """ValueError where this is no picture of a page."""
        if not (1 <= self.width <= WIDTH and 1 <= self.height <= MAX_PICTURE_HEIGHT):
            raise ValueError(f"a picture of {self.width} by {self.height} pixels")
        if len(self.pixels) != 3 * self.width * self.height:
            raise ValueError("a picture with other pixels than it says")


def picture_of(image: Image) -> Picture:
    """Return the pixels of an image in RGB."""
    return Picture(image.width, image.height, image.tobytes())


def as_png(picture: Picture, marks: Sequence[Mark]) -> bytes:
    """A picture with rectangles laid over it as a highlighter would: the words stay legible."""
    from PIL import Image, ImageChops, ImageDraw

    size = picture.width, picture.height
    image = Image.frombytes("RGB", size, picture.pixels)
    over = Image.new("RGB", size, (255, 255, 255))
    pen = ImageDraw.Draw(over)
    boxes = [_pixels(mark, size) for mark in marks]
    for box in boxes:
        pen.rectangle(box, fill=_YELLOW)
    marked = ImageChops.multiply(image, over) if boxes else image
    pen = ImageDraw.Draw(marked)
    for box in boxes:
        pen.rectangle(box, outline=_EDGE)
    file = io.BytesIO()
    marked.save(file, "PNG")
    return file.getvalue()


def _pixels(mark: Mark, size: tuple[int, int]) -> tuple[int, int, int, int]:
    width, height = size
    return (
        max(0, math.floor(mark.left * width) - 2),
        max(0, math.floor(mark.top * height) - 1),
        min(width - 1, math.ceil(mark.right * width) + 2),
        min(height - 1, math.ceil(mark.bottom * height) + 1),
    )
