"""Walks the XML of a Word document in reading order and writes its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rag.load.builder import TextBuilder
from rag.load.office.numbering import BULLET, WordNumbering
from rag.load.table import MAX_SPAN, Cell, Row, table_lines

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
# Not shown, or shown elsewhere: the fallback of a drawing repeats its text box, deleted text and
# the source end of moved text are gone, instructions of fields are replaced by their results.
_SKIPPED = frozenset(
    "Fallback del moveFrom instrText delText pPr rPr sectPr tblPr tblGrid trPr tcPr rt "
    "separator continuationSeparator".split()
)
_BLOCKS = frozenset(("p", "tbl", "txbxContent"))
_HEADING_NAME = re.compile(r"heading (\d)$", re.IGNORECASE)


def name(element: Any) -> str:
    """Tag without its namespace; "" for comments and processing instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


class Styles:
    """Knows which paragraph styles are headings, titles and lists."""

    def __init__(self, roots: list[Any]) -> None:
        self._styles = {
            style.get(f"{_W}styleId", ""): style
            for root in roots
            for style in root
            if name(style) == "style"
        }

    def level(self, style_id: str) -> int | None:
        """Heading level from 1 to 9 of a style or of one that it is based on; a title has 1."""
        for style in self._chain(style_id):
            style_name = _value(style, "name")
            if style_name.lower() == "title":
                return 1
            if found := _HEADING_NAME.match(style_name):
                return int(found.group(1)) or None
            outline = _value(style.find(f"{_W}pPr"), "outlineLvl")
            if outline.isdecimal() and int(outline) < 9:
                return int(outline) + 1
        return None

    def is_title(self, style_id: str) -> bool:
        """Whether the style is that of the document's title."""
        return any(_value(style, "name").lower() == "title" for style in self._chain(style_id))

    def is_list(self, style_id: str) -> bool:
        """Whether paragraphs of the style are numbered or have a bullet."""
        for style in self._chain(style_id):
            properties = style.find(f"{_W}pPr")
            if properties is not None and properties.find(f"{_W}numPr") is not None:
                return True
            if _value(style, "name").lower().startswith("list"):
                return _value(style, "name").lower() != "list paragraph"
        return False

    def numbering(self, style_id: str) -> tuple[str, str]:
        """The list that paragraphs of the style are numbered in, and their level; "" if none."""
        for style in self._chain(style_id):
            properties = style.find(f"{_W}pPr")
            if properties is not None and properties.find(f"{_W}numPr") is not None:
                found = properties.find(f"{_W}numPr")
                return _value(found, "numId"), _value(found, "ilvl")
        return "", ""

    def _chain(self, style_id: str) -> Iterator[Any]:
        seen: set[str] = set()
        while style_id in self._styles and style_id not in seen:
            seen.add(style_id)
            style = self._styles[style_id]
            yield style
            style_id = _value(style, "basedOn")


class Walker:
    """Writes paragraphs, lists and tables; :attr:`title` is the first paragraph of style Title."""

    def __init__(
        self, builder: TextBuilder, styles: Styles, numbering: WordNumbering | None = None
    ) -> None:
        self.title = ""
        self._builder = builder
        self._styles = styles
        self._numbering = numbering or WordNumbering()
        self._after_list = False
        self._written: set[str] = set()

    def walk(self, element: Any, *, once: bool = False) -> None:
        """Write all blocks below ``element``; with ``once`` those that were not written yet."""
        for block in _blocks(element):
            if name(block) == "tbl":
                self._table(block)
            else:
                self._paragraph(block, once=once)

    def _paragraph(self, paragraph: Any, *, once: bool) -> None:
        text = _inline_text(paragraph).strip()
        if text and not (once and text in self._written):
            self._written.add(text)
            properties = paragraph.find(f"{_W}pPr")
            style = _value(properties, "pStyle")
            level = self._level(properties, style)
            if not self.title and self._styles.is_title(style):
                self.title = " ".join(text.split())
            marker = self._marker(properties, style)
            listed = level is None and bool(marker)
            self._builder.gap(1 if listed and self._after_list else 2)
            numbered = listed or (level is not None and marker not in ("", BULLET))
            self._builder.add(f"{marker} {text}" if numbered else text, level)
            self._after_list = listed
        for box in _text_boxes(paragraph):
            self.walk(box, once=once)

    def _level(self, properties: Any, style: str) -> int | None:
        outline = _value(properties, "outlineLvl")
        if outline.isdecimal():
            return int(outline) + 1 if int(outline) < 9 else None
        return self._styles.level(style)

    def _marker(self, properties: Any, style: str) -> str:
        """What stands before the paragraph: a number, ``-`` for a bullet, or ""."""
        found = properties.find(f"{_W}numPr") if properties is not None else None
        number, level = self._styles.numbering(style)
        if found is not None:
            number = _value(found, "numId") or number
            level = _value(found, "ilvl") or level
        if not number:
            return BULLET if self._styles.is_list(style) else ""
        if number == "0":  # takes a style's numbering away
            return ""
        depth = int(level) if level.isdecimal() and len(level) < 3 else None
        if depth is None:
            depth = self._numbering.level_of(number, style)
        return self._numbering.marker(number, depth)

    def _table(self, table: Any) -> None:
        rows = list(_within(table, "tr"))
        grid, marked = _merged(rows), _marked_headers(rows)
        if (len(grid) == 1 and len(grid[0]) == 1) or any(_holds_table(row) for row in rows):
            for row in rows:  # a frame around text, or a layout
                for cell in _within(row, "tc"):
                    self.walk(cell)
            return
        headers = marked or int(first_row_names(grid))
        self._builder.gap(2)
        self._builder.add("\n".join(table_lines(grid, headers)))
        self._after_list = False
        for box in _text_boxes(table):
            self.walk(box)


