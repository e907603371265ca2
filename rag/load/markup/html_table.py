"""HTML tables that hold data (not those that lay out a page) as lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rag.load.table import MAX_SPAN, Cell, Row, table_lines

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_LAYOUT_CONTENT = frozenset(
    "table h1 h2 h3 h4 h5 h6 form article section nav header footer".split()
)
_MAX_CELL_LENGTH = 1000  # a cell with more words than a data cell ever has is part of a layout


def data_table_lines(table: LexborNode, words: Callable[[LexborNode], str]) -> list[str] | None:
    """Return the table's caption and rows as lines; None for a table that only lays out the page.

    ``words`` gives a cell's text on one line.
    """
    if table.attributes.get("role") in ("presentation", "none"):
        return None
    if _holds_layout(table):
        return None
    caption = ""
    rows: list[Row] = []
    head_rows = 0
    for part, row in _rows(table):
        if part == "caption":
            caption = words(row)
            continue
        cells = _cells(row, words)
        if any(len(cell.text) > _MAX_CELL_LENGTH for cell in cells):
            return None
        if cells:
            head_rows += part == "thead" and len(rows) == head_rows
            rows.append(cells)
    if head_rows == 0 and len(rows) > 1 and _is_header(rows[0]):
        head_rows = 1 + _header_rows_below(rows)
    return ([caption] if caption else []) + table_lines(rows, head_rows)


def _holds_layout(table: LexborNode) -> bool:
    todo = _elements(table)[::-1]
    while todo:
        node = todo.pop()
        if node.tag in _LAYOUT_CONTENT:
            return True
        todo.extend(reversed(_elements(node)))
    return False


def _rows(table: LexborNode) -> list[tuple[str, LexborNode]]:
    """Caption, then rows in reading order (head, bodies, foot) with the part they stand in."""
    found: dict[str, list[tuple[str, LexborNode]]] = {
        "caption": [],
        "thead": [],
        "": [],
        "tfoot": [],
    }
    for part in _elements(table):
        tag = part.tag or ""
        if tag == "caption":
            found["caption"].append((tag, part))
        elif tag == "tr":
            found[""].append(("", part))
        elif tag in ("thead", "tbody", "tfoot"):
            rows = [(tag, row) for row in _elements(part) if row.tag == "tr"]
            found[tag if tag in found else ""].extend(rows)
    return [row for rows in found.values() for row in rows]


def _cells(row: LexborNode, words: Callable[[LexborNode], str]) -> Row:
    cells = []
    for node in _elements(row):
        if node.tag in ("td", "th") and "hidden" not in node.attributes:
            colspan = _span(node.attributes.get("colspan"), MAX_SPAN)
            rowspan = _span(node.attributes.get("rowspan"), 10_000)
            cells.append(Cell(words(node), colspan, rowspan, node.tag == "th"))
    return cells


def _span(value: str | None, most: int) -> int:
    value = (value or "").strip()
    if not (value.isascii() and value.isdecimal()) or len(value) > 6:
        return 1
    return min(int(value), most) or (most if most > MAX_SPAN else 1)  # rowspan=0: to the end


def _is_header(row: Row) -> bool:
    return len(row) > 1 and all(cell.header or not cell.text for cell in row)


def _header_rows_below(rows: list[Row]) -> int:
    """Further header rows, where the cells of the first reach over several columns or rows."""
    if not any(cell.colspan > 1 for cell in rows[0]):
        return 0
    return int(len(rows) > 2 and _is_header(rows[1]))


def _elements(node: LexborNode) -> list[LexborNode]:
    elements = []
    child = node.first_child
    while child is not None:
        if child.tag and not child.tag.startswith("-"):
            elements.append(child)
        child = child.next
    return elements
