"""Bytes -> text: which encoding a text file is in.

In this order: byte-order mark, strict UTF-8, UTF-16 and UTF-32 without mark, what the file itself
declares (HTML), UTF-8 with a few bad bytes, and only then a guess at the legacy code page.
"""

from __future__ import annotations

import codecs
import re
import unicodedata

from rag.errors import LoadError
from rag.load.detect.legacy import guess
from rag.load.detect.signatures import describe

_BOMS: tuple[tuple[bytes, str], ...] = (  # UTF-32 first: its mark starts with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ALIASES = {  # what browsers read these labels as (WHATWG Encoding Standard)
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "iso8859-11": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "utf-16": "utf-8",  # a label that could be read is not UTF-16
    "utf-16-le": "utf-8",
    "utf-16-be": "utf-8",
}
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]")


def decode(data: bytes, declared: str | None = None) -> str:
    """Return ``data`` as text with line ends ``\\n`` and no lone surrogate.

    ``declared`` is the encoding that the file names itself. Raises :class:`LoadError` for binary
    data.
    """
    text = _decode(data, _python_name(declared))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def windows_encoding(code_page: int | None) -> str | None:
    """Python's name for a code page of Windows or the Macintosh; None for one that is unknown."""
    names = {65001: "utf-8", 28591: "latin-1", 10000: "mac_roman", 708: "cp1256", 936: "gb18030"}
    try:
        return codecs.lookup(names.get(code_page or 0, f"cp{code_page}")).name
    except LookupError:
        return None


def _decode(data: bytes, declared: str | None) -> str:
    for mark, encoding in _BOMS:
        # FF FE 00 00 is also UTF-16 for a text that starts with NUL, which no text does.
        if data.startswith(mark):
            return _without_nul(data, data[len(mark) :].decode(encoding, errors="replace"))
    if b"\0" in data:
        return _wide_without_mark(data)
    if declared in ("iso2022_jp", "hz") and (text := _strict(data, declared)) is not None:
        return text  # these are plain ASCII bytes, so that UTF-8 would fit too
    if (text := _strict(data, "utf-8")) is not None:
        return text
    if declared and (text := _strict(data, declared)) is not None:
        return text
    if (text := _mostly_utf8(data)) is not None:
        return text
    if len(_CONTROL.findall(data)) * 100 > len(data):
        raise LoadError(describe(data))
    return guess(data)


def _python_name(label: str | None) -> str | None:
    """Python's name for a declared encoding; None for one that is unknown or not of text."""
    try:
        info = codecs.lookup((label or "").strip())
    except (LookupError, ValueError):
        return None
    if not getattr(info, "_is_text_encoding", True) or info.name in ("utf-7", "idna", "punycode"):
        return None
    return _ALIASES.get(info.name, info.name)


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return _without_surrogates(data.decode(encoding))
    except (UnicodeError, LookupError):
        return None


def _without_surrogates(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def _without_nul(data: bytes, text: str) -> str:
    if "\0" in text:
        raise LoadError(describe(data))
    return text


def _wide_without_mark(data: bytes) -> str:
    """UTF-16 or UTF-32 where the zero bytes of ASCII characters give it away."""
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        text = _strict(data, encoding)
        if text and _is_plausible(text):
            return text
    raise LoadError(describe(data))


def _is_plausible(text: str) -> bool:
    """Whether wide characters are text: assigned ones, ASCII among them, and no joined bytes."""
    sample = text[:20_000]
    if "\0" in text or any(
        unicodedata.category(c) in ("Cc", "Cn", "Co", "Cs") and c not in "\t\n\r\f" for c in sample
    ):
        return False
    joined = sum(_is_two_ascii(ord(c)) for c in sample)
    wide = sum(not c.isascii() for c in sample)
    if joined * 3 > wide * 2 and joined * 4 >= len(sample):
        return False
    return (len(sample) - wide) * 20 >= len(sample)


def _is_two_ascii(code: int) -> bool:
    """Whether a character looks like two bytes of ASCII text: "ab" is U+6261.

    Of Chinese characters up to four in ten do. Those whose upper byte is below ``2`` do not
    count: among them are hiragana and punctuation.
    """
    high, low = divmod(code, 256)
    return low < 0x80 and (0x32 <= high <= 0x5A or 0x61 <= high <= 0x7A)


def _mostly_utf8(data: bytes) -> str | None:
    """UTF-8 in which a few bytes are bad, such as a text that was cut: those become U+FFFD."""
    text = data.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    good = sum(not c.isascii() for c in text) - bad
    return text if good >= 10 * bad else None
