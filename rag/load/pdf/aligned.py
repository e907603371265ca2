"""Tables without borders, found by their columns: lines whose words stand in line below headers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from rag.load.pdf.geometry import Box, around, shared
from rag.load.pdf.rules import Drawing
from rag.load.pdf.tables import Filled, Style, Table, is_set_off, table_of
from rag.load.pdf.text import HYPHEN, Line, Word
from rag.load.traced import MappedText, joined

_CELL_GAP = 1.0  # in heights of the font; the words of a cell stand closer
_ROW_GAP = 2.0  # in heights of the font; the rows of a table follow each other closer
_MIN_ROWS = 2  # below the headers
_MAX_HEADERS = 3  # rows of headers
_MIN_FILLED = 0.5  # share of the places that hold words
_RULE_WIDTH = 0.75  # share of the table's width that a rule below its headers covers
_HEADER_STEP = 2.0  # rows' steps; headers with a rule below them stand no further away
_HEAD_STEP = 1.5  # rows' steps; a running head stands further away
_HEAD = 0.12  # share of the page's height at its top in which it stands
_MAX_DOTS = 8  # in a row, on average

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Row:
    """Lines beside each other, cut where their words stand far apart."""

    cells: tuple[tuple[Word, ...], ...]
    box: Box
    first: int  # of the items it is made of
    last: int


def aligned_tables(
    items: Sequence[Line | Table], drawing: Drawing, style: Style, paper: Box
) -> list[Line | Table]:
    """Return ``items`` in reading order, with each aligned table in the place of its lines.

    ``paper`` is the page's box: what stands apart at its top is a running head, not headers.
    """
    found: list[Line | Table] = []
    done = 0
    for run in _runs(_rows(items)):
        at_top = run[0].box.bottom > paper.top - _HEAD * paper.height
        rows = run[1:] if at_top and _header_step(run, 1) > _HEAD_STEP else run
        table = _table(rows, drawing, style)
        if table is not None:
            found += items[done : rows[0].first]
            found.append(table)
            done = rows[-1].last + 1
    return [*found, *items[done:]]


def _rows(items: Sequence[Line | Table]) -> list[_Row | None]:
    """The lines as rows; None for what cannot be a row."""
    rows: list[_Row | None] = []
    for index, item in enumerate(items):
        if isinstance(item, Table):
            rows.append(None)
            continue
        before = rows[-1] if rows else None
        cells = tuple(_cells(item))
        if before and _is_beside(before.box, item.box):
            box = around((before.box, item.box))
            rows[-1] = _Row(before.cells + cells, box, before.first, index)
        else:
            rows.append(_Row(cells, item.box, index, index))
    return rows


def _is_beside(box: Box, following: Box) -> bool:
    level = shared(box.bottom, box.top, following.bottom, following.top) > 0.7
    return level and following.left > box.right


def _cells(line: Line) -> list[tuple[Word, ...]]:
    cells: list[list[Word]] = []
    for word in line.words:
        if cells and word.box.left - cells[-1][-1].box.right < _CELL_GAP * line.box.height:
            cells[-1].append(word)
        else:
            cells.append([word])
    return [tuple(cell) for cell in cells]


def _runs(rows: Sequence[_Row | None]) -> list[list[_Row]]:
    """Rows of several cells that follow each other, with the second lines of their cells."""
    runs: list[list[_Row]] = [[]]
    for row in rows:
        previous = runs[-1][-1] if runs[-1] else None
        if row is None or (previous and not _is_next(previous.box, row.box)):
            runs.append([])
            previous = None
        if row is not None and (len(row.cells) > 1 or (previous and _goes_on(runs[-1], row))):
            runs[-1].append(row)
        else:
            runs.append([])
    return [run for run in runs if len(run) > _MIN_ROWS]


def _is_next(upper: Box, lower: Box) -> bool:
    gap = upper.bottom - lower.top
    return -0.5 * lower.height < gap < _ROW_GAP * lower.height


def _goes_on(run: Sequence[_Row], row: _Row) -> bool:
    """Whether a lone cell is the second line of one above it that is not in the first column."""
    above = run[-1]
    (cell,) = row.cells
    start = cell[0].box.left
    return above.box.bottom - row.box.top < 0.5 * row.box.height and any(
        abs(start - other[0].box.left) < 0.3 * row.box.height for other in above.cells[1:]
    )


def _table(rows: Sequence[_Row], drawing: Drawing, style: Style) -> Table | None:
    ruled = _underlined(rows, drawing)
    count = ruled or 1
    if (
        len(rows) - count < _MIN_ROWS
        or _header_step(rows, count) > _HEADER_STEP
        or _has_leaders(rows)
    ):
        return None
    columns = _columns(rows[count:])
    values = _body(rows[count:], columns, count, style)
    if len(columns) < 2 or values is None:
        return None
    head = _head(rows[:count], columns, style)
    if head is None or not is_set_off(head, values, drawing, underlined=ruled > 0):
        return None
    return table_of([*head, *values], count, around(row.box for row in rows))


def _header_step(rows: Sequence[_Row], count: int) -> float:
    """How far the headers are from the rows below them, in steps between those."""
    steps = [a.box.bottom - b.box.bottom for a, b in pairwise(rows)]
    return steps[count - 1] / max(median(steps[count:]), 1.0) if steps[count:] else 0.0


def _has_leaders(rows: Sequence[_Row]) -> bool:
    """Whether rows are those of a list of contents: dots lead to the page's number."""
    dots = (word.text.text.count(".") for row in rows for cell in row.cells for word in cell)
    return sum(dots) > _MAX_DOTS * len(rows)


