"""Mails as the standard library parses them, and their headers as words.

``email.policy.default`` is not used: its parser of headers needs minutes for some of 20,000
characters, and loses characters that are divided between two encoded words, or not encoded at all.
"""

from __future__ import annotations

import re
from email.errors import InvalidBase64LengthDefect
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from typing import cast

from rag.errors import LoadError
from rag.load.builder import clean
from rag.load.detect.encoding import decode

_MAX_HEADER_LENGTH = 10_000
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_BARE_ADDRESS = re.compile(r"(^|, ?)<([^<>\s]+@[^<>\s]+)>")
_QUOTED_NAME = re.compile(r'"([^",<>]*)"(?=\s*<)')


class _Headers(Compat32):
    """Headers as they are written, in whatever encoding; of those made to do harm the beginning."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        value = value[:_MAX_HEADER_LENGTH]
        return value if value.isascii() else _decoded(value.encode("utf-8", "surrogateescape"), "")


_PARSER = BytesParser(policy=_Headers())


def parse(data: bytes) -> Message:
    """A mail with all its parts. Raises ``RecursionError`` for parts hundreds deep in others."""
    return _PARSER.parsebytes(_with_headers_in_utf8(data))


def parse_headers(data: bytes) -> Message:
    """The headers of a mail alone."""
    return _PARSER.parsebytes(_with_headers_in_utf8(data), headersonly=True)


def header(part: Message, name: str) -> str:
    """A header's words, decoded and on one line; "" without it."""
    return _words(part.get(name) or "")


def file_name(part: Message) -> str:
    """The name that the sender gave the part; "" without one."""
    try:
        return _words(part.get_filename() or "")
    except Exception:  # malformed parameters make it raise many kinds
        return ""


def charset(part: Message) -> str:
    """The encoding that the part names; "" if it names none."""
    try:
        return part.get_content_charset() or ""
    except Exception:  # as above
        return ""


def content(part: Message) -> bytes:
    """The content without its transfer encoding; of a part that holds others all of them."""
    if part.is_multipart():
        return b"\n".join(inner.as_bytes() for inner in children(part))
    if encoding := header(part, "Content-Transfer-Encoding").split():
        part.replace_header("Content-Transfer-Encoding", encoding[0])
    decoded = part.get_payload(decode=True)
    if any(isinstance(defect, InvalidBase64LengthDefect) for defect in part.defects):  # cut off
        part.set_payload(str(part.get_payload()).rstrip()[:-1])
        decoded = part.get_payload(decode=True)
    return bytes(cast(bytes, decoded) or b"")


def children(part: Message) -> list[Message]:
    """The parts of a part; none where it has no border."""
    return cast(list[Message], part.get_payload()) if part.is_multipart() else []


def attached_mail(part: Message) -> Message:
    """The mail in a part of type ``message/rfc822``, also where it is encoded against the rules."""
    [inner] = children(part)
    if part["Content-Transfer-Encoding"] and not inner.keys():
        encoded = Message()
        encoded["Content-Transfer-Encoding"] = part["Content-Transfer-Encoding"]
        encoded.set_payload(inner.get_payload())
        return parse(content(encoded))
    return inner


def _with_headers_in_utf8(data: bytes) -> bytes:
    """The mail; headers in a legacy encoding are decoded together, for one has few words."""
    end = found.start() if (found := _END_OF_HEADERS.search(data)) else len(data)
    headers = data[:end]
    if headers.isascii():
        return data
    try:
        return decode(headers).encode() + data[end:]
    except LoadError:
        return data


def _words(written: str) -> str:
    """A header's value on one line, its encoded words decoded, names and addresses bare."""
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
    return _decoded(piece, charset)


def _decoded(data: bytes, charset: str) -> str:
    try:
        return decode(data, charset)
    except LoadError:
        return data.decode("ascii", "replace")
