"""Tables as lines: each row a line of its own that carries its headers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_SPAN = 100
"""A cell that claims to span more columns than this spans so many: such a claim is a mistake."""

_MAX_WIDTH = 64  # columns up to which spans count; keeps a hostile table from filling the memory


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's words, how far it reaches, and whether it is marked as a header."""

    text: str
    colspan: int = 1
    rowspan: int = 1
    header: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """A header cell where it names a value: its words without a colon at their end."""

    cell: Cell

    @property
    def text(self) -> str:
        """What is written before the value."""
        return self.cell.text.rstrip(":")


Row = list[Cell]
Piece = Name | Cell | str
"""A part of a line: a header, a value, or what stands between them."""


def table_lines(rows: list[Row], header_rows: int) -> list[str]:
    """One line for each body row: ``Header: value | Header: value``.

    The first ``header_rows`` rows are the headers; with 0 the values stand alone. A cell over
    several rows is repeated in each, one over several columns is written once. A header cell at
    the start of a body row names the row. Without body rows the headers are written as a row.
    """
    return [
        "".join(piece if isinstance(piece, str) else piece.text for piece in line)
        for line in table_pieces(rows, header_rows)
    ]


def table_pieces(rows: list[Row], header_rows: int) -> list[list[Piece]]:
    """The lines of :func:`table_lines` in pieces that tell which cell each was taken from."""
    grid = _grid(rows)
    headers, body = grid[:header_rows], grid[header_rows:]
    if not any(cell.text for row in body for cell in row):
        headers, body = [], grid
    width = max((len(row) for row in grid), default=0)
    names = [_names(headers, column) for column in range(width)]
    return [line for row in body if (line := _line(row, names))]


def _grid(rows: list[Row]) -> list[Row]:
    """The rows with every cell put into all the places that it covers."""
    grid: list[Row] = []
    hanging: dict[int, tuple[Cell, int]] = {}  # column -> cell from above, rows it still covers
    for row in rows:
        line: Row = []
        below: dict[int, tuple[Cell, int]] = {}
        waiting = list(reversed(row))
        last_hanging = max(hanging, default=-1)
        while waiting or len(line) <= last_hanging:
            column = len(line)
            if column in hanging:
                cell, left = hanging[column]
                line.append(cell)
                if left > 1:
                    below[column] = (cell, left - 1)
                continue
            cell = waiting.pop() if waiting else Cell("")
            room = max(1, min(cell.colspan, _MAX_WIDTH - column))
            line.extend([cell] * room)
            if cell.rowspan > 1 and column < _MAX_WIDTH:
                below.update((column + i, (cell, cell.rowspan - 1)) for i in range(room))
        grid.append(line)
        hanging = below
    return grid


def column_name(headers: list[Row], column: int) -> str:
    """Return the header over ``column``; of several levels those that differ, outermost first."""
    return " / ".join(name.text for name in _names(headers, column))


def _names(headers: list[Row], column: int) -> list[Name]:
    names: list[Name] = []
    for row in headers:
        if column < len(row):
            name = Name(row[column])
            if name.text and name.text not in [other.text for other in names]:
                names.append(name)
    return names


def _line(row: Row, names: list[list[Name]]) -> list[Piece]:
    """A body row in pieces; none for one without words."""
    values: list[list[Piece]] = []
    row_name = None
    if len(row) > 1 and row[0].header and not all(cell.header for cell in row) and not names[0]:
        row_name = Name(row[0])
    previous: Cell | None = None
    for column, cell in enumerate(row):
        if cell is previous or not cell.text or (row_name and column == 0):
            continue
        previous = cell
        spans_all = column == 0 and all(other is cell for other in row)
        named = bool(names[column]) and not spans_all
        values.append([*_between(names[column], " / "), ": ", cell] if named else [cell])
    line: list[Piece] = []
    for value in values:
        line += [" | ", *value] if line else value
    if row_name is None or not row_name.text:
        return line
    if not line:
        return [row_name]
    return [row_name, " | " if any(names) else ": ", *line]


def _between(pieces: Sequence[Piece], separator: str) -> list[Piece]:
    """``pieces`` with ``separator`` between two of them."""
    return [part for piece in pieces for part in (separator, piece)][1:]
