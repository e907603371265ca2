"""Which rows of a sheet name its columns. Pure: from cells to a :class:`Layout`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rag.load.table import Cell, column_name

_LOOKED_AT = 50  # rows whose kinds of values are compared with the header
_MAX_PREAMBLE = 15  # rows of titles and remarks above a header
_MAX_NAME_LENGTH = 200
_MAX_PLAIN_NAME_LENGTH = 60
_PERIOD = re.compile(r"(19|20)\d\d([-/.]\d\d?([-/.]\d\d?)?)?")


@dataclass(frozen=True, slots=True)
class SheetCell:
    """A cell as it is shown. ``words`` is False for numbers, dates and truth values.

    ``width`` is the number of columns that it is merged over.
    """

    text: str
    words: bool = True
    bold: bool = False
    width: int = 1


SheetRow = dict[int, SheetCell]
"""The cells of a row that are not empty, by column from 0."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a table's header is: ``rows[first:first + count]``; ``names`` by column.

    ``strong`` means that what stands below differs from the header in kind or in look.
    """

    first: int
    count: int
    names: Mapping[int, str]
    strong: bool


def find_header(rows: Sequence[SheetRow], *, trusted: bool = False) -> Layout | None:
    """The header of a block of rows; None if none reads like one.

    ``trusted`` is for files whose first row names the columns as a rule: then names may hold
    digits, and a table of two columns of words has a header too.
    """
    full = _usual_width(rows)
    for first, row in enumerate(rows[:_MAX_PREAMBLE]):
        if len(row) < 2 or _covered(row) < max(2.0, full / 2):
            continue
        count = 2 if _is_upper_level(row) and first + 2 < len(rows) else 1
        names = rows[first + count - 1]
        if count == 2 and (len(names) < len(row) or not _reads_as_names(names)):
            count, names = 1, row
        below = rows[first + count : first + count + _LOOKED_AT]
        if not below or not _reads_as_names(names):
            return None
        strong = _differs(names, below)
        if not strong and not trusted and not (count == 2 or _plainly_names(names)):
            return None
        return Layout(first, count, _names(rows[first : first + count]), strong)
    return None


def _usual_width(rows: Sequence[SheetRow]) -> float:
    widths = [len(row) for row in rows[:_LOOKED_AT] if len(row) > 1]
    return median(widths) if widths else 0.0


def _covered(row: SheetRow) -> int:
    return sum(cell.width for cell in row.values())


def _is_upper_level(row: SheetRow) -> bool:
    return any(cell.width > 1 for cell in row.values()) and all(
        cell.words or _PERIOD.fullmatch(cell.text) for cell in row.values()
    )


def _reads_as_names(row: SheetRow) -> bool:
    """Whether all cells are names: words, or years and days in a row that begins with a word."""
    cells = [row[column] for column in sorted(row)]
    if any(len(cell.text) > _MAX_NAME_LENGTH for cell in cells):
        return False
    if _distinct(row) * 2 < len(row):
        return False
    periods = sum(not cell.words for cell in cells)
    if any(not cell.words and not _PERIOD.fullmatch(cell.text) for cell in cells):
        return False
    return periods == 0 or cells[0].words or periods == len(cells)


def _differs(names: SheetRow, below: Sequence[SheetRow]) -> bool:
    """Whether the rows below hold other kinds of values than the names, or look otherwise."""
    if all(cell.bold for cell in names.values()) and not all(c.bold for c in below[0].values()):
        return True
    for column, name in names.items():
        values = [row[column] for row in below if column in row]
        if not values or (not name.words and any(_PERIOD.fullmatch(v.text) for v in values)):
            continue
        others = sum(not value.words for value in values)
        # Of two columns the first row may as well be one more pair of name and value.
        if others == len(values) or (others * 2 > len(values) and len(names) > 2):
            return True
    return False


def _plainly_names(row: SheetRow) -> bool:
    """Whether a row above others of the same kind reads like names all the same."""
    if len(row) < 3 or _distinct(row) < len(row):
        return False
    return not any(
        len(cell.text) > _MAX_PLAIN_NAME_LENGTH or re.search(r"\d", cell.text)
        for cell in row.values()
    )


def _distinct(row: SheetRow) -> int:
    return len({cell.text.casefold() for cell in row.values()})


def _names(levels: Sequence[SheetRow]) -> dict[int, str]:
    columns = max(max(row, default=0) + _reach(row) for row in levels)
    grid = [_spread(row, columns) for row in levels]
    found = {column: column_name(grid, column) for column in range(columns)}
    return {column: name for column, name in found.items() if name}


def _reach(row: SheetRow) -> int:
    return row[max(row)].width if row else 0


def _spread(row: SheetRow, columns: int) -> list[Cell]:
    """The row as a list, a merged cell in every column that it covers."""
    line = [Cell("")] * columns
    for column, cell in row.items():
        for covered in range(column, min(column + cell.width, columns)):
            line[covered] = Cell(" ".join(cell.text.split()))
    return line


def side_by_side(rows: Sequence[SheetRow]) -> list[range]:
    """Column ranges of tables that stand next to each other; empty where there is one table.

    A blank column may also be a gap within a table, so each part must have a header of its own.
    """
    groups = _runs({column for row in rows for column in row})
    if len(groups) < 2 or any(len(group) < 2 for group in groups):
        return []
    for group in groups:
        layout = find_header(list(within(rows, group)))
        if layout is None or not layout.strong:
            return []
    return groups


def within(rows: Sequence[SheetRow], columns: range) -> Iterable[SheetRow]:
    """The rows with the cells of some columns; those that have none are left out."""
    for row in rows:
        part = {column: cell for column, cell in row.items() if column in columns}
        if part:
            yield part


def _runs(columns: set[int]) -> list[range]:
    runs: list[range] = []
    for column in sorted(columns):
        if runs and runs[-1].stop == column:
            runs[-1] = range(runs[-1].start, column + 1)
        else:
            runs.append(range(column, column + 1))
    return runs
