"""Pictures of words for an engine that needs no program: black and white squares for their bits."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from rag.load.ocr import SeenWord

SIDE = 64
"""Squares along each side of a picture: 512 bytes of words."""

_PIXELS = 8  # along the side of a square, which JPEG keeps


def picture(words: str, kind: str) -> bytes:
    """A file of the format ``kind``, as Pillow names it."""
    data = words.encode().ljust(SIDE * SIDE // 8, b"\0")
    squares = Image.frombytes("1", (SIDE, SIDE), data).convert("RGB")
    file = io.BytesIO()
    squares.resize((SIDE * _PIXELS,) * 2, Image.Resampling.NEAREST).save(file, kind)
    return file.getvalue()


def grey_pixels(words: str) -> tuple[int, int, bytes]:
    """The same as width, height and pixels."""
    data = words.encode().ljust(SIDE * SIDE // 8, b"\0")
    return SIDE, SIDE, Image.frombytes("1", (SIDE, SIDE), data).convert("L").tobytes()


class SquareEngine:
    """Reads the words of :func:`picture`, at whatever size it is shown, as one line."""

    def words(self, image: Image.Image) -> list[SeenWord]:
        across, down = image.width / SIDE, image.height / SIDE
        grey = np.asarray(image.convert("L"))
        rows = ((np.arange(SIDE) + 0.5) * down).astype(int)
        columns = ((np.arange(SIDE) + 0.5) * across).astype(int)
        data = np.packbits(grey[np.ix_(rows, columns)] > 127).tobytes()
        words = data.rstrip(b"\0").decode().split()
        return [SeenWord(w, 10 * n, 0, 10 * n + 8, 10, (0,), 0) for n, w in enumerate(words)]
