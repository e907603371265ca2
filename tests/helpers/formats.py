"""Tiny files of every format that loads: add a row for a new one."""

from __future__ import annotations

import bz2
import gzip
import html
import io
import json
import lzma
import tarfile
import textwrap
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from email.message import EmailMessage

from fakes_ocr import grey_pixels, picture
from load_pdf import Sheet, make_pdf


def _html(text: str) -> bytes:
    return f"<html><body><p>{html.escape(text)}</p></body></html>".encode()


def _docx(text: str) -> bytes:
    from docx import Document

    document = Document()
    document.add_paragraph(text)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _xlsx(text: str) -> bytes:
    from xlsxwriter import Workbook

    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2024, 1, 1)})  # equal bytes at any time
        sheet = book.add_worksheet()
        for number, row in enumerate((("Number", "Words"), (1, text))):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


def _pptx(text: str) -> bytes:
    import pptx

    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[5])
    slide.shapes.title.text = text
    buffer = io.BytesIO()
    slides.save(buffer)
    return buffer.getvalue()


def _odt(text: str) -> bytes:
    namespaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "text")
    )
    content = (
        f"<office:document-content {namespaces}><office:body><office:text>"
        f"<text:p>{html.escape(text)}</text:p>"
        "</office:text></office:body></office:document-content>"
    )
    return _zip(mimetype="application/vnd.oasis.opendocument.text", **{"content.xml": content})


def _epub(text: str) -> bytes:
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
        '<rootfiles><rootfile full-path="book.opf" '
        'media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    book = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/><manifest>'
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    return _zip(
        mimetype="application/epub+zip",
        **{
            "META-INF/container.xml": container,
            "book.opf": book,
            "a.xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml">{_html(text).decode()[6:]}',
        },
    )


def _zip(**members: str | bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)  # without the time: equal bytes
    return buffer.getvalue()


def _mail(text: str) -> bytes:
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "Fruit", "a@example.org"
    mail.set_content(text)
    mail.add_attachment(f"Attached. {text}", filename="note.txt")
    return mail.as_bytes()


def _tar(text: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("note.txt")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _notebook(text: str) -> bytes:
    cell = {"cell_type": "markdown", "metadata": {}, "source": [text]}
    book = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book).encode()


def _pdf(text: str) -> bytes:
    """One page of Helvetica, for text in ASCII."""
    lines = textwrap.wrap(text, 90)
    shown = "".join(
        f"({line.translate({40: None, 41: None, 92: None})}) Tj 0 -14 Td " for line in lines
    )
    content = f"BT /F1 12 Tf 40 800 Td {shown}ET".encode("ascii")
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
        b" >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(parts) + 1, rows)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return data + table + end % (len(parts) + 1, len(data))


FORMATS: Mapping[str, Callable[[str], bytes]] = {
    ".txt": lambda text: text.encode(),
    ".md": lambda text: f"# Title\n\n{text}\n".encode(),
    ".html": _html,
    ".docx": _docx,
    ".pdf": _pdf,
    ".scan.pdf": lambda text: make_pdf(Sheet(size=(300, 300), picture=grey_pixels(text))),
    ".png": lambda text: picture(text, "PNG"),
    ".jpg": lambda text: picture(text, "JPEG"),
    ".tif": lambda text: picture(text, "TIFF"),
    ".csv": lambda text: f"Number,Words\n1,{text}\n".encode(),
    ".xlsx": _xlsx,
    ".pptx": _pptx,
    ".odt": _odt,
    ".epub": _epub,
    ".rtf": lambda text: rf"{{\rtf1\ansi {text}}}".encode(),
    ".json": lambda text: json.dumps([{"words": text}, {"words": "More."}]).encode(),
    ".ipynb": _notebook,
    ".xml": lambda text: f"<notes><note>{html.escape(text)}</note></notes>".encode(),
    ".py": lambda text: f'"""{text}"""\n'.encode(),
    ".zip": lambda text: _zip(**{"a/note.txt": text.encode(), "b.html": _html(text)}),
    ".tar": _tar,
    ".txt.gz": lambda text: gzip.compress(text.encode(), mtime=0),
    ".txt.bz2": lambda text: bz2.compress(text.encode()),
    ".txt.xz": lambda text: lzma.compress(text.encode()),
    ".eml": _mail,
    ".mbox": lambda text: b"From a@example.org Thu Jan  1 00:00:00 2026\n" + _mail(text),
}
"""Suffix -> a file that holds a text of ASCII words; of pictures ``SquareEngine`` can read it."""

NOT_WRITTEN = {"xls", "doc", "ppt", "msg"}
"""Kinds that load, but for which no small file is made here: binary ones."""
