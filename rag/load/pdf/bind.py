"""The blocks of all pages -> one text, and the slices of it that the pages cover."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from rag.load.pdf.paragraphs import Block, hyphenated_words, joint
from rag.load.pdf.running import Sheet
from rag.load.pdf.text import HYPHEN
from rag.load.traced import MappedText, joined
from rag.types import Page


def bind(
    sheets: Sequence[Sheet], dropped: AbstractSet[tuple[int, int]] = frozenset()
) -> tuple[MappedText, tuple[Page, ...]]:
    """One text without the ``dropped`` blocks, given as ``(page, block)``, and its pages.

    A page reaches to where the next one's text begins, the blank line between them included. A
    character's place is its number on its page.
    """
    pieces: list[MappedText | str] = []
    starts: list[int] = []
    position = 0
    before: Block | None = None
    known: set[str] = set()
    for number, sheet in enumerate(sheets):
        starts.append(-1)
        known |= hyphenated_words(" ".join(block.text.text for block in sheet.blocks))
        for index, block in enumerate(sheet.blocks):
            if (number, index) in dropped:
                continue
            if before is not None:
                jumps = starts[-1] < 0 or block.box.bottom > before.box.bottom
                between = joint(before, block, known, jumps)
                if between is None:
                    pieces[-1] = before.text[: len(before.text.text) - 1]
                    position -= 1
                pieces.append(between or "")
                position += len(between or "")
            if starts[-1] < 0:
                starts[-1] = position
                known = hyphenated_words(" ".join(block.text.text for block in sheet.blocks))
            pieces.append(block.text)
            position += len(block.text.text)
            before = block
    text = joined(pieces)
    return MappedText(text.text.replace(HYPHEN, "-"), text.origins), _pages(starts, position)


def _pages(starts: Sequence[int], end: int) -> tuple[Page, ...]:
    """Contiguous slices; a page without text is empty and stands where the next one begins."""
    pages: list[Page] = []
    for number in range(len(starts), 0, -1):
        start = starts[number - 1] if starts[number - 1] >= 0 else end
        pages.append(Page(number, start, end))
        end = start
    return tuple(reversed(pages))
