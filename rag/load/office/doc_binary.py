"""Reads the streams of a legacy Word document as [MS-DOC] describes them.

A document is a row of characters, stored in pieces. Positions in it are counted in UTF-16 units;
what a paragraph or a run looks like is stored by the place in the file where its characters are.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from rag.errors import LoadError
from rag.load.office.doc_styles import (
    DELETED,
    HIDDEN,
    IN_TABLE,
    LEVEL,
    LIST,
    LIST_LEVEL,
    ROW_END,
    SYMBOL,
    Styles,
    properties,
    read_numbering,
)
from rag.load.office.numbering import WordNumbering

_WORD_97 = 193  # the first version of the format in use since
_WORD_6 = 101
_SECTOR = 512
_MAX_PIECES = 1_000_000
_MAX_UNITS = 40_000_000  # more than Word itself opens
# Languages of Word 6 and 95, which wrote the code page of their system.
_CODEPAGES = {
    0x0405: "cp1250", 0x040E: "cp1250", 0x0415: "cp1250", 0x0419: "cp1251", 0x0422: "cp1251",
    0x0408: "cp1253", 0x041F: "cp1254", 0x040D: "cp1255", 0x0401: "cp1256", 0x0411: "cp932",
    0x0804: "gb18030", 0x0404: "big5hkscs", 0x0412: "cp949",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """What counts of a paragraph.

    ``level`` is a heading's, from 1; ``list`` is 0 for a paragraph in none, ``list_level`` from 0.
    """

    level: int | None = None
    is_title: bool = False
    in_table: bool = False
    ends_row: bool = False
    list: int = 0
    list_level: int = 0


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int  # position in the document
    end: int
    place: int  # in the file, in bytes
    width: int  # bytes a character


Runs = list[tuple[int, bytes]]
"""Where in the file each run begins, and its properties as they are stored."""

PARTS = ("main", "notes", "margins", "comments", "endnotes", "boxes")
"""The texts that follow each other in a document."""


class WordFile:
    """``units`` is the whole text as UTF-16 units; :attr:`parts` says what stands where in it."""

    def __init__(self, main: bytes, table_0: bytes, table_1: bytes) -> None:
        if len(main) < 0x60 or main[:2] not in (b"\xec\xa5", b"\xdc\xa5", b"\xdb\xa5"):
            raise LoadError(
                "is damaged or not a Word document; open it in Word and save it again as .docx"
            )
        self._main = main
        self._version = _u16(main, 2)
        flags = _u16(main, 0x0A)
        if flags & 0x0100:
            raise LoadError("is encrypted; remove its password and save it again")
        self._table = table_1 if flags & 0x0200 else table_0
        self._is_complex = bool(flags & 0x0004)
        if self._version < _WORD_6:
            raise LoadError("is of Word 2 or older; open it in Word and save it again as .docx")
        self._is_97 = self._version >= _WORD_97
        self._pieces = self._read_pieces()
        self.units = self._read_units()
        self.parts = self._read_parts()
        self.styles = Styles(self._stored(0xA2) if self._is_97 else b"")
        self._paragraphs = self._runs(0x102, self._paragraph_pages) if self._is_97 else []
        self._starts = [start for start, _ in self._paragraphs]

    def knows_paragraphs(self) -> bool:
        """Whether :meth:`look` tells more than nothing."""
        return bool(self._paragraphs)

    def look(self, position: int) -> Look:
        """The look of the paragraph whose end is at ``position``."""
        index = bisect_right(self._starts, self._place(position)) - 1
        if index < 0:
            return Look()
        stored = self._paragraphs[index][1]
        style = int.from_bytes(stored[:2], "little")
        values = self.styles.values(style) | properties(stored[2:])
        level = self.styles.level(style)
        outline = values.get(LEVEL)
        if outline is not None:
            level = outline + 1 if outline < 9 else None
        return Look(
            level,
            self.styles.is_title(style),
            bool(values.get(IN_TABLE)),
            bool(values.get(ROW_END)),
            values.get(LIST, 0),
            values.get(LIST_LEVEL, 0),
        )

    def numbering(self) -> WordNumbering:
        """Counts the paragraphs of lists."""
        if not self._is_97:
            return WordNumbering()
        return read_numbering(self._stored(0x2E2, to_end=True), self._stored(0x2EA))

    def _stored(self, field: int, *, to_end: bool = False) -> bytes:
        """What the header's ``field`` points at; what follows it too, if asked for."""
        start, length = struct.unpack_from("<II", self._main, field)
        if not length:
            return b""
        return self._table[start : None if to_end else start + length]

    def hide(self) -> None:
        """Put a zero in place of each unit that is hidden, deleted, or a symbol font's."""
        if not self._is_97:
            return
        runs = self._runs(0xFA, self._character_pages)
        starts = [start for start, _ in runs]
        for piece in self._pieces:
            index = max(bisect_right(starts, piece.place) - 1, 0)
            end = piece.place + (piece.end - piece.start) * piece.width
            while index < len(runs) and runs[index][0] < end:
                values = properties(runs[index][1])
                if values.get(HIDDEN) == 1 or values.get(DELETED) == 1 or SYMBOL in values:
                    after = runs[index + 1][0] if index + 1 < len(runs) else end
                    self._blank(piece, max(runs[index][0], piece.place), min(after, end), values)
                index += 1

    def _blank(self, piece: _Piece, first: int, last: int, values: dict[int, int]) -> None:
        symbol = values.get(SYMBOL, 0) >> 16
        shown = symbol if symbol >= 0x20 and not 0xE000 <= symbol <= 0xF8FF else 0
        for place in range(first, last, piece.width):
            position = piece.start + (place - piece.place) // piece.width
            if self.units[position] not in (7, 12, 13):
                self.units[position] = shown

    def _place(self, position: int) -> int:
        index = bisect_right(self._piece_starts, position) - 1
        piece = self._pieces[max(index, 0)]
        return piece.place + (position - piece.start) * piece.width

    # Text

    def _read_pieces(self) -> list[_Piece]:
        if self._is_97:
            pieces = _pieces(self._stored(0x1A2))
        elif self._is_complex:
            start, length = struct.unpack_from("<II", self._main, 0x160)
            pieces = _pieces(self._main[start : start + length], eight_bit=True)
        else:
            first, after = struct.unpack_from("<II", self._main, 0x18)
            pieces = [_Piece(0, max(0, min(after, len(self._main)) - first), first, 1)]
        self._piece_starts = [piece.start for piece in pieces]
        if not pieces:
            raise LoadError("is damaged: its text is missing; open it in Word and save it again")
        return pieces

    def _read_units(self) -> array[int]:
        codepage = "cp1252"
        if not self._is_97:
            codepage = _CODEPAGES.get(_u16(self._main, 6), "cp1252")
        units = array("H")
        for piece in self._pieces:
            length = piece.end - piece.start
            data = self._main[piece.place : piece.place + length * piece.width]
            if piece.width == 1:
                data = _wide(data, codepage)
            data = data[: length * 2].ljust(length * 2, b"\0")
            units.frombytes(data)
            if len(units) > _MAX_UNITS:
                raise LoadError("is damaged: its pieces overlap; open it in Word and save it again")
        return units

    def _read_parts(self) -> dict[str, tuple[int, int]]:
        """Where each of :data:`PARTS` is."""
        if self._is_97:
            main, notes, margins, _, comments, endnotes, boxes = struct.unpack_from(
                "<7i", self._main, 0x4C
            )
        else:
            main, notes, margins, _, comments, endnotes, boxes = struct.unpack_from(
                "<7i", self._main, 0x34
            )
        lengths = [max(0, n) for n in (main, notes, margins, comments, endnotes, boxes)]
        ends = [min(end, len(self.units)) for end in accumulate(lengths)]
        if not ends[0]:
            ends = [len(self.units)] * len(PARTS)
        return dict(zip(PARTS, zip([0, *ends[:-1]], ends, strict=True), strict=True))

    # Properties

    def _runs(self, field: int, read: Callable[[bytes], Runs]) -> Runs:
        """Place in the file where each run begins, and its properties, in order."""
        table = self._stored(field)
        count = max(0, (len(table) - 4) // 8)
        runs: Runs = []
        for index in range(count):
            number = struct.unpack_from("<I", table, 4 * (count + 1) + 4 * index)[0] & 0x3FFFFF
            page = self._main[number * _SECTOR : (number + 1) * _SECTOR]
            if len(page) == _SECTOR:
                runs += read(page)
        runs.sort(key=lambda run: run[0])
        return runs

    @staticmethod
    def _paragraph_pages(page: bytes) -> Runs:
        runs = []
        count = min(page[-1], 29)
        for index in range(count):
            start = struct.unpack_from("<I", page, 4 * index)[0]
            place = page[4 * (count + 1) + 13 * index] * 2
            properties = b""
            if 0 < place < _SECTOR - 2:
                size = page[place]
                if size:
                    properties = page[place + 1 : place + size * 2]
                else:
                    properties = page[place + 2 : place + 2 + page[place + 1] * 2]
            runs.append((start, properties))
        return runs

    @staticmethod
    def _character_pages(page: bytes) -> Runs:
        runs = []
        count = min(page[-1], 101)
        for index in range(count):
            start = struct.unpack_from("<I", page, 4 * index)[0]
            place = page[4 * (count + 1) + index] * 2
            properties = page[place + 1 : place + 1 + page[place]] if place else b""
            runs.append((start, properties))
        return runs


def _u16(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + 2], "little")


