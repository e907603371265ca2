"""Smallest files of the formats that hold XML, with a DTD and a text of one's choice."""

from __future__ import annotations

import io
import zipfile

XML = '<?xml version="1.0" encoding="UTF-8"?>'


def packed(parts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            kind = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            file.writestr(zipfile.ZipInfo(name), text, kind)
    return buffer.getvalue()


TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
MAIN = "application/vnd.openxmlformats-officedocument"


def office(main: str, kind: str, body: str, **more: str) -> bytes:
    """An Office file whose main part is ``body``."""
    parts = {
        "[Content_Types].xml": f'{XML}<Types xmlns="{TYPES}">'
        '<Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{main}" ContentType="{MAIN}.{kind}+xml"/></Types>',
        "_rels/.rels": f'{XML}<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" '
        f'Type="{OFFICE}/officeDocument" Target="{main}"/></Relationships>',
        main: body,
        **more,
    }
    return packed(parts)


def docx(dtd: str, text: str) -> bytes:
    body = f"<w:body><w:p><w:r><w:t>Whales swim. {text}</w:t></w:r></w:p></w:body>"
    xml = f'{XML}{dtd}<w:document xmlns:w="{WORD}">{body}</w:document>'
    return office("word/document.xml", "wordprocessingml.document.main", xml)


def xlsx(dtd: str, text: str) -> bytes:
    return workbook(dtd, f'<c r="A1" t="inlineStr"><is><t>Whales swim. {text}</t></is></c>')


def workbook(dtd: str, cells: str) -> bytes:
    sheet = (
        f'{XML}{dtd}<worksheet xmlns="{SHEET}"><sheetData><row r="1">{cells}</row></sheetData>'
        "</worksheet>"
    )
    book = (
        f'{XML}<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="Whales" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    relations = (
        f'{XML}<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" '
        f'Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    )
    more = {"xl/worksheets/sheet1.xml": sheet, "xl/_rels/workbook.xml.rels": relations}
    return office("xl/workbook.xml", "spreadsheetml.sheet.main", book, **more)


def odt(dtd: str, text: str) -> bytes:
    names = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'{XML}{dtd}<office:document-content xmlns:office="{names}:office:1.0" '
        f'xmlns:text="{names}:text:1.0"><office:body><office:text><text:p>Whales swim. {text}'
        "</text:p></office:text></office:body></office:document-content>"
    )
    return packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def epub(dtd: str, text: str) -> bytes:
    container = (
        f'{XML}<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
        '<rootfiles><rootfile full-path="book.opf" '
        'media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    package = (
        f'{XML}<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/>'
        '<manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "book.opf": package,
            "a.xhtml": xhtml(dtd, text).decode(),
        }
    )


def xhtml(dtd: str, text: str) -> bytes:
    return (
        f'{XML}{dtd}<html xmlns="http://www.w3.org/1999/xhtml"><head><title>T</title></head>'
        f"<body><p>Whales swim. {text}</p></body></html>"
    ).encode()


def svg(dtd: str, text: str) -> bytes:
    return (
        f'{XML}{dtd}<svg xmlns="http://www.w3.org/2000/svg"><text>Whales swim. {text}</text></svg>'
    ).encode()


def xml(dtd: str, text: str) -> bytes:
    return f"{XML}{dtd}<a><b>Whales swim. {text}</b></a>".encode()
