"""Mails as trees of parts.

The standard library decodes headers and contents. The tree is made here: its parser compares every
line with the border of every part around it, and its newer header parser takes minutes for one
hostile line of 20,000 characters.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header
from email.message import Message
from email.parser import HeaderParser

from rag.errors import LoadError
from rag.load.builder import clean
from rag.load.detect.encoding import decode

_MAX_HEADERS_LENGTH = 1_000_000
_MAX_HEADER_LENGTH = 10_000
_MAX_PARAMETERS_LENGTH = 2000
_END_OF_HEADERS = re.compile(rb"\r?\n[ \t]*\r?\n")
_EMPTY_HEADERS = re.compile(rb"[ \t]*\r?\n")
_NO_HEADER = re.compile(rb"^(?![!-9;-~]+[ \t]*:|[ \t]|\r?$)", re.MULTILINE)
_BARE_ADDRESS = re.compile(r"(^|, ?)<([^<>\s]+@[^<>\s]+)>")
_QUOTED_NAME = re.compile(r'"([^",<>]*)"(?=\s*<)')
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


@dataclass(frozen=True, slots=True)
class Part:
    """A mail or a part of one: its headers, and where its content stands: ``data[start:end]``."""

    headers: Message
    data: bytes
    start: int
    end: int

    @property
    def type(self) -> str:
        """The MIME type, lower case; ``text/plain`` where none is given."""
        return self.headers.get_content_type()

    @property
    def disposition(self) -> str:
        """``attachment``, ``inline`` or ""."""
        return self.headers.get_content_disposition() or ""

    @property
    def filename(self) -> str:
        """The name that the sender gave the part; "" without one."""
        try:
            return decoded(self.headers.get_filename() or "")
        except Exception:  # malformed parameters make it raise many kinds
            return ""

    def parameter(self, name: str) -> str:
        """A parameter of the content type; "" without it."""
        try:
            value = self.headers.get_param(name) or ""
        except Exception:  # as above
            return ""
        return value if isinstance(value, str) else str(value[2])

    def header(self, name: str) -> str:
        """A header's words, decoded and on one line; "" without it."""
        return decoded(str(self.headers.get(name) or ""))

    def content(self) -> bytes:
        """The content without its transfer encoding."""
        raw = self.data[self.start : self.end]
        match self.header("Content-Transfer-Encoding").partition(" ")[0].lower():
            case "base64":
                return _base64(raw)
            case "quoted-printable":
                return binascii.a2b_qp(raw)
        return raw

    def children(self) -> Iterator[Part]:
        """The parts of a multipart; none where it has no border or no part."""
        border = self.parameter("boundary").rstrip().encode("utf-8", "replace")
        if not border:
            return
        line = re.compile(rb"^--" + re.escape(border) + rb"(--)?[ \t]*\r?$", re.MULTILINE)
        start = -1
        for found in line.finditer(self.data, self.start, self.end):
            if start >= 0:
                yield parse(self.data, start, _before_line_end(self.data, found.start()))
            if found.group(1):
                return
            start = min(found.end() + 1, self.end)
        if start >= 0:  # cut short
            yield parse(self.data, start, self.end)


def parse(data: bytes, start: int = 0, end: int | None = None) -> Part:
    """The mail or part that stands at ``data[start:end]``."""
    end = len(data) if end is None else end
    if empty := _EMPTY_HEADERS.match(data, start, end):
        return Part(Message(), data, empty.end(), end)
    limit = min(end, start + _MAX_HEADERS_LENGTH)
    found = _END_OF_HEADERS.search(data, start, limit)
    block, body = (
        (data[start : found.start()], found.end()) if found else (data[start:limit], limit)
    )
    if broken := _NO_HEADER.search(block):  # what follows is text, though no blank line says so
        block, body = block[: broken.start()], start + broken.start()
    try:
        text = block.decode("ascii") if block.isascii() else decode(block)
        headers = HeaderParser().parsestr(text + "\n\n")
    except Exception:  # binary data
        return Part(Message(), data, start, end)
    if not headers.keys():  # text without headers
        return Part(Message(), data, start, end)
    for name in ("Content-Type", "Content-Disposition"):
        if len(value := str(headers.get(name) or "")) > _MAX_PARAMETERS_LENGTH:
            headers.replace_header(name, value[:_MAX_PARAMETERS_LENGTH])
    return Part(headers, data, min(body, end), end)


def decoded(written: str) -> str:
    """A header's value on one line, its encoded words decoded, names and addresses bare."""
    written = written[:_MAX_HEADER_LENGTH]
    try:
        pieces = decode_header(written)
    except Exception:  # it lets binascii.Error and others through
        pieces = [(written, None)]
    text = "".join(_piece(piece, charset) for piece, charset in pieces)
    return _BARE_ADDRESS.sub(r"\1\2", _QUOTED_NAME.sub(r"\1", " ".join(clean(text).split())))


def _piece(piece: bytes | str, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece
    if charset is None:
        return piece.decode("raw-unicode-escape", "replace")
    try:
        return decode(piece, charset)
    except LoadError:
        return piece.decode("ascii", "replace")


def _base64(raw: bytes) -> bytes:
    """Base64 however it is wrapped and wherever it was cut."""
    letters = _NOT_BASE64.sub(b"", raw)
    whole = len(letters) - (len(letters) % 4 == 1)
    return binascii.a2b_base64(letters[:whole] + b"=" * (-whole % 4))


def _before_line_end(data: bytes, position: int) -> int:
    """``position`` without the line end before it, which belongs to the border."""
    for line_end in (b"\r\n", b"\n"):
        if data.endswith(line_end, 0, position):
            return position - len(line_end)
    return position