def _wide(data: bytes, codepage: str) -> bytes:
    """Eight-bit text as UTF-16, one unit a byte, or a unit and a zero for a character of two."""
    if codepage in ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256"):
        return data.decode(codepage, "replace").encode("utf-16-le")
    text = data.decode(codepage, "replace")
    return "".join(c if ord(c) < 0x80 else f"{c}\0" for c in text).encode("utf-16-le", "replace")


def _pieces(clx: bytes, *, eight_bit: bool = False) -> list[_Piece]:
    place = 0
    while place + 3 <= len(clx) and clx[place] == 1:
        place += 3 + _u16(clx, place + 1)
    if place + 5 > len(clx) or clx[place] != 2:
        return []
    size = struct.unpack_from("<I", clx, place + 1)[0]
    table = clx[place + 5 : place + 5 + size]
    count = min((len(table) - 4) // 12, _MAX_PIECES)
    if count < 1:
        return []
    borders = struct.unpack_from(f"<{count + 1}I", table)
    pieces = []
    for index in range(count):
        start, end = borders[index], borders[index + 1]
        where = struct.unpack_from("<I", table, 4 * (count + 1) + 8 * index + 2)[0]
        if not start <= end <= _MAX_UNITS:
            break
        if eight_bit:
            pieces.append(_Piece(start, end, where, 1))
        elif where & 0x40000000:
            pieces.append(_Piece(start, end, (where & 0x3FFFFFFF) // 2, 1))
        else:
            pieces.append(_Piece(start, end, where, 2))
    return pieces
