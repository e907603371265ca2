"""Sheets as text: each row a line that carries the names of its columns.

``Region: Europe | 2023: 5 | 2024: 6``. Rows come one by one, so that a long sheet is never held
as cells; only the beginning of each block (rows without a blank row between them) is looked at as
a whole, to find its header.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rag.errors import LoadError
from rag.load.builder import TextBuilder
from rag.load.sheets.sheet_header import (
    Layout,
    SheetCell,
    SheetRow,
    find_header,
    side_by_side,
    within,
)
from rag.types import Document, Place

MAX_CELLS = 2_000_000
"""Cells that are read of a file; a larger one is a database, and belongs into several files."""

MAX_CHARACTERS = 100_000_000

_BEGINNING = 1000  # rows of a block that are looked at together
_MAX_MERGE_WIDTH = 1000  # a merged cell that claims more columns is one that a program made up
_MAX_TITLE_LENGTH = 120
_MAX_MEMBER_LENGTH = 60  # a lone cell that is longer is a remark, not a value of its column

Numbered = tuple[int, SheetRow]


class SheetWriter:
    """Writes sheets one after another; a row's number is that of the spreadsheet, from 1."""

    def __init__(self, *, trusted: bool = False) -> None:
        self.builder = TextBuilder()
        self._trusted = trusted
        self._places: list[Place] = []
        self._lines_in_last = 0
        self._name = ""
        self._unwritten = ""  # the name, until something is written below it
        self._cells = 0
        self._characters = 0
        self._begin()

    def _begin(self) -> None:
        self._block: list[Numbered] = []
        self._names: Mapping[int, str] = {}  # of the table that is being written
        self._streaming = False
        self._held: list[Numbered] = []  # blocks of one row: a title, a header apart from its table

    def sheet(self, name: str) -> None:
        """Begin a sheet; its name becomes a heading."""
        self.end()
        self._name = " ".join(name.split())
        self._unwritten = self._name

    def _write_name(self) -> None:
        """A sheet without a word leaves no trace."""
        name, self._unwritten = self._unwritten, ""
        if name:
            self.builder.gap(2)
            start = self.builder.add(name, 1)
            if start is not None:
                self._places.append(Place(name, start, self.builder.length))
            self.builder.gap(2)

    def row(self, number: int, cells: Mapping[int, SheetCell]) -> None:
        """Add a row, after those with lower numbers. Raises :class:`LoadError` at the limits."""
        row = {column: cell for column, cell in cells.items() if cell.text.strip()}
        if not row:
            return
        self._write_name()
        self._cells += len(row)
        if self._cells > MAX_CELLS:
            raise LoadError(
                f"has more than {MAX_CELLS:,} cells; split it, or export the part that matters"
            )
        if self._block and number != self._block[-1][0] + 1:
            self._end_block()
        self._block.append((number, row))
        if self._streaming:
            self._write(self._block[-1:], self._names)
            del self._block[:-1]
        elif len(self._block) > _BEGINNING:
            self._write_table(self._block)
            self._streaming = True
            del self._block[:-1]

    def note(self, text: str) -> None:
        """Add text that stands beside the rows, such as that of a text box."""
        if not text.strip():
            return
        self._finish_rows()
        self._write_name()
        self.builder.gap(2)
        start = self.builder.add(text)
        if start is not None and self._name:
            self._places.append(Place(self._name, start, self.builder.length))
        self.builder.gap(2)

    def end(self) -> None:
        """End the sheet."""
        self._finish_rows()
        self._begin()

    def document(self, source: str, title: str = "") -> Document:
        """All that was written."""
        self.end()
        headings = tuple(self.builder.headings)
        return Document(
            source, self.builder.text(), title, headings=headings, places=tuple(self._places)
        )

    def _finish_rows(self) -> None:
        self._end_block()
        self._release()

    def _end_block(self) -> None:
        """Write what is left of a block of rows."""
        block, streamed = self._block, self._streaming
        self._block, self._streaming = [], False
        if block and not streamed:
            if len(block) == 1 and self._hold(block[0]):
                return
            parts = side_by_side([row for _, row in block])
            for columns in parts:
                self._write_table(_part(block, columns))
                self.builder.gap(2)
            if not parts:
                self._write_table(block)
        self.builder.gap(2)

    def _hold(self, numbered: Numbered) -> bool:
        """Keep a block of one row back until the next is known; False for one that is data."""
        row = numbered[1]
        if _is_title(row):
            self._release()
        elif len(row) < 2 or not all(cell.words for cell in row.values()):
            return False
        elif self._held and not _is_title(self._held[-1][1]):
            self._release()
        self._held.append(numbered)
        return True

    def _release(self) -> None:
        """Write the rows held back as they are."""
        held, self._held = self._held, []
        for numbered in held:
            self._names = {}
            self._write([numbered], {})
            self.builder.gap(2)

    def _write_table(self, block: Sequence[Numbered]) -> None:
        """Write a block whose header is in it, apart above it, or that of the table before."""
        block, layout = self._with_held(block)
        if layout is None:
            self._release()
            rows = [row for _, row in block]
            if not self._continues(rows) or all(len(row) == 1 for row in rows):
                self._names = {}
            self._write(block, self._names)
            return
        if self._held and _is_title(self._held[-1][1]):
            self._heading(self._held.pop())
        self._release()
        above, below = block[: layout.first], block[layout.first + layout.count :]
        if above and _is_title(above[0][1]):
            self._heading(above[0])
            above = above[1:]
        self._write(above, {})
        self.builder.gap(2 if above else 1)
        self._names = layout.names
        if layout.names.keys() - {column for _, row in below for column in row}:
            self._write(block[layout.first : layout.first + layout.count], {})  # no word is lost
        self._write(below, self._names)

    def _with_held(self, block: Sequence[Numbered]) -> tuple[Sequence[Numbered], Layout | None]:
        """The block, with the header above it that a blank row parts from it, and its layout."""
        if self._held and not _is_title(self._held[-1][1]):
            longer = [self._held[-1], *block]
            layout = find_header([row for _, row in longer], trusted=self._trusted)
            if layout is not None and layout.first == 0 and layout.strong:
                self._held.pop()
                return longer, layout
        rows = [row for _, row in block]
        layout = find_header(rows, trusted=self._trusted)
        if layout is not None and not layout.strong and self._continues(rows):
            return block, None
        return block, layout

    def _continues(self, rows: Iterable[SheetRow]) -> bool:
        """Whether rows fit below the names of the table before."""
        if not self._names or self._held:
            return False
        first, last = min(self._names), max(self._names)
        return all(first <= min(row) and max(row) <= last for row in rows)

    def _heading(self, numbered: Numbered) -> None:
        number, row = numbered
        self.builder.gap(2)
        text = " ".join(next(iter(row.values())).text.split())
        self._placed(number, self.builder.add(text, 2 if self._name else 1))
        self.builder.gap(2)

    def _write(self, rows: Sequence[Numbered], names: Mapping[int, str]) -> None:
        for number, row in rows:
            line = _line(row, names)
            self._characters += len(line)
            if self._characters > MAX_CHARACTERS:
                raise LoadError(
                    f"has more than {MAX_CHARACTERS:,} characters in its rows, with the names of "
                    "their columns; split it, or export the part that matters"
                )
            self._placed(number, self.builder.add(line))

    def _placed(self, number: int, start: int | None) -> None:
        """Remember the row that the text from ``start`` on is."""
        if start is None:
            return
        last = self._places[-1] if self._places else None
        end = self.builder.length
        if last and last.row is not None and last.label == self._name and start == last.end + 1:
            lines = self._lines_in_last
            if number == last.row + lines:
                self._places[-1] = Place(last.label, last.start, end, last.row)
                self._lines_in_last = lines + 1
                return
        self._places.append(Place(self._name, start, end, number))
        self._lines_in_last = 1


