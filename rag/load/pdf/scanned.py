"""Words seen in a picture -> blocks, as those of a PDF page."""

from __future__ import annotations

from array import array
from itertools import groupby
from typing import TYPE_CHECKING

from rag.load.builder import clean
from rag.load.ocr import MAX_PIXELS, Engine, SeenWord
from rag.load.pdf.geometry import Box
from rag.load.pdf.paragraphs import Block, block_of, hyphenated_words
from rag.load.pdf.text import Word, line_of
from rag.load.traced import MappedText

if TYPE_CHECKING:
    from PIL.Image import Image


def read_picture(image: Image, engine: Engine, dots: float = 72.0) -> list[Block]:
    """Return the paragraphs of a picture in its engine's order, their boxes in points.

    ``dots`` are the picture's pixels an inch. A character's place is the number of its word.
    """
    shrink = (MAX_PIXELS / (image.width * image.height)) ** 0.5
    if shrink < 1:
        size = (max(1, int(image.width * shrink)), max(1, int(image.height * shrink)))
        image, dots = image.resize(size), dots * shrink
    words = engine.words(image)
    known = hyphenated_words(" ".join(word.text for word in words))
    numbered = list(enumerate(words))
    blocks = []
    for _, paragraph in groupby(numbered, key=lambda one: one[1].paragraph):
        lines = []
        for _, line in groupby(paragraph, key=lambda one: one[1].line):
            traced = [_word(n, word, image.height, 72 / dots) for n, word in line]
            if some := [word for word in traced if word.text.text]:
                lines.append(line_of(some))
        if lines:
            blocks.append(block_of(lines, known))
    return blocks


def _word(number: int, seen: SeenWord, height: int, scale: float) -> Word:
    text = "".join(clean(seen.text).split())
    box = Box(
        seen.left * scale,
        (height - seen.bottom) * scale,
        seen.right * scale,
        (height - seen.top) * scale,
    )
    return Word(MappedText(text, array("i", [number]) * len(text)), box)
