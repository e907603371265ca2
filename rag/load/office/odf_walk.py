"""Walks the XML of OpenDocument texts and presentations in reading order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.load.builder import TextBuilder
from rag.load.office.numbering import counted
from rag.load.office.slides import Deck, write_notes
from rag.load.package import local_name
from rag.load.table import MAX_SPAN, Cell, Row, table_lines
from rag.types import Document

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_PRESENTATION = "{urn:oasis:names:tc:opendocument:xmlns:presentation:1.0}"

# Not shown, or shown elsewhere: comments, deleted text, what generates an index, ruby, forms.
_SKIPPED = frozenset(
    "tracked-changes annotation annotation-end notes note ruby-text forms sequence-decls "
    "variable-decls user-field-decls dde-connection-decls table-of-content-source "
    "illustration-index-source table-index-source object-index-source user-index-source "
    "alphabetical-index-source bibliography-source settings scripts event-listeners title "
    "hidden-text hidden-paragraph page-number binary-data".split()
)
_MAX_BLANKS = 200
_MAX_REPEATED = 64


class Styles:
    """Knows which styles are hidden or that of a title."""

    def __init__(self, roots: list[Any]) -> None:
        self.hidden: set[str] = set()
        self._parents: dict[str, str] = {}
        self._masters: list[Any] = []
        self._lists: dict[str, dict[str, Any]] = {}
        for root in roots:
            for style in root.iter(f"{_STYLE}style"):
                name = style.get(f"{_STYLE}name", "")
                self._parents[name] = style.get(f"{_STYLE}parent-style-name", "")
                for properties in style.iter(f"{_STYLE}text-properties"):
                    if properties.get(f"{_TEXT}display") == "none":
                        self.hidden.add(name)
            for style in root.iter(f"{_TEXT}list-style"):
                levels = {e.get(f"{_TEXT}level", ""): e for e in style}
                self._lists[style.get(f"{_STYLE}name", "")] = levels
            self._masters += root.iter(f"{_STYLE}master-page")

    def is_title(self, name: str) -> bool:
        """Whether a paragraph style is that of the document's title, or made from it."""
        for _ in range(20):
            if name == "Title":
                return True
            name = self._parents.get(name, "")
        return False

    def marker(self, name: str, level: int, number: int) -> str:
        """What stands before the item of a list: ``-`` for a bullet, ``b)`` for a number."""
        style = self._lists.get(name, {}).get(str(level))
        kind = style.get(f"{_STYLE}num-format", "") if style is not None else ""
        if style is None or not kind:
            return "-"
        start = style.get(f"{_TEXT}start-value", "1")
        number += int(start) - 1 if start.isdecimal() and len(start) < 7 else 0
        before, after = style.get(f"{_STYLE}num-prefix", ""), style.get(f"{_STYLE}num-suffix", "")
        return f"{before}{counted(number, kind)}{after}"

    def headers_and_footers(self) -> Iterator[Any]:
        """Those of every kind of page."""
        for master in self._masters:
            for part in master:
                if local_name(part).startswith(("header", "footer")):
                    yield part


def write_text(body: Any, styles: Styles, source: str, title: str) -> Document:
    """A text document: body, then notes, then what the headers and footers say, once."""
    builder = TextBuilder()
    walker = Walker(builder, styles)
    walker.walk(body)
    walker.write_notes()
    for part in styles.headers_and_footers():
        walker.walk(part, once=True)
    text, headings = builder.text(), tuple(builder.headings)
    title = title or walker.title
    if not title:
        title = next((text[h.start : h.end] for h in headings if h.level == 1), "")
    return Document(source, text, title, headings=headings)


