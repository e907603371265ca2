"""Joins the lines of a PDF page into paragraphs, where it is clear that they are one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.load.pdf.geometry import Box, around, shared
from rag.load.pdf.text import HYPHEN, Line
from rag.load.traced import MappedText, joined

_LIST_START = re.compile(
    r"\s*(?:[-*•–▪◦■●\uf0b7\uf0a7]\s|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)]\s)"
)
_LEADER = re.compile(r"(?:\.\s?){4,}\s*\S{0,6}\s*$")  # "Introduction ......... 7"
_SENTENCE_END = re.compile(r"[.!?:;。！？][\"'”’)\]]*$")
_UNSPACED = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")  # written without spaces
_WORD_AT_END = re.compile(r"\w+$")
_WORD_AT_START = re.compile(r"\w+")
_HYPHENATED = re.compile(r"\w+-\w+")
_HYPHENS = (HYPHEN, "-", "\u2010")
_LOOSER = 0.12  # of the height; lines of one paragraph stand evenly
_MIN_WRAPPED_LENGTH = 30  # characters; a line that was wrapped is hardly shorter
_SAME_SIZE = 0.15  # of the height; fonts of one size differ by less

BLANK_LINE = "\n\n"


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together: a paragraph, a heading, a list, the rows of a table.

    The text ends with :data:`HYPHEN` where its last word is divided. ``height`` is the font's.
    ``runs_on`` and ``runs_in`` tell whether its last line may go on elsewhere, and whether its
    first one may go on from elsewhere, by their shapes. ``lines`` are lines of the page.
    """

    text: MappedText
    box: Box
    height: float
    lines: int
    runs_on: bool = False
    runs_in: bool = False


def hyphenated_words(text: str) -> set[str]:
    """Return the words that are written with a hyphen where no line ends."""
    return set(_HYPHENATED.findall(text))


def make_blocks(lines: Sequence[Line]) -> list[Block]:
    """The blocks of ``lines`` in reading order: wrapped lines joined, the others each on its own.

    A line was wrapped if the next line's first word would not have fitted at its end. The space
    that a line may fill is as wide as the widest line of its block: lines of one size that follow
    each other closely.
    """
    hyphenated = hyphenated_words(" ".join(line.text for line in lines))
    return [block_of(group, hyphenated) for group in _groups(lines)]


def joint(upper: Block, lower: Block, hyphenated: set[str], jumps: bool = False) -> str | None:
    """Return what to put between two blocks that follow each other; None: nothing, and no hyphen.

    A blank line, unless a paragraph goes on from one to the other: at the foot of a column or of
    a page (then it ``jumps``), or where a formula in it stands between two distances of lines.
    """
    end, start = upper.text.text, lower.text.text
    lower_case = start[0].islower()
    if end.endswith(HYPHEN) and lower_case and lower.runs_in:
        return _hyphen_joint(end[:-1], start, hyphenated)
    if not (upper.runs_on and lower.runs_in) or not _same_size(upper.height, lower.height):
        return BLANK_LINE
    if end.endswith(_HYPHENS) and lower_case:
        return _hyphen_joint(end[:-1], start, hyphenated)
    if _SENTENCE_END.search(end) or _LEADER.search(end) or _LIST_START.match(start):
        return BLANK_LINE
    if _UNSPACED.match(end[-1]) and _UNSPACED.match(start):
        return "" if jumps else BLANK_LINE
    long_enough = jumps and upper.lines > 1 and lower.lines > 1 and not lower_case
    return " " if lower_case or long_enough else BLANK_LINE


def _same_size(one: float, other: float) -> bool:
    return abs(one - other) <= _SAME_SIZE * max(one, other, 1.0)


def block_of(lines: Sequence[Line], hyphenated: set[str]) -> Block:
    """One block of these lines; those that were wrapped are joined."""
    margin = max(line.box.right for line in lines)
    pieces: list[MappedText | str] = []
    for index, line in enumerate(lines):
        if index:
            between = _line_joint(lines[index - 1], line, margin, hyphenated)
            before = pieces[-1]
            if between is None and isinstance(before, MappedText):
                pieces[-1] = before[: len(before.text) - 1]
            pieces.append(between or "")
        pieces.append(line.traced())
    text = joined(pieces)
    first, last = lines[0], lines[-1]
    inner = text.text[:-1].replace(HYPHEN, "-") + text.text[-1]
    return Block(
        MappedText(inner, text.origins),
        around(line.box for line in lines),
        last.box.height,
        len(lines),
        runs_on=_fills(last, margin, len(lines)) and not last.in_columns,
        runs_in=not first.in_columns and not _is_indented(lines),
    )


