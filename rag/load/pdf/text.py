"""The words and lines of a PDF page as PDFium finds them, with their boxes."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from rag.load.builder import clean
from rag.load.pdf.geometry import Box, around, shared
from rag.load.traced import MappedText, joined

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

HYPHEN = "\x02"
"""Ends the text of a line whose last word is divided there, as PDFium marks it."""

COLUMN_GAP = 1.2
"""In heights of the font; the spaces of justified text are narrower."""

_LEVEL = 0.3  # share of their heights in which words of one line overlap, at least
_SAME_LEVEL = 0.9  # the same of two lines that are one; and how alike their heights are
_LINE_ENDS = (10, 13)
_LEFTWARD = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_UNSPACED = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+")
_SLANT = math.radians(8)  # text at a greater angle to the page's sides is neither of the four turns

CharacterBox = Callable[[int], Box]
"""The box of the character that PDFium counts under a number."""


@dataclass(frozen=True, slots=True)
class Word:
    """Characters between two blanks."""

    text: MappedText
    box: Box


@dataclass(frozen=True, slots=True)
class Line:
    """Words that stand beside each other, in reading order.

    ``box`` reaches from the first word to the last and is as high as the font. ``turn`` is how
    far the text is turned, in degrees clockwise; -1 for a slant. ``in_columns``: some words
    stand as far apart as columns do, so that it may be a table's row.
    """

    words: tuple[Word, ...]
    box: Box
    turn: int
    in_columns: bool

    @property
    def text(self) -> str:
        """The words with a space between them."""
        return " ".join(word.text.text for word in self.words)

    def traced(self) -> MappedText:
        """:attr:`text` with the places of its characters."""
        pieces: list[MappedText | str] = []
        for word in self.words:
            pieces += [" ", word.text] if pieces else [word.text]
        return joined(pieces)

    def turned(self, turn: int, mirrored: bool) -> Line:
        """Return the line in another frame; see :meth:`Box.turned`."""
        return line_of([Word(w.text, w.box.turned(turn, mirrored)) for w in self.words], self.turn)


def line_of(words: Sequence[Word], turn: int = 0) -> Line:
    """Return the line of these words, which are at least one."""
    box, usual = around(word.box for word in words), _usual(words)
    box = Box(box.left, usual.bottom, box.right, usual.top)
    return Line(tuple(words), box, turn, _widest_gap(words) > COLUMN_GAP * box.height)


def _usual(words: Sequence[Word]) -> Box:
    """A box as high as most of the characters: not that of a formula or of a footnote's sign."""
    if len(words) == 1:
        return words[0].box
    counts: dict[float, int] = {}
    for word in words:
        height = round(word.box.height, 1)
        counts[height] = counts.get(height, 0) + len(word.text.text)
    most = max(counts, key=lambda height: counts[height])
    return next(word.box for word in words if round(word.box.height, 1) == most)


def _widest_gap(words: Sequence[Word]) -> float:
    """Between two neighbours, whatever the order in which they are read."""
    boxes = sorted((word.box for word in words), key=lambda box: box.left)
    return max((b.left - a.right for a, b in pairwise(boxes)), default=0.0)


def is_leftward(line: Line) -> bool:
    """Tell whether most of the line's words run from right to left."""
    return 2 * sum(bool(_LEFTWARD.search(w.text.text)) for w in line.words) > len(line.words)


def read_lines(textpage: PdfTextPage) -> list[Line]:
    """Return the page's lines in PDFium's order; lines without a word are left out.

    A character's place is the number under which PDFium counts it on the page.
    """
    from pypdfium2.raw import FPDFText_GetUnicode

    box = box_reader(textpage)
    raw = textpage.raw
    codes = [FPDFText_GetUnicode(raw, i) for i in range(textpage.count_chars())]
    lines: list[Line] = []
    for places in _line_ranges(codes):
        words = [_word(text, box) for text in _words(codes, places)]
        if not words:
            continue
        for turn, alike in _by_turn(textpage, words):
            for some in _level(alike, max(turn, 0)):
                before = lines[-1] if lines else None
                if before and before.turn == turn and _continues(before, some):
                    lines[-1] = line_of([*before.words, *some], turn)
                else:
                    lines.append(line_of(_in_script_order(some), turn))
    return _stacked(lines)


def _by_turn(textpage: PdfTextPage, words: list[Word]) -> list[tuple[int, list[Word]]]:
    """The words of a line of PDFium, which may hold some of another turn."""
    first = _turn(textpage, words[0].text.origins[0])
    if len(words) == 1 or _turn(textpage, words[-1].text.origins[0]) == first:
        return [(first, words)]
    turns = ((_turn(textpage, word.text.origins[0]), word) for word in words)
    return [(turn, [w for _, w in some]) for turn, some in groupby(turns, lambda one: one[0])]


def _level(words: list[Word], turn: int) -> Iterator[list[Word]]:
    """The words of a line of PDFium by the lines they stand on: it may miss where one ends."""
    some: list[Word] = []
    for word in words:
        if some:
            before, here = some[-1].box.turned(turn), word.box.turned(turn)
            back = here.left < before.left and not _LEFTWARD.search(word.text.text)
            if back and shared(before.bottom, before.top, here.bottom, here.top) < _LEVEL:
                yield some
                some = []
        some.append(word)
    yield some


