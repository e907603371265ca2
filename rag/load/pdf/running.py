"""Running headers and footers: lines that stand at the same place of page after page.

They interrupt sentences that run over a page's end and fill passages with words that say nothing
there, so all but their first occurrence is left out; bare page numbers are left out everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from rag.load.pdf.geometry import Box
from rag.load.pdf.paragraphs import Block

MARGIN = 0.16
"""Share of the page's height, at its top and at its foot, in which they are looked for."""

_MAX_ROWS = 3  # blocks at each end of a page
_MAX_LINES = 2  # of a block
_CLEAR = 0.4  # heights of the font between a head and the text below it
_SAME_PLACE = 1.0  # points by which places may differ
_MIN_PAGES = 3
_FREQUENT = 0.5  # share of the pages that have something there, if the same words come only twice

_NUMBERS = re.compile(
    r"\d+|(?<!\S)(?=[ivxlc])c{0,3}(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})(?!\S)", re.IGNORECASE
)
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_NUMERAL = "\x00"  # stands for a number
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page's blocks in reading order, and the page's box in their frame."""

    blocks: Sequence[Block]
    box: Box


class _Candidate(NamedTuple):
    page: int
    block: int
    place: float  # distance from the page's top, or from its foot if negative
    shape: str  # the words, with signs for numbers
    numbers: tuple[int, ...]


def edge_blocks(sheet: Sheet) -> list[int]:
    """Tell which blocks may be a running header or footer: short, at an end, set apart."""
    return sorted({*_edge(sheet, 1), *_edge(sheet, -1)})


def running_blocks(sheets: Sequence[Sheet]) -> set[tuple[int, int]]:
    """Return the blocks to leave out, as ``(page, block)``, both counted from 0."""
    lanes = _lanes([c for page, sheet in enumerate(sheets) for c in _candidates(page, sheet)])
    dropped: set[tuple[int, int]] = set()
    for lane in lanes:
        frequent = len({c.page for c in lane}) >= max(2, _FREQUENT * len(sheets))
        for group in _alike(lane):
            pages = len({c.page for c in group})
            if pages < 2 or (pages < _MIN_PAGES and not frequent):
                continue
            first = min(c.page for c in group) if _LETTER.search(group[0].shape) else -1
            dropped |= {(c.page, c.block) for c in group if c.page != first}
    all_of_it = sum(len(sheet.blocks) for sheet in sheets) == len(dropped)
    return set() if all_of_it else dropped


def _edge(sheet: Sheet, sign: int) -> Iterator[int]:
    """Blocks of the first rows from the top (``sign`` 1) or from the foot (-1) of a page."""
    rows = _rows_from(sheet, sign)
    waiting: list[int] = []
    for (row, _, far), following in zip(rows, [*rows[1:], None], strict=False):
        blocks = [sheet.blocks[index] for index in row]
        short = all(block.height > 0 and block.lines <= _MAX_LINES for block in blocks)
        if not short or far > MARGIN * sheet.box.height or len(waiting) > _MAX_ROWS:
            return
        waiting += row
        clear = _CLEAR * max(block.height for block in blocks)
        if following is None or following[1] - far >= clear:
            yield from waiting
            waiting = []


def _rows_from(sheet: Sheet, sign: int) -> list[tuple[list[int], float, float]]:
    """Blocks beside each other, and how near and how far they are from one end of the page."""
    page = sheet.box
    ends = []
    for index, block in enumerate(sheet.blocks):
        top, foot = page.top - block.box.top, block.box.bottom - page.bottom
        near = top if sign > 0 else foot
        ends.append((near, near + block.box.height, index))
    rows: list[tuple[list[int], float, float]] = []
    for near, far, index in sorted(ends):
        if rows and near < rows[-1][2]:
            rows[-1] = ([*rows[-1][0], index], rows[-1][1], max(far, rows[-1][2]))
        else:
            rows.append(([index], near, far))
    return rows


def _candidates(page: int, sheet: Sheet) -> Iterator[_Candidate]:
    for index in edge_blocks(sheet):
        block = sheet.blocks[index]
        text = " ".join(block.text.text.split())
        numbers = tuple(map(_number, _NUMBERS.findall(text)))
        shape = _NUMBERS.sub(_NUMERAL, text)
        below_top = sheet.box.top - block.box.top
        above_foot = block.box.bottom - sheet.box.bottom
        place = below_top if below_top < above_foot else -above_foot
        yield _Candidate(page, index, place, shape, numbers)


def _lanes(candidates: Sequence[_Candidate]) -> list[list[_Candidate]]:
    """Candidates by the height at which they stand."""
    lanes: list[list[_Candidate]] = []
    for one in sorted(candidates, key=lambda c: c.place):
        if lanes and one.place - lanes[-1][-1].place <= _SAME_PLACE:
            lanes[-1].append(one)
        else:
            lanes.append([one])
    return lanes


def _alike(lane: Sequence[_Candidate]) -> list[list[_Candidate]]:
    """Those of one shape whose numbers stay the same or count the pages."""
    shapes: dict[str, list[_Candidate]] = {}
    for one in lane:
        shapes.setdefault(one.shape, []).append(one)
    groups: list[list[_Candidate]] = []
    for group in shapes.values():
        slots = range(len(group[0].numbers))
        counting = [_counts([(c.page, c.numbers[slot]) for c in group]) for slot in slots]
        alike: dict[tuple[int, ...], list[_Candidate]] = {}
        for one in group:
            still = tuple(one.numbers[slot] for slot in slots if not counting[slot])
            alike.setdefault(still, []).append(one)
        groups += alike.values()
    return groups


def _counts(pairs: Sequence[tuple[int, int]]) -> bool:
    """Whether numbers grow with the pages, but for a few new beginnings."""
    offsets = [number - page for page, number in sorted(pairs)]
    breaks = sum(a != b for a, b in pairwise(offsets))
    return len(pairs) > 1 and breaks <= len(pairs) // 8


def _number(digits: str) -> int:
    """The value of digits or of a Roman numeral."""
    if digits[0].isdigit():
        return int(digits[:9])
    values = [_ROMAN[letter] for letter in digits.lower()]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))
