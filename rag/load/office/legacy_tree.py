"""The tree that office-oxide makes of a DOC or a PPT, and how its elements are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from rag.errors import LoadError
from rag.load.builder import TextBuilder
from rag.load.office.numbering import BULLET
from rag.load.office.word_walk import first_row_names
from rag.load.ole import open_ole, title_of
from rag.load.table import Cell, Row, table_lines

Element = dict[str, Any]
"""A section, an element of one, or a part of a line; most have a ``type``."""

NOTES = ("footnote", "endnote")
_COMMENT = "comment"  # the marker of what office-oxide gives as a note


def read_tree(data: bytes, kind: Literal["doc", "ppt"], program: str) -> tuple[list[Element], str]:
    """The sections of a document, or slides of a presentation, and the title that it is given.

    ``program`` is the one that made it. Raises :class:`LoadError` for what is damaged or locked.
    """
    from office_oxide import Document, OfficeOxideError

    what = {"doc": "a Word document", "ppt": "a PowerPoint presentation"}[kind]
    with open_ole(data, what) as container:
        title = title_of(container)
    damaged = f"is damaged or not {what}; open it in {program} and save it again"
    try:
        sections = Document.from_bytes(data, kind).to_ir()["sections"]
    except OfficeOxideError as error:
        if "encrypted" in str(error):
            raise LoadError("is encrypted; remove its password and save it again") from error
        raise LoadError(damaged) from error
    if not sections:  # its slides were not found
        raise LoadError(damaged)
    return sections, title


def write(builder: TextBuilder, elements: Iterable[Element]) -> None:
    """Write elements in their order: paragraphs, headings, lists, rows; no notes, no pictures."""
    for element in elements:
        match element["type"]:
            case "list":
                builder.gap(2)
                _write_list(builder, element)
            case "table":
                builder.gap(2)
                rows = [list(_cells(row)) for row in element["rows"]]
                builder.add("\n".join(table_lines(rows, int(first_row_names(rows)))))
            case "text_box":
                write(builder, element["content"])
            case "heading" | "paragraph" as kind:
                text = words(element)
                # A line of digits or signs alone is taken for a heading in capitals.
                named = kind == "heading" and any(letter.isalpha() for letter in text)
                builder.gap(2)
                builder.add(text, element["level"] if named else None)
        builder.gap(2)


def words(element: Element) -> str:
    """The words of an element and of what is in it, each paragraph on a line of its own."""
    if "text" in element:
        return str(element["text"])
    if element["type"] == "line_break":
        return "\n"
    inner = element.get("content") or []
    is_line = element["type"] in ("heading", "paragraph")
    return ("" if is_line else "\n").join(words(part) for part in inner).strip()


def written_notes(elements: Iterable[Element]) -> Iterator[Element]:
    """What footnotes and endnotes hold, without comments."""
    for element in elements:
        if element["type"] in NOTES and element.get("marker") != _COMMENT:
            yield from element["content"]


def _write_list(builder: TextBuilder, listed: Element) -> None:
    """Points of a list, those of lists in it too; which numbers they have is not known."""
    for item in listed["items"]:
        text = "\n".join(filter(None, map(words, item["content"])))
        if text:
            builder.add(f"{BULLET} {text}")
        if item.get("nested"):
            _write_list(builder, item["nested"])


def _cells(row: Element) -> Row:
    return [
        Cell(
            " ".join(" ".join(map(words, cell["content"])).split()),
            cell["col_span"],
            cell["row_span"],
        )
        for cell in row["cells"]
    ]