def _continues(line: Line, words: Sequence[Word]) -> bool:
    """Whether words stand beside a line, to its right: PDFium may begin a new line there."""
    turn = max(line.turn, 0)
    before, here = line.box.turned(turn), around(w.box for w in words).turned(turn)
    beside = here.left >= before.right and not line.text.endswith(HYPHEN)
    level = min(
        shared(before.bottom, before.top, here.bottom, here.top),
        abs(here.height / before.height) if before.height else 0.0,
        abs(before.height / here.height) if here.height else 0.0,
    )
    return beside and level > _SAME_LEVEL and not is_leftward(line)


def box_reader(textpage: PdfTextPage) -> CharacterBox:
    """A function that gives the box of a character: as wide as it is, as high as its font."""
    from pypdfium2.raw import FS_RECTF, FPDFText_GetLooseCharBox

    found, raw = FS_RECTF(), textpage.raw

    def box(index: int) -> Box:
        if not FPDFText_GetLooseCharBox(raw, index, found):
            return Box(0, 0, 0, 0)
        sides = (found.left, found.bottom, found.right, found.top)
        return Box(*sides) if all(map(math.isfinite, sides)) else Box(0, 0, 0, 0)

    return box


def _line_ranges(codes: Sequence[int]) -> Iterator[range]:
    """PDFium marks a hyphen at the end of a line with U+0002 and writes no line end after it."""
    start = 0
    for index, code in enumerate(codes):
        if code in _LINE_ENDS or code == 2:
            yield range(start, index + (code == 2))
            start = index + 1
    yield range(start, len(codes))


def _words(codes: Sequence[int], places: range) -> Iterator[MappedText]:
    """The words among some characters, cleaned as all text is."""
    text: list[str] = []
    kept = array("i")
    high = 0
    for index in places:
        code = codes[index]
        if 0xD800 <= code < 0xDC00:  # the first half of a pair, where PDFium's build has UTF-16
            high = code
            continue
        if high and 0xDC00 <= code < 0xE000:
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
        high = 0
        if code == 0xAD and index == places.stop - 1:
            code = 2  # a soft hyphen that shows, for it ends the line
        character = _plain(code)
        if character.isspace():
            if text:
                yield MappedText("".join(text), kept)
                text, kept = [], array("i")
        elif character:
            text.append(character)
            kept.append(index)
    if text and text != [HYPHEN]:
        yield MappedText("".join(text), kept)


@lru_cache(maxsize=4096)
def _plain(code: int) -> str:
    """A character as it is kept; "" if it is dropped."""
    if code == 2:
        return HYPHEN
    return clean(chr(code)) if 0 < code < 0x110000 else ""


def _word(text: MappedText, box: CharacterBox) -> Word:
    if _LEFTWARD.search(text.text):
        boxes = [box(place) for place in text.origins]
        rightward = sum(a.left < b.left for a, b in pairwise(boxes))
        leftward = sum(a.left > b.left for a, b in pairwise(boxes))
        if rightward > leftward:  # read backwards
            text = MappedText(text.text[::-1], text.origins[::-1])
        return Word(text, around(boxes))
    a, b = box(text.origins[0]), box(text.origins[-1])
    sides = (min(a.left, b.left), min(a.bottom, b.bottom))
    return Word(text, Box(*sides, max(a.right, b.right), max(a.top, b.top)))


def _in_script_order(words: list[Word]) -> list[Word]:
    """Words of a script that runs to the left, put right if they were read backwards."""
    leftward = [bool(_LEFTWARD.search(word.text.text)) for word in words]
    if 2 * sum(leftward) <= len(words):
        return words
    steps = [(a.box.left < b.box.left) for a, b in pairwise(words)]
    return words[::-1] if 2 * sum(steps) > len(steps) else words


def _turn(textpage: PdfTextPage, index: int) -> int:
    from pypdfium2.raw import FPDFText_GetCharAngle

    angle = FPDFText_GetCharAngle(textpage, index)
    if angle < 0 or not math.isfinite(angle):
        return 0
    quarters = round(angle / (math.pi / 2))
    return -1 if abs(angle - quarters * math.pi / 2) > _SLANT else quarters % 4 * 90


def _stacked(lines: list[Line]) -> list[Line]:
    """Characters that stand below each other, each a line for PDFium, as lines of their own.

    So is vertical text of Chinese and Japanese found; its next line is to the left.
    """
    found: list[Line] = []
    run: list[Line] = []
    for line in [*lines, None]:
        if line is not None and run and _is_below(run[-1], line):
            run.append(line)
            continue
        if len(run) > 2:
            word = joined([w.text for one in run for w in one.words])
            found.append(line_of([Word(word, around(one.box for one in run))], 90))
        else:
            found += run
        run = [line] if line is not None else []
    return found


def _is_below(upper: Line, lower: Line) -> bool:
    """Whether two lines are next to each other in a stack of characters written without spaces."""
    if not all(len(a.words) == 1 and _UNSPACED.fullmatch(a.text) for a in (upper, lower)):
        return False
    count, width = len(upper.text), upper.box.width
    step = upper.box.top - lower.box.top
    return (
        len(lower.text) <= 2
        and count <= 2
        and abs(lower.box.left - upper.box.left) < 0.3 * width
        and 0.5 * width < step < (0.3 + count) * 1.1 * width
    )