def _is_title(row: SheetRow) -> bool:
    if len(row) != 1:
        return False
    cell = next(iter(row.values()))
    return cell.words and len(cell.text) <= _MAX_TITLE_LENGTH


def _part(block: Sequence[Numbered], columns: range) -> list[Numbered]:
    """The rows that have cells in some columns, with those."""
    return [(number, part) for number, row in block for part in within([row], columns)]


def _line(row: SheetRow, names: Mapping[int, str]) -> str:
    """The row on one line."""
    if len(row) == 1:
        cell = next(iter(row.values()))
        if cell.width > 1 or len(cell.text) > _MAX_MEMBER_LENGTH:
            return " ".join(cell.text.split())
    pieces = []
    for column in sorted(row):
        text, name = " ".join(row[column].text.split()), names.get(column)
        pieces.append(f"{name}: {text}" if name else text)
    return " | ".join(pieces)


class Merges:
    """Merged cells of a sheet: a value holds in each row and column that it covers.

    ``areas`` are ``(first row, first column, last row, last column)``.
    """

    def __init__(self, areas: Iterable[tuple[int, int, int, int]]) -> None:
        self._waiting = sorted(areas, reverse=True)
        self._open: dict[int, tuple[int, SheetCell]] = {}  # by column: last row, cell

    def add(self, area: tuple[int, int, int, int]) -> None:
        """Add an area that begins in the next row to be applied."""
        self._waiting.append(area)

    def apply(self, number: int, row: SheetRow) -> SheetRow:
        """The row with what reaches into it from merged cells; rows come in order."""
        while self._waiting and self._waiting[-1][0] < number:
            self._waiting.pop()
        merged = dict(row)
        self._open = {c: area for c, area in self._open.items() if area[0] >= number}
        if row:
            merged = {c: cell for c, (_, cell) in self._open.items()} | merged
        while self._waiting and self._waiting[-1][0] == number:
            _, column, last, last_column = self._waiting.pop()
            if column in row:
                cell = row[column]
                width = max(1, min(last_column - column + 1, _MAX_MERGE_WIDTH))
                wide = SheetCell(cell.text, cell.words, cell.bold, width)
                merged[column] = wide
                if last > number:
                    self._open[column] = (last, wide)
        return merged
