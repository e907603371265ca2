"""Joins the lines of a PDF page into paragraphs, where it is clear that they are one."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HYPHEN = "\x02"  # PDFium's mark for a hyphen at the end of a line
_LIST_START = re.compile(
    r"\s*(?:[-*•–▪◦■●\uf0b7\uf0a7]\s|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)]\s)"
)
_LEADER = re.compile(r"(?:\.\s?){4,}\s*\S{0,6}\s*$")  # "Introduction ......... 7"
_SENTENCE_END = re.compile(r"[.!?:;。！？][\"'”’)\]]*$")
_UNSPACED = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")  # written without spaces
_WORD_AT_END = re.compile(r"\w+$")
_WORD_AT_START = re.compile(r"\w+")
_HYPHENATED = re.compile(r"\w+-\w+")
_LOOSER = 0.12  # of the height; lines of one paragraph stand evenly
_SHORTEST_WRAPPED = 30  # characters; a line that was wrapped is hardly shorter


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its box in points, ``y`` upwards; ``in_columns`` if it may be a table's row."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    in_columns: bool = False

    @property
    def height(self) -> float:
        """Of the font, in points."""
        return self.top - self.bottom


def join_lines(lines: list[Line]) -> str:
    """The text of ``lines``: wrapped ones joined, a blank line between blocks that stand apart.

    A line was wrapped if the next line's first word would not have fitted at its end. The space
    that a line may fill is as wide as the widest line of its block: lines of one size that follow
    each other closely.
    """
    parts: list[str] = []
    hyphenated = set(_HYPHENATED.findall(" ".join(line.text for line in lines)))
    for block in _blocks(lines):
        if parts:
            parts.append("\n\n")
        margin = max(line.right for line in block)
        for index, line in enumerate(block):
            if index:
                parts.append(_joint(block[index - 1], line, margin, parts, hyphenated))
            parts.append(line.text.strip(" \t\xa0"))
    return "".join(parts).replace(_HYPHEN, "-")


def _blocks(lines: list[Line]) -> list[list[Line]]:
    """Lines of one size and one distance from each other."""
    blocks: list[list[Line]] = []
    pitch = 0.0  # distance between the lines of the block
    for line in lines:
        previous = blocks[-1][-1] if blocks else None
        if previous is None or not _follows(previous, line):
            blocks.append([line])
            pitch = 0.0
            continue
        step = previous.bottom - line.bottom
        if not pitch or previous.text.endswith(_HYPHEN):
            pitch = pitch or step
            blocks[-1].append(line)
        elif step > pitch + _LOOSER * line.height:
            blocks.append([line])
            pitch = 0.0
        elif step < pitch - _LOOSER * line.height:
            # The wider step before was one between paragraphs; ``previous`` starts the second.
            blocks[-1].pop()
            blocks.append([previous, line])
            pitch = step
        else:
            blocks[-1].append(line)
    return [block for block in blocks if block]


def _follows(upper: Line, lower: Line) -> bool:
    """Whether ``lower`` may be the next line of the block that ``upper`` is in."""
    if upper.text.endswith(_HYPHEN):
        return True
    size = max(upper.height, 1.0)
    step = upper.bottom - lower.bottom
    if abs(lower.height - size) > 0.15 * size or not 0.3 * size < step < 2.2 * size:
        return False
    return lower.left < upper.right and upper.left < lower.right


def _joint(upper: Line, lower: Line, margin: float, parts: list[str], hyphenated: set[str]) -> str:
    """What to put between two lines of a block; takes a hyphen off the end of ``parts``."""
    wrapped = _was_wrapped(upper, lower, margin)
    if upper.text.endswith(_HYPHEN) or (wrapped and upper.text.rstrip().endswith(("-", "\u2010"))):
        return _hyphen_joint(lower, parts, hyphenated)
    if not wrapped:
        return "\n"
    if _UNSPACED.match(lower.text.lstrip()) and _UNSPACED.match(upper.text.rstrip()[-1:]):
        return ""
    return " "


def _hyphen_joint(lower: Line, parts: list[str], hyphenated: set[str]) -> str:
    """A word divided at the line's end becomes whole; a hyphen of its own stays."""
    line = parts[-1][:-1]
    before, after = _WORD_AT_END.search(line), _WORD_AT_START.match(lower.text.lstrip())
    if before is None:
        return " "  # a dash
    if after is None or not after.group()[0].islower():
        return ""
    if f"{before.group()}-{after.group()}" not in hyphenated:
        parts[-1] = line
    return ""


def _was_wrapped(upper: Line, lower: Line, margin: float) -> bool:
    text, start = upper.text.rstrip(), lower.text.lstrip()
    if upper.in_columns or lower.in_columns:
        return False
    if len(text) < _SHORTEST_WRAPPED and not _UNSPACED.search(text):
        return False
    if _LIST_START.match(start) or _LEADER.search(text):
        return False
    indent = lower.left - upper.left
    if indent > 0.5 * upper.height and _SENTENCE_END.search(text):
        return False  # the first line of a paragraph
    word = 1 if _UNSPACED.match(start) else len(start.split(None, 1)[0])
    character = (upper.right - upper.left) / max(len(text), 1)
    return upper.right + (word + 1) * character > margin
