"""Excel workbooks as one XML file (Excel 2003), often named .xls -> rows, read as a stream."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

from rag.errors import LoadError
from rag.load.package import forget, local_name
from rag.load.sheets.number_format import date_text, plain, shown
from rag.load.sheets.sheet import Merges, SheetWriter
from rag.load.sheets.sheet_header import SheetCell, SheetRow
from rag.types import Document

_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_TAGS = tuple(f"{_SS}{name}" for name in ("Style", "Worksheet", "Row"))
_NAMED_FORMATS = {
    "general": "", "general number": "", "fixed": "0.00", "standard": "#,##0.00",
    "percent": "0.00%", "currency": "$#,##0.00", "euro currency": "[$€]#,##0.00",
}  # fmt: skip
_MAX_COLUMNS = 16_384


def load(data: bytes, source: str) -> Document:
    """Raises :class:`LoadError` for a file that is damaged or too large."""
    from lxml import etree

    try:
        return _read(data, source)
    except etree.XMLSyntaxError as error:
        raise LoadError(
            "is damaged or not an Excel workbook; open it in Excel and save it again as .xlsx"
        ) from error


def _read(data: bytes, source: str) -> Document:
    from lxml import etree

    writer = SheetWriter()
    styles: dict[str, tuple[str, bool]] = {}
    number, merges = 0, Merges(())
    for event, element in etree.iterparse(
        io.BytesIO(data),
        ("start", "end"),
        tag=_TAGS,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
    ):
        kind = local_name(element)
        if event == "start":
            if kind == "Worksheet":
                writer.sheet(element.get(f"{_SS}Name", ""))
                number, merges = 0, Merges(())
        elif kind == "Style":
            styles[element.get(f"{_SS}ID", "")] = _look(element)
        elif kind == "Row":
            number = _count(element, "Index", number + 1)
            row = _cells(element, number, merges, styles)
            writer.row(number, merges.apply(number, row))
            number += _count(element, "Span", 0)
            forget(element)
    return writer.document(source)


def _look(style: Any) -> tuple[str, bool]:
    """Number format, and whether the style is bold."""
    code, bold = "", False
    for child in style:
        if local_name(child) == "NumberFormat":
            given = child.get(f"{_SS}Format", "")
            code = _NAMED_FORMATS.get(given.lower(), given)
        elif local_name(child) == "Font":
            bold = child.get(f"{_SS}Bold") == "1"
    return code, bold


def _cells(
    element: Any, number: int, merges: Merges, styles: dict[str, tuple[str, bool]]
) -> SheetRow:
    row: SheetRow = {}
    column = -1
    for child in element:
        if local_name(child) != "Cell":
            continue
        column = _count(child, "Index", column + 2) - 1
        cell = _cell(child, styles)
        right, below = _count(child, "MergeAcross", 0), _count(child, "MergeDown", 0)
        if cell is not None and column < _MAX_COLUMNS:
            row[column] = cell
            if right or below:
                merges.add((number, column, number + below, column + right))
        column += right
    return row


def _cell(element: Any, styles: dict[str, tuple[str, bool]]) -> SheetCell | None:
    data = next((e for e in element if local_name(e) == "Data"), None)
    text = "".join(data.itertext()) if data is not None else ""
    kind = data.get(f"{_SS}Type", "String") if data is not None else "Error"
    if not text.strip() or kind == "Error":
        return None
    code, bold = styles.get(element.get(f"{_SS}StyleID", ""), ("", False))
    if kind == "String":
        return SheetCell(text, bold=bold)
    if kind == "Boolean":
        return SheetCell("FALSE" if text.strip() == "0" else "TRUE", words=False, bold=bold)
    return SheetCell(_value(text.strip(), kind, code), words=False, bold=bold)


def _value(text: str, kind: str, code: str) -> str:
    try:
        if kind == "DateTime":
            moment = datetime.fromisoformat(text)
            return date_text(moment, time=any((moment.hour, moment.minute, moment.second)))
        number = float(text)
        return shown(number, code) if code else plain(number)
    except (ValueError, OverflowError):
        return text


def _count(element: Any, attribute: str, otherwise: int) -> int:
    value = element.get(f"{_SS}{attribute}", "")
    return int(value) if value.isdecimal() and len(value) < 8 else otherwise
