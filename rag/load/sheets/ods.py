"""OpenDocument spreadsheets -> rows, read as a stream."""

from __future__ import annotations

from datetime import datetime
from typing import IO, Any

from rag.load.package import forget, local_name
from rag.load.sheets.number_format import date_text
from rag.load.sheets.sheet import Merges, SheetWriter
from rag.load.sheets.sheet_header import SheetCell, SheetRow
from rag.types import Document

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_WEIGHT = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}font-weight"
_TAGS = (
    f"{_STYLE}style",
    f"{_TABLE}table",
    f"{_TABLE}table-row",
    f"{_TABLE}shapes",
)
_MAX_COLUMNS = 16_384
_MAX_REPEATED = 100_000  # rows and cells that one element stands for
_WORDS = ("string", "")


def load_stream(stream: IO[bytes], source: str, title: str) -> Document:
    """The content of a spreadsheet. Raises :class:`rag.errors.LoadError` for one too large."""
    from lxml import etree

    writer = SheetWriter()
    bold: set[str] = set()
    number, merges = 0, Merges(())
    for event, element in etree.iterparse(
        stream,
        ("start", "end"),
        tag=_TAGS,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
    ):
        kind = local_name(element)
        if event == "start":
            if kind == "table":
                writer.sheet(element.get(f"{_TABLE}name", ""))
                number, merges = 0, Merges(())
            continue
        if kind == "style":
            if any(e.get(_WEIGHT) == "bold" for e in element):
                bold.add(element.get(f"{_STYLE}name", ""))
            continue
        if kind == "shapes":
            writer.note("\n".join(_paragraphs(element)))
        elif kind == "table-row":
            number = _row(element, number, merges, writer, bold)
        forget(element)
    return writer.document(source, title)


def _row(element: Any, number: int, merges: Merges, writer: SheetWriter, bold: set[str]) -> int:
    """Write a row as often as it is repeated. Returns the number of the last."""
    repeated = _count(element, "number-rows-repeated")
    row = _cells(element, number + 1, merges, bold)
    if row:
        for offset in range(1, min(repeated, _MAX_REPEATED) + 1):
            writer.row(number + offset, merges.apply(number + offset, row))
    return number + repeated


def _cells(element: Any, number: int, merges: Merges, bold: set[str]) -> SheetRow:
    row: SheetRow = {}
    column = 0
    for child in element:
        kind = local_name(child)
        if kind not in ("table-cell", "covered-table-cell"):
            continue
        repeated = _count(child, "number-columns-repeated")
        cell = _cell(child, bold) if kind == "table-cell" else None
        if cell is not None:
            for place in range(column, min(column + repeated, _MAX_COLUMNS)):
                row[place] = cell
            below = _count(child, "number-rows-spanned") - 1
            right = _count(child, "number-columns-spanned") - 1
            if below or right:
                merges.add((number, column, number + below, column + right))
        column += repeated
    return row


def _cell(element: Any, bold: set[str]) -> SheetCell | None:
    text = "\n".join(_paragraphs(element))
    kind = element.get(f"{_OFFICE}value-type", "")
    if kind == "date":
        text = _date(element.get(f"{_OFFICE}date-value", ""), text)
    if not text.strip():
        return None
    look = element.get(f"{_TABLE}style-name", "") in bold
    return SheetCell(text, words=kind in _WORDS, bold=look)


def _date(value: str, text: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return text
    return date_text(moment, time="T" in value and any((moment.hour, moment.minute, moment.second)))


def _paragraphs(element: Any) -> list[str]:
    """The paragraphs of a cell or a shape, without those of its comment."""
    texts = []
    for paragraph in element.iter(f"{_TEXT}p"):
        if not any(local_name(a) == "annotation" for a in paragraph.iterancestors()):
            texts.append("".join(_pieces(paragraph)))
    return texts


def _pieces(element: Any) -> list[str]:
    pieces = [element.text or ""]
    for child in element:
        if local_name(child) in ("s", "tab", "line-break"):
            pieces.append(" ")
        elif local_name(child) not in ("", "annotation", "ruby-text"):
            pieces += _pieces(child)
        pieces.append(child.tail or "")
    return pieces


def _count(element: Any, attribute: str) -> int:
    value = element.get(f"{_TABLE}{attribute}", "1")
    return max(1, int(value)) if value.isdecimal() and len(value) < 9 else 1
