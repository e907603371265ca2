"""The numbers that office programs put before the items of a list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
    (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


def counted(number: int, style: str) -> str:
    """``number`` in a style: ``1``, ``01``, ``a``, ``A``, ``i`` or ``I``; others as ``1``."""
    if style in ("i", "I") and 0 < number < 4000:
        text = _roman(number)
    elif style in ("a", "A") and 0 < number < 1000:
        letters = (number - 1) % 26  # after z come aa and bb
        text = chr(ord("a") + letters) * ((number - 1) // 26 + 1)
    else:
        return f"{number:02}" if style == "01" else str(number)
    return text.upper() if style.isupper() else text


def _roman(number: int) -> str:
    pieces = []
    for value, letters in _ROMAN:
        while number >= value:
            pieces.append(letters)
            number -= value
    return "".join(pieces)


_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FORMATS = {
    "lowerLetter": "a", "upperLetter": "A", "lowerRoman": "i", "upperRoman": "I",
    "decimalZero": "01",
}  # fmt: skip
_PLACE = re.compile(r"%([1-9])")
BULLET = "-"


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a list: ``style`` is one of :func:`counted`, ``-`` for bullets, "" for nothing.

    In ``text`` ``%1`` stands for the number of the first level. ``paragraph_style`` is the style
    that stands for this level.
    """

    style: str
    text: str
    start: int = 1
    paragraph_style: str = ""


Definitions = dict[str, dict[int, Level]]
"""The levels, from 0, of each definition of a list."""

Lists = dict[str, tuple[str, dict[int, int]]]
"""The definition that each list follows, and the numbers at which its levels begin instead."""


class WordNumbering:
    """Counts the numbered paragraphs of a Word document, in their order."""

    def __init__(self, definitions: Definitions | None = None, lists: Lists | None = None) -> None:
        self._definitions = definitions or {}
        self._lists = lists or {}
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[str] = set()

    def level_of(self, number: str, style: str) -> int:
        """The level that a paragraph style stands for in a list; 0 where it names none."""
        definition, _ = self._lists.get(number, ("", {}))
        levels = self._definitions.get(definition, {})
        return next((n for n, lv in levels.items() if style and lv.paragraph_style == style), 0)

    def marker(self, number: str, level: int) -> str:
        """What stands before the next paragraph of a list; ``-`` for a bullet, or ""."""
        definition, starts = self._lists.get(number, ("", {}))
        levels = self._definitions.get(definition, {})
        if level not in levels:
            return BULLET
        counts = self._counts.setdefault(definition, {})
        if number not in self._begun:  # a list of its own begins anew where it says so
            self._begun.add(number)
            for other, start in starts.items():
                counts[other] = start - 1
        counts[level] = counts.get(level, levels[level].start - 1) + 1
        for deeper in [other for other in counts if other > level]:
            del counts[deeper]
        if levels[level].style in (BULLET, ""):
            return levels[level].style

        def shown(place: re.Match[str]) -> str:
            other = int(place[1]) - 1
            kind = levels.get(other, levels[level])
            return counted(counts.get(other, kind.start), kind.style)

        return _PLACE.sub(shown, levels[level].text).strip()


def numbering_from_xml(root: Any) -> WordNumbering:
    """What the part of numbering of a DOCX says."""
    definitions: Definitions = {}
    lists: Lists = {}
    for element in root:
        if element.tag == f"{_W}abstractNum":
            levels = {_number(e.get(f"{_W}ilvl")): _level(e) for e in element.iter(f"{_W}lvl")}
            definitions[element.get(f"{_W}abstractNumId", "")] = levels
        elif element.tag == f"{_W}num":
            starts = {
                _number(e.get(f"{_W}ilvl")): _number(_value(e, "startOverride"))
                for e in element.iter(f"{_W}lvlOverride")
                if _value(e, "startOverride")
            }
            lists[element.get(f"{_W}numId", "")] = (_value(element, "abstractNumId"), starts)
    return WordNumbering(definitions, lists)


def _level(element: Any) -> Level:
    kind = _value(element, "numFmt") or "decimal"
    style = {"bullet": BULLET, "none": ""}.get(kind, _FORMATS.get(kind, "1"))
    text = _value(element, "lvlText")
    start = _value(element, "start")
    return Level(
        style if text else "", text, _number(start) if start else 1, _value(element, "pStyle")
    )


def _value(parent: Any, child: str) -> str:
    found = parent.find(f"{_W}{child}")
    return str(found.get(f"{_W}val", "")) if found is not None else ""


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 7 else 0