def write_presentation(
    body: Any, styles: Styles, source: str, title: str, *, are_slides: bool
) -> Document:
    """A presentation or a drawing, page by page."""
    deck = Deck()
    footers: set[str] = set()
    for page in body.iter(f"{_DRAW}page"):
        deck.begin()
        walker = Walker(deck.builder, styles)
        shapes = [
            (shape, shape.get(f"{_PRESENTATION}class", ""))
            for shape in page
            if local_name(shape) not in ("", "notes")
        ]
        for shape, kind in shapes:
            if kind == "title":
                deck.builder.gap(2)
                words = " ".join(" ".join(_inline(p) for p in _paragraphs(shape)).split())
                deck.builder.add(words, 1)
        for shape, kind in shapes:
            if kind in ("footer", "header"):
                text = "\n".join(_inline(p) for p in _paragraphs(shape))
                if text in footers:
                    continue
                footers.add(text)
            if kind not in ("title", "page-number", "date-time"):
                deck.builder.gap(2)
                walker.walk(shape)
        for notes in page.iter(f"{_PRESENTATION}notes"):
            write_notes(deck.builder, "\n".join(_inline(p) for p in _paragraphs(notes)))
    document = deck.document(source, title)
    if are_slides:
        return document
    return Document(source, document.text, document.title, document.pages, document.headings)


class Walker:
    """Writes paragraphs, lists and tables; :attr:`title` is the first paragraph of style Title."""

    def __init__(self, builder: TextBuilder, styles: Styles) -> None:
        self.title = ""
        self._builder = builder
        self._styles = styles
        self._notes: list[Any] = []
        self._written: set[str] = set()
        self._after_list = False
        self._open_lists: list[str] = []  # the style of each
        self._counts: dict[tuple[str, int], int] = {}  # the last number, by style and level

    def walk(self, element: Any, *, marker: str = "", once: bool = False) -> None:
        """Write all blocks below ``element``; with ``once`` those that were not written yet.

        The first paragraph gets the ``marker`` of an item of a list.
        """
        listed = bool(marker)
        for child in element:
            kind = local_name(child)
            if kind in ("p", "h"):
                self._paragraph(child, listed=listed, marker=marker, once=once)
                marker = ""
            elif kind == "table":
                self._table(child)
            elif kind == "list":
                self._list(child, once=once)
            elif kind and kind not in _SKIPPED:
                self.walk(child, once=once)

    def _list(self, element: Any, *, once: bool) -> None:
        outer = self._open_lists[-1] if self._open_lists else ""
        style = element.get(f"{_TEXT}style-name") or outer
        self._open_lists.append(style)
        level = len(self._open_lists)
        number = 0
        if element.get(f"{_TEXT}continue-numbering") == "true" or element.get(
            f"{_TEXT}continue-list"
        ):
            number = self._counts.get((style, level), 0)
        for item in element:
            kind = local_name(item)
            if kind == "list-item" and any(local_name(e) in ("p", "h") for e in item):
                number += 1
                self.walk(item, marker=self._styles.marker(style, level, number), once=once)
            elif kind in ("list-item", "list-header"):
                self.walk(item, once=once)
        self._counts[style, level] = number
        self._open_lists.pop()

    def write_notes(self) -> None:
        """Write the footnotes and endnotes that were referred to so far."""
        notes, self._notes = self._notes, []
        for note in notes:
            for body in note.iter(f"{_TEXT}note-body"):
                self.walk(body)

    def _paragraph(self, paragraph: Any, *, listed: bool, marker: str, once: bool) -> None:
        style = paragraph.get(f"{_TEXT}style-name", "")
        text = "" if style in self._styles.hidden else _inline(paragraph, self._styles).strip()
        if text and not (once and text in self._written):
            self._written.add(text)
            level = self._level(paragraph, style)
            if level == 1 and not self.title and self._styles.is_title(style):
                self.title = " ".join(text.split())
            listed = listed and level is None
            self._builder.gap(1 if listed and self._after_list else 2)
            self._builder.add(f"{marker} {text}" if listed and marker else text, level)
            self._after_list = listed
        self._notes += [n for n in paragraph.iter(f"{_TEXT}note") if not _is_within_note(n)]
        for box in _boxes(paragraph):
            self.walk(box, once=once)

    def _level(self, paragraph: Any, style: str) -> int | None:
        if self._styles.is_title(style):
            return 1
        if local_name(paragraph) != "h":
            return None
        level = paragraph.get(f"{_TEXT}outline-level", "1")
        return max(int(level), 1) if level.isdecimal() and len(level) < 3 else 1

    def _table(self, table: Any) -> None:
        rows, headers = _rows(table)
        if any(
            True for cell in table.iter(f"{_TABLE}table-cell") for _ in cell.iter(f"{_TABLE}table")
        ):
            for cell in table.iter(f"{_TABLE}table-cell"):  # a layout
                if not _has_ancestor_cell(cell, table):
                    self.walk(cell)
            return
        grid = [_cells(row, self._styles) for row in rows]
        if sum(len(row) for row in grid) == 1:
            for row in rows:  # a frame around text
                for cell in row:
                    self.walk(cell)
            return
        from rag.load.office.word_walk import first_row_names

        count = headers or int(first_row_names(grid))
        self._builder.gap(2)
        self._builder.add("\n".join(table_lines(grid, count)))
        self._builder.gap(2)
        self._after_list = False


