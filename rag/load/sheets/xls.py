"""Legacy XLS (Excel 2.0 to 2003) -> rows, by xlrd, which reads stored values and runs nothing.

Other programs write HTML, XML or plain rows under this name, too: HTML is told by its content
before this module is asked, and what is no container is read as rows of text.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from rag.errors import LoadError
from rag.load.ole import open_ole, title_of
from rag.load.sheets.number_format import plain, shown
from rag.load.sheets.sheet import Merges, SheetWriter
from rag.load.sheets.sheet_header import SheetCell, SheetRow
from rag.types import Document

if TYPE_CHECKING:
    import xlrd

_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STREAM_STARTS = (b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\x00")  # Excel 2 to 4, no container
_VERY_HIDDEN = 2
_EMPTY, _TEXT, _NUMBER, _DATE, _BOOLEAN, _ERROR, _BLANK = range(7)


def load(data: bytes, source: str) -> Document:
    """Raises :class:`LoadError` for a workbook that is damaged, encrypted or too large."""
    if not data.startswith((_OLE_MAGIC, *_STREAM_STARTS)):
        from rag.load.sheets import delimited

        return delimited.load(data, source)
    book = _open(data)
    writer = SheetWriter()
    try:
        for index, name in enumerate(book.sheet_names()):
            sheet = book.sheet_by_index(index)
            if sheet.visibility != _VERY_HIDDEN:
                writer.sheet(name)
                _write(book, sheet, writer)
            book.unload_sheet(index)
    finally:
        book.release_resources()
    return writer.document(source, _title(data))


def _title(data: bytes) -> str:
    if not data.startswith(_OLE_MAGIC):
        return ""
    with open_ole(data, "an Excel workbook") as container:
        return title_of(container)


def _open(data: bytes) -> xlrd.Book:
    import xlrd

    last: Exception | None = None
    for formatting in (True, False):  # formats may be damaged where values are not
        try:
            return xlrd.open_workbook(
                file_contents=data,
                formatting_info=formatting,
                on_demand=True,
                ragged_rows=True,
                logfile=io.StringIO(),
            )
        except Exception as error:  # xlrd lets struct.error, AssertionError ... through
            if "encrypted" in str(error).lower():
                raise LoadError("is encrypted; remove its password and save it again") from error
            last = error
    raise LoadError(
        "is damaged or not an Excel workbook; open it in Excel and save it again as .xlsx"
    ) from last


def _write(book: xlrd.Book, sheet: Any, writer: SheetWriter) -> None:
    # xlrd counts from 0, and names the first row and column after a merged area.
    merges = Merges((a + 1, left, b, right - 1) for a, b, left, right in sheet.merged_cells)
    for index in range(sheet.nrows):
        row: SheetRow = {}
        for column in range(sheet.row_len(index)):
            cell = _cell(book, sheet, index, column)
            if cell is not None:
                row[column] = cell
        writer.row(index + 1, merges.apply(index + 1, row))


def _cell(book: xlrd.Book, sheet: Any, row: int, column: int) -> SheetCell | None:
    kind = sheet.cell_type(row, column)
    if kind in (_EMPTY, _BLANK, _ERROR):
        return None
    value = sheet.cell_value(row, column)
    code, bold = _look(book, sheet, row, column)
    if kind == _TEXT:
        return SheetCell(value, bold=bold) if value else None
    if kind == _BOOLEAN:
        return SheetCell("TRUE" if value else "FALSE", words=False, bold=bold)
    if kind == _DATE and not code:
        code = "yyyy-mm-dd hh:mm" if value % 1 else "yyyy-mm-dd"
    number = float(value)
    text = shown(number, code, from_1904=book.datemode == 1) if code else plain(number)
    return SheetCell(text, words=False, bold=bold)


def _look(book: xlrd.Book, sheet: Any, row: int, column: int) -> tuple[str, bool]:
    """The number format of a cell ("" for General), and whether it is bold."""
    if not book.formatting_info:
        return "", False
    try:
        style = book.xf_list[sheet.cell_xf_index(row, column)]
        code = book.format_map[style.format_key].format_str
        bold = bool(book.font_list[style.font_index].bold)
    except (IndexError, KeyError):
        return "", False
    return ("" if code.lower() == "general" else code), bold
