"""Styles and lists of a legacy Word document, as [MS-DOC] describes them."""

from __future__ import annotations

import struct

from rag.load.office.numbering import BULLET, Definitions, Level, Lists, WordNumbering

IN_TABLE, ROW_END, LEVEL, LIST, LIST_LEVEL = 0x2416, 0x2417, 0x2640, 0x460B, 0x260A
HIDDEN, DELETED, SYMBOL = 0x083C, 0x0800, 0x6A09
"""The properties that count, of paragraphs and of characters."""

_OPERAND = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}  # length by kind of property
_DEFINE_TABLE = 0xD608
_TITLE_STYLE = 62
_OF_PARAGRAPHS = 1
_MAX_BASES = 20  # styles are based on each other
_FORMATS = {0: "1", 1: "I", 2: "i", 3: "A", 4: "a", 22: "01", 23: BULLET, 255: ""}
_LIST_BYTES, _LEVEL_BYTES, _OVERRIDE_BYTES = 28, 28, 16


def properties(encoded: bytes) -> dict[int, int]:
    """Properties and the values of the short ones, the last one of each."""
    values: dict[int, int] = {}
    place = 0
    while place + 2 < len(encoded):
        code = _u16(encoded, place)
        place += 2
        kind = code >> 13
        if kind == 6:
            size = encoded[place] + 1
            if code == _DEFINE_TABLE:
                size = _u16(encoded, place) + 1
        else:
            size = _OPERAND[kind]
            values[code] = int.from_bytes(encoded[place : place + size], "little")
        place += size
    return values


class Styles:
    """What the paragraph styles say, each with what it is based on."""

    def __init__(self, sheet: bytes) -> None:
        self._styles: list[tuple[int, int, dict[int, int]]] = []  # kind, base, properties
        if len(sheet) < 6:
            return
        base_size = _u16(sheet, 4)
        place = 2 + _u16(sheet, 0)
        for _ in range(_u16(sheet, 2)):
            if place + 2 > len(sheet):
                break
            size = _u16(sheet, place)
            self._styles.append(_style(sheet[place + 2 : place + 2 + size], base_size))
            place += 2 + size + (size & 1)

    def level(self, style: int) -> int | None:
        """Heading level from 1 to 9; a title has 1."""
        for kind, _ in self._chain(style):
            if 1 <= kind <= 9:
                return kind
            if kind == _TITLE_STYLE:
                return 1
        return None

    def is_title(self, style: int) -> bool:
        """Whether the style is that of the document's title, or made from it."""
        return any(kind == _TITLE_STYLE for kind, _ in self._chain(style))

    def values(self, style: int) -> dict[int, int]:
        """The properties of a style."""
        merged: dict[int, int] = {}
        for _, values in self._chain(style):
            merged = values | merged
        return merged

    def _chain(self, style: int) -> list[tuple[int, dict[int, int]]]:
        found: list[tuple[int, dict[int, int]]] = []
        while style < len(self._styles) and len(found) < _MAX_BASES:
            kind, style, values = self._styles[style]
            found.append((kind, values))
        return found


def _style(entry: bytes, base_size: int) -> tuple[int, int, dict[int, int]]:
    if len(entry) < 4:
        return 0, 0xFFF, {}
    kind, base = _u16(entry, 0) & 0xFFF, _u16(entry, 2) >> 4
    values: dict[int, int] = {}
    if _u16(entry, 2) & 0xF == _OF_PARAGRAPHS:
        place = base_size + 4 + 2 * _u16(entry, base_size)  # after the name and its zero
        size = _u16(entry, place)
        values = properties(entry[place + 4 : place + 2 + size])
    return kind, base, values


def read_numbering(lists: bytes, overrides: bytes) -> WordNumbering:
    """The lists of a document; what is damaged is left out, and gives bullets."""
    try:
        return WordNumbering(_definitions(lists), _lists(overrides))
    except (struct.error, IndexError):
        return WordNumbering()


def _definitions(table: bytes) -> Definitions:
    if len(table) < 2:
        return {}
    count = _u16(table, 0)
    place = 2 + count * _LIST_BYTES
    found: Definitions = {}
    for index in range(count):
        start = 2 + index * _LIST_BYTES
        identity = struct.unpack_from("<i", table, start)[0]
        levels: dict[int, Level] = {}
        for number in range(1 if table[start + 26] & 1 else 9):
            level, place = _level(table, place)
            levels[number] = level
        found[str(identity)] = levels
    return found


def _level(table: bytes, place: int) -> tuple[Level, int]:
    """A level and the place after it."""
    start, kind = struct.unpack_from("<iB", table, place)
    after = place + _LEVEL_BYTES + table[place + 25] + table[place + 24]
    length = _u16(table, after)
    units = table[after + 2 : after + 2 + 2 * length].decode("utf-16-le", "replace")
    # A character below 9 stands for the number of that level.
    text = "".join(f"%{ord(c) + 1}" if ord(c) < 9 else c for c in units)
    style = _FORMATS.get(kind, "1")
    if not text:
        style = ""
    return Level(style, text, start), after + 2 + 2 * length


def _lists(table: bytes) -> Lists:
    if len(table) < 4:
        return {}
    count = struct.unpack_from("<I", table)[0]
    place = 4 + count * _OVERRIDE_BYTES
    found: Lists = {}
    for index in range(min(count, 10_000)):
        start = 4 + index * _OVERRIDE_BYTES
        identity, levels = struct.unpack_from("<i8xB", table, start)
        starts: dict[int, int] = {}
        place += 4
        for _ in range(levels):
            first, flags = struct.unpack_from("<iI", table, place)
            place += 8
            if flags & 0x20:  # with a level of its own, which is rare: only its start is used
                level, place = _level(table, place)
                first = level.start
            if flags & 0x10:
                starts[flags & 0xF] = first
        found[str(index + 1)] = (str(identity), starts)
    return found


def _u16(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + 2], "little")
