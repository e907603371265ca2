"""Legacy DOC (Word 97 to 2003) -> text, by office-oxide: headings, lists, tables, notes, margins.

The numbers of ordered lists are lost; comments are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rag.errors import LoadError
from rag.load.builder import TextBuilder
from rag.load.office.word_walk import first_row_names
from rag.load.ole import open_ole, title_of
from rag.load.table import Cell, Row, table_lines
from rag.types import Document

_WHAT = "a Word document"
_MARGINS = (
    "header", "first_page_header", "even_page_header",
    "footer", "first_page_footer", "even_page_footer",
)  # fmt: skip
_BULLET = "- "
_COMMENT = "comment"

Element = dict[str, Any]
"""A node of office-oxide's document tree: a ``type``, and what belongs to it."""


def load(data: bytes, source: str) -> Document:
    """Raises :class:`LoadError` for a document that is damaged or encrypted."""
    title, sections = _parsed(data)
    writer = _Writer(TextBuilder())
    for section in sections:
        writer.write(section["elements"])
    for part in _MARGINS:
        for section in sections:
            writer.write_once(section.get(part, {}).get("content", ()))
    text, headings = writer.builder.text(), tuple(writer.builder.headings)
    if not title:
        title = next((text[h.start : h.end] for h in headings if h.level == 1), "")
    return Document(source, text, title, headings=headings)


def _parsed(data: bytes) -> tuple[str, list[Element]]:
    """The title from the properties, "" where there is none, and the sections."""
    from office_oxide import Document as OfficeDocument
    from office_oxide import OfficeOxideError

    container = open_ole(data, _WHAT)
    try:
        title = title_of(container)
    finally:
        container.close()
    try:
        with OfficeDocument.from_bytes(data, "doc") as document:
            sections: list[Element] = document.to_ir()["sections"]
    except OfficeOxideError as error:
        if "encrypted" in str(error):
            raise LoadError("is encrypted; remove its password and save it again") from error
        raise LoadError(f"is damaged or not {_WHAT}; open it in Word and save it again") from error
    return title, sections


class _Writer:
    """Writes elements in reading order."""

    def __init__(self, builder: TextBuilder) -> None:
        self.builder = builder
        self._written: set[str] = set()

    def write(self, elements: Sequence[Element]) -> None:
        for element in elements:
            kind = element["type"]
            if kind == "list":
                self._list(element, depth=0)
            elif kind == "table":
                self._table(element["rows"])
            elif kind in ("text_box", "footnote", "endnote"):
                if element.get("marker") != _COMMENT:
                    self.write(element["content"])
            elif kind in ("heading", "paragraph"):
                self._paragraph(_words(element["content"]), element.get("level"))

    def write_once(self, elements: Sequence[Element]) -> None:
        """Write those whose words were not written yet: headers repeat from part to part."""
        for element in elements:
            if _words(element.get("content", ())) not in self._written:
                self.write([element])

    def _paragraph(self, words: str, level: int | None = None) -> None:
        self._written.add(words)
        self.builder.gap(2)
        self.builder.add(words, level)
        self.builder.gap(2)

    def _list(self, element: Element, depth: int) -> None:
        if depth == 0:
            self.builder.gap(2)
        marker = "" if element["ordered"] else _BULLET
        for item in element["items"]:
            self.builder.gap(1)
            self.builder.add(marker + _text_of(item["content"]))
            if nested := item.get("nested"):
                self._list(nested, depth + 1)
        if depth == 0:
            self.builder.gap(2)

    def _table(self, rows: Sequence[Element]) -> None:
        grid: list[Row] = [
            [
                Cell(" ".join(_text_of(c["content"]).split()), c["col_span"], c["row_span"])
                for c in row["cells"]
            ]
            for row in rows
        ]
        self.builder.gap(2)
        for line in table_lines(grid, int(first_row_names(grid))):
            self.builder.gap(1)
            self.builder.add(line)
        self.builder.gap(2)


def _text_of(elements: Sequence[Element]) -> str:
    """All words of elements, a line each."""
    return "\n".join(filter(None, _lines(elements)))


def _lines(elements: Sequence[Element]) -> Iterator[str]:
    for element in elements:
        if element["type"] == "table":
            for row in element["rows"]:
                yield " | ".join(filter(None, (_text_of(c["content"]) for c in row["cells"])))
        elif element["type"] == "list":
            for item in element["items"]:
                yield _text_of(item["content"])
        elif element["type"] in ("heading", "paragraph"):
            yield _words(element["content"])


def _words(content: Sequence[Element]) -> str:
    """The words of a paragraph's runs."""
    return "".join(
        "\n" if run["type"] == "line_break" else run.get("text", "") for run in content
    ).replace("\x0b", "\n")
