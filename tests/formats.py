"""Tiny files of every format that loads: add a row for a new one."""

from __future__ import annotations

import html
import io
import textwrap
from collections.abc import Callable, Mapping


def _html(text: str) -> bytes:
    return f"<html><body><p>{html.escape(text)}</p></body></html>".encode()


def _docx(text: str) -> bytes:
    from docx import Document

    document = Document()
    document.add_paragraph(text)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


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
}
"""Suffix -> a file that holds a text of ASCII words."""