def _fills(line: Line, margin: float, lines: int) -> bool:
    """Whether a line is as long as those of its block, or alone and long."""
    text = line.text
    if text.endswith(HYPHEN):
        return True
    if len(text) < _MIN_WRAPPED_LENGTH and not _UNSPACED.search(text):
        return False
    return lines == 1 or line.box.right > margin - 0.1 * line.box.width


def _is_indented(lines: Sequence[Line]) -> bool:
    """Whether the first line begins a paragraph."""
    if len(lines) < 2:
        return False
    first, second = lines[0].box, lines[1].box
    return first.left - second.left > 0.5 * first.height


def _groups(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines of one size and one distance from each other."""
    groups: list[list[Line]] = []
    pitch = 0.0  # distance between the lines of the group
    for line in lines:
        previous = groups[-1][-1] if groups else None
        if previous is None or not _follows(previous, line):
            groups.append([line])
            pitch = 0.0
            continue
        step = previous.box.bottom - line.box.bottom
        loose = _LOOSER * line.box.height
        if not pitch:
            pitch = step
            groups[-1].append(line)
        elif step > pitch + loose and not previous.text.endswith(HYPHEN):
            groups.append([line])
            pitch = 0.0
        elif step < pitch - loose and not previous.text.endswith(HYPHEN):
            # The wider step before was one between paragraphs; ``previous`` starts the second.
            groups[-1].pop()
            groups.append([previous, line])
            pitch = step
        else:
            groups[-1].append(line)
    return [group for group in groups if group]


def _follows(upper: Line, lower: Line) -> bool:
    """Whether ``lower`` may be the next line of the group that ``upper`` is in."""
    size = max(upper.box.height, 1.0)
    step = upper.box.bottom - lower.box.bottom
    divided = upper.text.endswith(HYPHEN)
    if not (divided or _same_size(lower.box.height, size)) or not 0.3 * size < step < 2.2 * size:
        return False
    return shared(upper.box.left, upper.box.right, lower.box.left, lower.box.right) > 0


def _line_joint(upper: Line, lower: Line, margin: float, hyphenated: set[str]) -> str | None:
    """What to put between two lines of a block; None: nothing, and take the hyphen away."""
    wrapped = _was_wrapped(upper, lower, margin)
    before, after = upper.text, lower.text
    if before.endswith(HYPHEN) or (wrapped and before.endswith(_HYPHENS)):
        return _hyphen_joint(before[:-1], after, hyphenated)
    if not wrapped:
        return "\n"
    return "" if _UNSPACED.match(after) and _UNSPACED.match(before[-1]) else " "


def _hyphen_joint(before: str, after: str, hyphenated: set[str]) -> str | None:
    """A word divided at the line's end becomes whole (None); a hyphen of its own stays ("")."""
    first, second = _WORD_AT_END.search(before), _WORD_AT_START.match(after)
    if first is None:
        return " "  # a dash
    if second is None or not second.group()[0].islower():
        return ""
    return "" if f"{first.group()}-{second.group()}" in hyphenated else None


def _was_wrapped(upper: Line, lower: Line, margin: float) -> bool:
    text, start = upper.text, lower.text
    if upper.in_columns or lower.in_columns:
        return False
    if len(text) < _MIN_WRAPPED_LENGTH and not _UNSPACED.search(text):
        return False
    if _LIST_START.match(start) or _LEADER.search(text):
        return False
    indent = lower.box.left - upper.box.left
    if indent > 0.5 * upper.box.height and _SENTENCE_END.search(text):
        return False  # the first line of a paragraph
    word = 1 if _UNSPACED.match(start) else len(lower.words[0].text.text)
    character = upper.box.width / max(len(text), 1)
    return upper.box.right + (word + 1) * character > margin
