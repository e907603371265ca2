"""XLSX and XLSM -> rows, read as a stream: what is stored, never what a formula would give.

An own reader over lxml: openpyxl refused or emptied two of the sixteen readable workbooks that
were measured (a link to another program, ISO 29500 Strict), tells no merged cells while it
streams, and fails on a style that it does not know. A formula without a stored value is left out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any

from rag.errors import LoadError
from rag.load.builder import sensible_title
from rag.load.package import forget, local_name, open_package, parse_xml, read_part
from rag.load.sheets.number_format import BUILTIN_FORMATS, date_text, plain, shown
from rag.load.sheets.sheet import Merges, SheetWriter
from rag.load.sheets.sheet_header import SheetCell, SheetRow
from rag.types import Document

if TYPE_CHECKING:
    import zipfile

_WHAT = "an Excel workbook"
_MERGE = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^>]{0,150}?ref\s*=\s*["']([A-Z]+\d+):([A-Z]+\d+)["']"""
)
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_TEXT_BODIES = (
    "{*}txBody",
    "{*}rich",
    "{http://schemas.openxmlformats.org/drawingml/2006/diagram}t",
)
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_MAX_COLUMNS = 16_384
_MAX_MERGES = 100_000
_BLOCK = 1 << 20
_FORGOTTEN_AFTER = 1024  # cells of a row


def load(data: bytes, source: str) -> Document:
    """Raises :class:`LoadError` for a workbook that is damaged, or too large."""
    archive = open_package(data, _WHAT)
    workbook = _Workbook(archive)
    writer = SheetWriter()
    for name, path in workbook.sheets:
        writer.sheet(name)
        merges = Merges(_merged_areas(archive, path))
        with archive.open(path) as stream:
            for number, row in workbook.rows(stream):
                writer.row(number, merges.apply(number, row))
        for text in _text_boxes(archive, path):
            writer.note(text)
    return writer.document(source, _title(archive))


class _Workbook:
    """What all sheets share: strings, formats and the start of the calendar."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        main = _main_part(archive)
        root = _xml(archive, main)
        if root is None:
            raise LoadError(f"is damaged or not {_WHAT}; open it in Excel and save it again")
        targets = _relations(archive, main)
        self.sheets = list(_sheets(archive, root, targets))
        properties = next((e for e in root if local_name(e) == "workbookPr"), None)
        self._from_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        self._strings = _shared_strings(archive, _target(targets, "sharedStrings"))
        self._looks: dict[str, tuple[str, bool]] = {}
        self._formats, self._bold = _formats(_xml(archive, _target(targets, "styles")))

    def rows(self, stream: IO[bytes]) -> Iterator[tuple[int, SheetRow]]:
        """Number and cells of each row that has any."""
        from lxml import etree

        number, column, cells = 0, -1, 0
        row: SheetRow = {}
        tags = ("{*}c", "{*}row")
        for _, element in etree.iterparse(
            stream, ("end",), tag=tags, resolve_entities=False, load_dtd=False, no_network=True
        ):
            if element.tag.endswith("}c"):
                letters = element.get("r", "").rstrip("0123456789")
                column = _column(letters) if letters else column + 1
                cell = self._cell(element) if len(element) else None
                if cell is not None and column < _MAX_COLUMNS:
                    row[column] = cell
                cells += 1
                if cells % _FORGOTTEN_AFTER == 0:  # else all are freed at the end of their row
                    forget(element)
                continue
            given = element.get("r", "")
            number = int(given) if given.isdecimal() and len(given) < 9 else number + 1
            if row:
                yield number, row
            row, column, cells = {}, -1, 0
            forget(element)

    def _cell(self, element: Any) -> SheetCell | None:
        kind = element.get("t", "n")
        code, bold = self._look(element.get("s", "0"))
        namespace = element.tag[:-1]
        if kind == "inlineStr":
            text = "".join(_rich_text(e) for e in element.iterchildren(f"{namespace}is"))
            return SheetCell(text, bold=bold) if text.strip() else None
        value = element.findtext(f"{namespace}v")
        if not value or kind == "e":
            return None
        if kind == "n":
            text = _number(value, code, self._from_1904)
            return SheetCell(text, words=False, bold=bold)
        if kind == "s":
            index = int(value)
            text = self._strings[index] if 0 <= index < len(self._strings) else ""
            return SheetCell(text, bold=bold) if text else None
        if kind == "str":
            return SheetCell(_unescaped(value), bold=bold)
        if kind == "b":
            return SheetCell("FALSE" if value in ("0", "false") else "TRUE", words=False, bold=bold)
        return SheetCell(_iso(value) if kind == "d" else value, words=False, bold=bold)

    def _look(self, style: str) -> tuple[str, bool]:
        """The number format of a cell style, "" for General, and whether it is bold."""
        found = self._looks.get(style)
        if found is None:
            number = int(style) if style.isdecimal() and len(style) < 9 else 0
            code = self._formats[number] if number < len(self._formats) else ""
            found = self._looks[style] = (code, number in self._bold)
        return found


def _number(value: str, code: str, from_1904: bool) -> str:
    try:
        number = float(value)
    except ValueError:
        return value
    if number != number or number in (float("inf"), float("-inf")):
        return value
    return shown(number, code, from_1904=from_1904) if code else plain(number)


def _iso(value: str) -> str:
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return date_text(moment, time=any((moment.hour, moment.minute, moment.second)))


@lru_cache(maxsize=2048)
def _column(letters: str) -> int:
    """``A`` is 0."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _unescaped(text: str) -> str:
    """``_x000D_`` stands for a character that XML cannot hold."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _rich_text(element: Any) -> str:
    """Text of a string, without the phonetic guides of Japanese ones."""
    pieces = []
    for child in element:
        name = local_name(child)
        if name == "t":
            pieces.append(child.text or "")
        elif name == "r":
            pieces.append(_rich_text(child))
    return _unescaped("".join(pieces))


def _xml(archive: zipfile.ZipFile, path: str) -> Any:
    """The root of a part; None where there is none."""
    data = read_part(archive, path) if path else None
    return parse_xml(data) if data else None


def _main_part(archive: zipfile.ZipFile) -> str:
    root = _xml(archive, "_rels/.rels")
    for relation in root if root is not None else ():
        if relation.get("Type", "").endswith("/officeDocument"):
            return str(relation.get("Target", "")).lstrip("/")
    return "xl/workbook.xml"


def _relations(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Id -> type and path of the parts that ``part`` uses."""
    folder, name = posixpath.split(part)
    try:
        root = _xml(archive, f"{folder}/_rels/{name}.rels".lstrip("/"))
    except Exception:  # what a damaged list names is lost, the rest need not be
        root = None
    found = {}
    for relation in root if root is not None else ():
        target = relation.get("Target", "")
        if local_name(relation) == "Relationship" and relation.get("TargetMode") != "External":
            path = target.lstrip("/") if target[:1] == "/" else posixpath.join(folder, target)
            kind = relation.get("Type", "").rpartition("/")[2]
            found[relation.get("Id", "")] = (kind, posixpath.normpath(path))
    return found


