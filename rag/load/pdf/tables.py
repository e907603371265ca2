"""Tables of a PDF page -> lines in which each value carries its header.

A wrong table is worse than plain lines: what does not look like a table in every respect stays
as it is. Ruled tables are found by their borders, others by columns that are plainly aligned
under a row of headers that is set off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from rag.load.pdf.geometry import Box
from rag.load.pdf.grid import Grid, find_grids
from rag.load.pdf.paragraphs import Block, make_blocks
from rag.load.pdf.rules import Drawing
from rag.load.pdf.text import HYPHEN, Line, Word, line_of
from rag.load.table import Cell, Name, Row, table_pieces
from rag.load.traced import MappedText, joined

Style = Callable[[int], Hashable]
"""What a character looks like, by its place: something to compare."""

_MAX_CELL_LENGTH = 1000  # characters; a cell with more is part of a layout
_MIN_FILLED = 0.3  # share of the cells that hold words
_ALIKE = 0.2  # share of the values that may look like headers
_MISFITS = 0.02  # share of the words that may cross a border
_NUMBER = re.compile(r"[\d.,:/%()+\-−–—\s$€£¥]*\d[\d.,:/%()+\-−–—\s$€£¥]*[^\W\d_]{0,3}[%)]?")


@dataclass(frozen=True, slots=True)
class Table:
    """A table in the place of its lines."""

    block: Block
    words: tuple[Word, ...] = ()
    turn: int = 0
    in_columns: bool = True

    @property
    def box(self) -> Box:
        """What the table covers."""
        return self.block.box

    @property
    def text(self) -> str:
        """The table's lines."""
        return self.block.text.text


@dataclass(frozen=True, slots=True)
class Filled:
    """A cell's words, how far it reaches, and the look of its first character."""

    text: MappedText
    row: int
    rows: int = 1
    column: int = 0
    columns: int = 1
    style: Hashable = None
    box: Box = field(default_factory=lambda: Box(0, 0, 0, 0))


def ruled_tables(lines: Sequence[Line], drawing: Drawing, style: Style) -> list[Line | Table]:
    """``lines``, with each ruled table in the place of the first line that has words in it."""
    items: list[Line | Table] = list(lines)
    for grid in find_grids(drawing):
        items = _with_grid(items, grid, drawing, style)
    return items


def _with_grid(
    items: list[Line | Table], grid: Grid, drawing: Drawing, style: Style
) -> list[Line | Table]:
    area = grid.box
    rest: list[Line | Table] = []
    inside: list[Line] = []
    first = -1
    for item in items:
        words = [word for word in item.words if _is_inside(word.box, area)]
        if not words:
            rest.append(item)
            continue
        first = len(rest) if first < 0 else first
        inside.append(line_of(words, item.turn))
        if others := [word for word in item.words if not _is_inside(word.box, area)]:
            rest.append(line_of(others, item.turn))
    cells = _fill(inside, grid, style)
    if cells is None:
        return items
    rest.insert(first, table_of(cells, _header_rows(cells, drawing), area))
    return rest


def _is_inside(box: Box, area: Box) -> bool:
    x, y = (box.left + box.right) / 2, (box.bottom + box.top) / 2
    return area.left <= x <= area.right and area.bottom <= y <= area.top


def _fill(lines: Sequence[Line], grid: Grid, style: Style) -> list[Filled] | None:
    """The grid's cells with their words; None where they do not make a table."""
    owner = {
        (row, column): index
        for index, cell in enumerate(grid.cells)
        for row in range(cell.row, cell.row + cell.rows)
        for column in range(cell.column, cell.column + cell.columns)
    }
    parts: dict[int, list[Line]] = {}
    misfits = count = 0
    for line in lines:
        words: dict[int, list[Word]] = {}
        for word in line.words:
            index = owner[_place(grid, word.box)]
            box = grid.box_of(grid.cells[index])
            slack = 0.3 * word.box.height
            misfits += word.box.left < box.left - slack or word.box.right > box.right + slack
            count += 1
            words.setdefault(index, []).append(word)
        for index, some in words.items():
            parts.setdefault(index, []).append(line_of(some, line.turn))
    if misfits > _MISFITS * count or _is_unruled_inside(parts):
        return None
    filled = []
    for index, cell in enumerate(grid.cells):
        text = _cell_text(parts.get(index, []))
        look = style(text.origins[0]) if text.text else None
        box = grid.box_of(cell)
        filled.append(Filled(text, cell.row, cell.rows, cell.column, cell.columns, look, box))
    return filled if _is_table(filled) else None


def _place(grid: Grid, box: Box) -> tuple[int, int]:
    """Row and column of the middle of a box that lies in the grid."""
    x, y = (box.left + box.right) / 2, (box.bottom + box.top) / 2
    row = sum(y < border for border in grid.ys[1:-1])
    column = sum(x > border for border in grid.xs[1:-1])
    return row, column


def _is_unruled_inside(parts: dict[int, list[Line]]) -> bool:
    """Whether cells hold lists of short lines: rows of a table that no rules part."""
    long = [lines for lines in parts.values() if len(lines) > 2]
    if len(long) < 2:
        return False
    blocks = [block.text.text for lines in long for block in make_blocks(lines)]
    return sum(text.count("\n") + 1 for text in blocks) > 0.6 * sum(map(len, long))