def _blocks(element: Any) -> Iterator[Any]:
    """Paragraphs and tables in order, through content controls and other wrappers."""
    for child in element:
        kind = name(child)
        if kind in ("p", "tbl"):
            yield child
        elif kind and kind not in _SKIPPED:
            yield from _blocks(child)


def _within(element: Any, wanted: str) -> Iterator[Any]:
    """The nearest elements named ``wanted``, not those of tables inside."""
    for child in element:
        kind = name(child)
        if kind == wanted:
            yield child
        elif kind and kind not in _SKIPPED and kind not in _BLOCKS:
            yield from _within(child, wanted)


def _text_boxes(element: Any) -> Iterator[Any]:
    """Text boxes anchored in a paragraph; those within other boxes come with them."""
    for child in element:
        kind = name(child)
        if kind == "txbxContent":
            yield child
        elif kind and kind not in _SKIPPED and kind != "tbl":
            yield from _text_boxes(child)


def _holds_table(row: Any) -> bool:
    return next(row.iter(f"{_W}tbl"), None) is not None


def _inline_text(element: Any) -> str:
    """The text of a paragraph without that of its text boxes."""
    pieces: list[str] = []
    for child in element:
        kind = name(child)
        if kind == "t":  # of Word or, in a formula, of Office Math
            pieces.append(child.text or "")
        elif kind in ("tab", "ptab"):
            pieces.append("\t")
        elif kind in ("br", "cr"):
            pieces.append("\n")
        elif kind == "noBreakHyphen":
            pieces.append("-")
        elif kind == "sym":
            pieces.append(_symbol(child.get(f"{_W}char", "")))
        elif kind and kind not in _SKIPPED and kind not in ("txbxContent", "tbl"):
            pieces.append(_inline_text(child))
    return "".join(pieces)


def _symbol(code: str) -> str:
    """A character of a symbol font; those in the private area have no meaning outside it."""
    try:
        character = chr(int(code, 16))
    except (ValueError, OverflowError):
        return ""
    return character if not "\ue000" <= character <= "\uf8ff" else ""


def _merged(rows: list[Any]) -> list[Row]:
    """Rows of cells with vertical merges as row spans."""
    grid: list[Row] = []
    origin: dict[int, tuple[int, int]] = {}  # column -> place of the cell that started a merge
    for line, row in enumerate(rows):
        cells: Row = []
        column = 0
        for element in _within(row, "tc"):
            properties = element.find(f"{_W}tcPr")
            span = _value(properties, "gridSpan")
            width = min(int(span), MAX_SPAN) if span.isdecimal() and len(span) < 6 else 1
            merge = properties.find(f"{_W}vMerge") if properties is not None else None
            if merge is not None and merge.get(f"{_W}val") != "restart" and column in origin:
                above, place = origin[column]
                start = grid[above][place]
                grid[above][place] = Cell(start.text, start.colspan, line - above + 1)
            else:
                origin.pop(column, None)
                if merge is not None:
                    origin[column] = (line, len(cells))
                cells.append(Cell(_cell_text(element), max(width, 1)))
            column += width
        grid.append(cells)
    return grid


def _cell_text(cell: Any) -> str:
    return " ".join(" ".join(_inline_text(p) for p in _blocks(cell) if name(p) == "p").split())


def _marked_headers(rows: list[Any]) -> int:
    """How many rows at the top are marked to be repeated on each page."""
    count = 0
    for row in rows[:-1]:
        properties = row.find(f"{_W}trPr")
        if properties is None or properties.find(f"{_W}tblHeader") is None:
            break
        count += 1
    return count


def first_row_names(grid: list[Row]) -> bool:
    """Whether an unmarked first row reads like headers: short, distinct names without digits.

    In a table of two columns they must differ in kind from what stands below them: there the first
    row may as well be one more pair of name and value.
    """
    if len(grid) < 2 or len(grid[0]) < 2:
        return False
    names = [cell.text for cell in grid[0]]
    if len(set(names)) < len(names) or any(len(n) > 60 or re.search(r"\d", n) for n in names):
        return False
    if not all(names[1:]):
        return False
    below = [row[1].text for row in grid[1:] if len(row) > 1]
    return len(names) > 2 or (bool(below) and all(re.search(r"\d", text) for text in below))


def _value(parent: Any, child: str) -> str:
    """``w:val`` of a child element; "" where either is missing."""
    found = parent.find(f"{_W}{child}") if parent is not None else None
    return found.get(f"{_W}val", "") if found is not None else ""