def _target(relations: dict[str, tuple[str, str]], kind: str) -> str:
    return next((path for found, path in relations.values() if found == kind), "")


def _sheets(
    archive: zipfile.ZipFile, root: Any, targets: dict[str, tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Name and part of each sheet of cells, but for those that only a macro can show."""
    known = {name.lower(): name for name in archive.namelist()}
    for sheet in root.iter("{*}sheet"):
        identity = next((v for key, v in sheet.attrib.items() if key.endswith("}id")), "")
        kind, path = targets.get(identity, ("", ""))
        if kind == "worksheet" and path.lower() in known and sheet.get("state") != "veryHidden":
            yield sheet.get("name", ""), known[path.lower()]


def _shared_strings(archive: zipfile.ZipFile, path: str) -> list[str]:
    from lxml import etree

    strings: list[str] = []
    if path not in archive.namelist():
        return strings
    with archive.open(path) as stream:
        for _, element in etree.iterparse(
            stream, ("end",), tag="{*}si", resolve_entities=False, load_dtd=False, no_network=True
        ):
            strings.append(_rich_text(element))
            forget(element)
    return strings


def _formats(styles: Any) -> tuple[list[str], frozenset[int]]:
    """The number format of each cell style, and the styles that are bold."""
    if styles is None:
        return [], frozenset()
    own = {e.get("numFmtId"): e.get("formatCode", "") for e in styles.iter("{*}numFmt")}
    fonts = next((list(e) for e in styles if local_name(e) == "fonts"), [])
    bold_fonts = {str(i) for i, font in enumerate(fonts) if _is_bold(font)}
    codes: list[str] = []
    bold = set()
    for style in next((list(e) for e in styles if local_name(e) == "cellXfs"), []):
        number = style.get("numFmtId", "0")
        builtin = BUILTIN_FORMATS.get(int(number), "") if number.isdecimal() else ""
        if style.get("fontId") in bold_fonts:
            bold.add(len(codes))
        codes.append(own.get(number, builtin))
    return ["" if code.lower() == "general" else code for code in codes], frozenset(bold)


def _is_bold(font: Any) -> bool:
    return any(local_name(e) == "b" and e.get("val") not in ("0", "false") for e in font)


def _merged_areas(archive: zipfile.ZipFile, path: str) -> list[tuple[int, int, int, int]]:
    """Merged cells stand after all rows: looked for beforehand, without parsing."""
    areas: list[tuple[int, int, int, int]] = []
    tail = b""
    with archive.open(path) as stream:
        while block := stream.read(_BLOCK):
            block = tail + block
            found = None
            for found in _MERGE.finditer(block):
                corners = [_REFERENCE.fullmatch(found[i].decode()) for i in (1, 2)]
                if corners[0] and corners[1] and len(areas) < _MAX_MERGES:
                    first, last = corners[0], corners[1]
                    areas.append((int(first[2]), _column(first[1]), int(last[2]), _column(last[1])))
            tail = block[max(len(block) - 200, found.end() if found else 0) :]
    return areas


def _text_boxes(archive: zipfile.ZipFile, sheet: str) -> Iterator[str]:
    """The text of each drawing on a sheet: text boxes, diagrams, the titles of charts."""
    for kind, drawing in _relations(archive, sheet).values():
        if kind != "drawing":
            continue
        related = _relations(archive, drawing).values()
        for path in (drawing, *(p for k, p in related if k in ("chart", "diagramData"))):
            try:
                root = _xml(archive, path)
            except Exception:  # a picture that is damaged is no reason to lose the rows
                continue
            for body in root.iter(*_TEXT_BODIES) if root is not None else ():
                lines = ("".join(t.text or "" for t in p.iter(f"{_A}t")) for p in body)
                yield "\n".join(line for line in lines if line.strip())


def _title(archive: zipfile.ZipFile) -> str:
    try:
        root = _xml(archive, "docProps/core.xml")
    except Exception:  # a title is no reason to lose the document
        return ""
    found = root.findtext("{http://purl.org/dc/elements/1.1/}title") if root is not None else ""
    return sensible_title(found)