def _cell_text(lines: Sequence[Line]) -> MappedText:
    """The words of a cell on one line."""
    pieces: list[MappedText | str] = []
    for block in make_blocks(lines):
        pieces += [" ", block.text] if pieces else [block.text]
    text = joined(pieces)
    return MappedText(text.text.replace("\n", " ").replace(HYPHEN, "-"), text.origins)


def _is_table(cells: Sequence[Filled]) -> bool:
    """Whether cells hold data: enough of them are filled, in rows and in columns, and none long."""
    filled = [cell for cell in cells if cell.text.text]
    by_row: dict[int, int] = {}
    for cell in filled:
        by_row[cell.row] = by_row.get(cell.row, 0) + 1
    return (
        len(filled) >= max(4, _MIN_FILLED * len(cells))
        and sum(count > 1 for count in by_row.values()) > 1
        and len({cell.column for cell in filled}) > 1
        and max(len(cell.text.text) for cell in filled) <= _MAX_CELL_LENGTH
    )


def table_of(cells: Sequence[Filled], headers: int, box: Box) -> Table:
    """The table of these cells, row by row, whose first ``headers`` rows name the columns."""
    cornered = headers > 0 and not next(c for c in cells if (c.row, c.column) == (0, 0)).text.text
    texts: dict[int, MappedText] = {}
    rows: list[Row] = [[] for _ in range(max(cell.row + cell.rows for cell in cells))]
    for cell in cells:
        named = cornered and cell.column == 0 and cell.row >= headers
        entry = Cell(cell.text.text, cell.columns, cell.rows, named)
        texts[id(entry)] = cell.text
        rows[cell.row].append(entry)
    return Table(_as_block(rows, headers, texts, box))


def _as_block(rows: list[Row], headers: int, texts: dict[int, MappedText], box: Box) -> Block:
    lines: list[MappedText | str] = []
    for line in table_pieces(rows, headers):
        lines += ["\n"] if lines else []
        for piece in line:
            if isinstance(piece, str):
                lines.append(piece)
            elif isinstance(piece, Name):
                lines.append(texts[id(piece.cell)][: len(piece.text)])
            else:
                lines.append(texts[id(piece)])
    return Block(joined(lines), box, 0.0, len(rows))


def _header_rows(cells: Sequence[Filled], drawing: Drawing) -> int:
    """How many rows at the top are plainly headers: 0, 1, or 2 if the first one's cells span."""
    for count in (2, 1):
        head = [cell for cell in cells if cell.row < count]
        body = [cell for cell in cells if cell.row >= count]
        spans = any(cell.columns > 1 for cell in head) or any(cell.rows > 1 for cell in head)
        if any(cell.row + cell.rows > count for cell in head) or (count == 2 and not spans):
            continue
        if is_set_off(head, body, drawing):
            return count
    return 0


def is_set_off(
    head: Sequence[Filled], body: Sequence[Filled], drawing: Drawing, underlined: bool = False
) -> bool:
    """Tell whether the cells of ``head`` are plainly the headers of those of ``body``.

    They have another font or colour, or another background, or stand above columns of numbers;
    or they are the only ones that are ``underlined``.
    """
    named = [cell for cell in head if cell.text.text]
    values = [cell for cell in body if cell.text.text]
    if len(named) < 2 or not values:
        return False
    covered = {c for cell in named for c in range(cell.column, cell.column + cell.columns)}
    used = {cell.column for cell in values if cell.column}
    if not used <= covered:
        return False
    if underlined:
        return True
    if len({cell.row for cell in values}) < 2 and len(covered) < 3:
        return False
    return (
        _is_unlike(named, values)
        or _is_coloured(named, values, drawing)
        or _is_above_numbers(named, values)
    )


def _is_unlike(head: Sequence[Filled], body: Sequence[Filled]) -> bool:
    """Whether the headers look all alike, and hardly any value looks like them."""
    looks = {cell.style for cell in head}
    others = [cell.style in looks for cell in body if cell.column]
    return len(looks) == 1 and bool(others) and sum(others) < _ALIKE * len(others)


def _is_number(cell: Filled) -> bool:
    return bool(_NUMBER.fullmatch(cell.text.text))


def _is_coloured(head: Sequence[Filled], body: Sequence[Filled], drawing: Drawing) -> bool:
    """Whether the headers have a background that the body has not."""
    behind = {_background(cell, drawing) for cell in head}
    if len(behind) > 1 or None in behind:
        return False
    return not behind & {_background(cell, drawing) for cell in body}


def _background(cell: Filled, drawing: Drawing) -> tuple[int, ...] | None:
    found = None
    for fill in drawing.fills:
        if _is_inside(cell.box, fill.box) and fill.box.height < 2 * cell.box.height:
            found = fill.colour  # what is drawn last covers the others
    return found


def _is_above_numbers(head: Sequence[Filled], body: Sequence[Filled]) -> bool:
    """Whether words stand above columns of numbers, in a table of several columns."""
    columns = {column for cell in head for column in range(cell.column, cell.column + cell.columns)}
    if any(_is_number(cell) for cell in head):
        return False
    numbers = 0
    for column in columns - {0}:
        values = [_is_number(cell) for cell in body if cell.column == column]
        numbers += len(values) > 1 and sum(values) > 0.8 * len(values)
    return len(columns) > 2 and numbers > 0