def _is_within_note(note: Any) -> bool:
    return any(local_name(a) == "note" for a in note.iterancestors())


def _has_ancestor_cell(cell: Any, table: Any) -> bool:
    for ancestor in cell.iterancestors():
        if ancestor is table:
            return False
        if local_name(ancestor) == "table-cell":
            return True
    return False


def _paragraphs(element: Any) -> Iterator[Any]:
    yield from element.iter(f"{_TEXT}p", f"{_TEXT}h")


def _boxes(paragraph: Any) -> Iterator[Any]:
    """Frames and shapes that stand in a paragraph; those within others come with them."""
    for child in paragraph:
        kind = local_name(child)
        if isinstance(child.tag, str) and child.tag.startswith(_DRAW) and kind != "a":
            yield child
        elif kind and kind not in _SKIPPED:
            yield from _boxes(child)


def _inline(element: Any, styles: Styles | None = None) -> str:
    """The text of a paragraph without that of its notes, comments and frames."""
    pieces = [element.text or ""]
    for child in element:
        kind = local_name(child)
        hidden = styles is not None and child.get(f"{_TEXT}style-name", "") in styles.hidden
        if kind == "s":
            count = child.get(f"{_TEXT}c", "1")
            pieces.append(" " * min(int(count) if count[:6].isdecimal() else 1, _MAX_BLANKS))
        elif kind == "tab":
            pieces.append("\t")
        elif kind == "line-break":
            pieces.append("\n")
        elif (
            kind
            and not hidden
            and kind not in _SKIPPED
            and (not child.tag.startswith(_DRAW) or kind == "a")
        ):
            pieces.append(_inline(child, styles))
        pieces.append(child.tail or "")
    return _collapsed("".join(pieces)) if local_name(element) in ("p", "h") else "".join(pieces)


def _collapsed(text: str) -> str:
    """White space that comes from laying out the XML is none of the text."""
    return text if "\n" not in text else "\n".join(line.strip(" ") for line in text.split("\n"))


def _rows(table: Any) -> tuple[list[Any], int]:
    """All rows, and how many at the top are marked as headers."""
    rows: list[Any] = []
    headers = 0

    def collect(element: Any, in_header: bool) -> None:
        nonlocal headers
        for child in element:
            kind = local_name(child)
            if kind == "table-row":
                headers += in_header and headers == len(rows)
                rows.append(child)
            elif kind in ("table-header-rows", "table-rows", "table-row-group"):
                collect(child, in_header or kind == "table-header-rows")

    collect(table, False)
    return rows, headers if headers < len(rows) else 0


def _cells(row: Any, styles: Styles) -> Row:
    cells: Row = []
    for element in row:
        if local_name(element) != "table-cell":
            continue  # covered cells are reached by the span of another
        words = " ".join(" ".join(_inline(p, styles) for p in _paragraphs(element)).split())
        cell = Cell(
            words,
            _count(element, "number-columns-spanned", MAX_SPAN),
            _count(element, "number-rows-spanned", 10_000),
        )
        cells += [cell] * _count(element, "number-columns-repeated", _MAX_REPEATED)
    return cells


def _count(element: Any, attribute: str, most: int) -> int:
    value = element.get(f"{_TABLE}{attribute}", "1")
    return max(1, min(int(value), most)) if value.isdecimal() and len(value) < 9 else 1