def _underlined(rows: Sequence[_Row], drawing: Drawing) -> int:
    """How many rows stand above the only rule between rows; 0 if there is none, or are several."""
    box = around(row.box for row in rows)
    places = {
        sum((row.box.bottom + row.box.top) / 2 > rule.at for row in rows)
        for rule in drawing.across
        if box.bottom < rule.at < box.top
        and rule.high - rule.low > _RULE_WIDTH * box.width
        and shared(rule.low, rule.high, box.left, box.right) > _RULE_WIDTH
    }
    return places.pop() if len(places) == 1 and max(places) <= _MAX_HEADERS else 0


def _columns(rows: Sequence[_Row]) -> list[Span]:
    """What the cells of all rows cover, from the left."""
    spans = sorted((c[0].box.left, c[-1].box.right) for row in rows for c in row.cells)
    columns: list[Span] = []
    for left, right in spans:
        if columns and left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns


def _body(
    rows: Sequence[_Row], columns: Sequence[Span], first: int, style: Style
) -> list[Filled] | None:
    """The cells below the headers; None where two stand in one place, or too few at all."""
    grid: list[list[list[Word]]] = []
    for row in rows:
        line: list[list[Word]] = [[] for _ in columns]
        for cell in row.cells:
            column = sum(cell[0].box.left >= left for left, _ in columns) - 1
            if line[column]:
                return None
            line[column] = list(cell)
        if len(row.cells) == 1:  # the second line of a cell
            if not grid:
                return None
            column = next(index for index, words in enumerate(line) if words)
            grid[-1][column] += line[column]
        else:
            grid.append(line)
    filled = sum(bool(words) for line in grid for words in line)
    if len(grid) < _MIN_ROWS or filled < _MIN_FILLED * len(grid) * len(columns):
        return None
    return [
        _filled(words, first + row, column, 1, style)
        for row, line in enumerate(grid)
        for column, words in enumerate(line)
    ]


def _head(rows: Sequence[_Row], columns: Sequence[Span], style: Style) -> list[Filled] | None:
    """The cells of the headers, over the columns that they cover; None where two overlap."""
    edges = [(a[1] + b[0]) / 2 for a, b in pairwise(columns)]
    cells: list[Filled] = []
    for number, row in enumerate(rows):
        free = 0
        for words in row.cells:
            left, right = words[0].box.left, words[-1].box.right
            middle = sum((left + right) / 2 > edge for edge in edges)
            over = [i for i, (a, b) in enumerate(columns) if min(b, right) - max(a, left) > 0]
            low, high = min([middle, *over]), max([middle, *over])
            if low < free:
                return None
            cells += [_filled([], number, column, 1, style) for column in range(free, low)]
            cells.append(_filled(list(words), number, low, high - low + 1, style))
            free = high + 1
        cells += [_filled([], number, column, 1, style) for column in range(free, len(columns))]
    return cells if any(cell.columns > 1 for cell in cells) else _stacked(cells, len(columns))


def _stacked(cells: Sequence[Filled], columns: int) -> list[Filled]:
    """Headers of several lines as one row; the rows below it are empty."""
    stacked = []
    for column in range(columns):
        parts = [cell for cell in cells if cell.column == column]
        filled = [part for part in parts if part.text.text]
        pieces: list[MappedText | str] = []
        for part in filled:
            pieces += [" ", part.text] if pieces else [part.text]
        style = filled[0].style if filled else None
        box = around(part.box for part in filled or parts)
        stacked.append(Filled(joined(pieces), 0, len(parts), column, 1, style, box))
    return stacked


def _filled(words: list[Word], row: int, column: int, columns: int, style: Style) -> Filled:
    pieces: list[MappedText | str] = []
    for word in words:
        pieces += [" ", word.text] if pieces else [word.text]
    text = joined(pieces)
    text = MappedText(text.text.replace(HYPHEN, "-"), text.origins)
    look: Hashable = style(text.origins[0]) if words else None
    box = around(word.box for word in words) if words else Box(0, 0, 0, 0)
    return Filled(text, row, 1, column, columns, look, box)
