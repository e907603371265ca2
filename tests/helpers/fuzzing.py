"""Hostile files by the thousand: seeds of every format that loads, and what damages them.

Deterministic: the same seed and number give the same file. Used by the tests for a while and by
``benchmarks/fuzz.py`` for as long as one likes.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from docx import Document as WordDocument
from hostile_xml import epub, odt, xlsx
from places import FILES
from pptx import Presentation

from rag.errors import LoadError
from rag.load.registry import SUFFIXES, Loaded

MAX_SIZE = 300_000
"""Bytes of a file that is worth damaging: larger ones take the time of many small ones."""

_TEXTS = {
    ".txt": "Whales swim near Iceland. They sing.\r\n\r\nÄpfel, 日本語。\n\tEnd\x0c",
    ".md": "# Title\n\n- one\n  1. two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> *q* [l](u) `c`\n\n"
    "```py\nx\n```\n<div>raw</div>\n[r]: http://x\n",
    ".html": "<!doctype html><html lang=en><head><title>T</title><meta charset=utf-8><base href=x>"
    "</head><body><h1>Head</h1><p>One<br>two &amp; &#x41;</p><ul><li>a<ol><li>b</ol></ul><table>"
    "<tr><th rowspan=2>x<td colspan=3>y<tr><td>z</table><svg><text>s</text></svg><pre>p\n</pre>"
    "<template><p>t</p></template><details><summary>s</summary>d</details></body></html>",
    ".xml": '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e "x">]><a><b c="d">&e;</b></a>',
    ".json": '{"a": [1, 2.5e3, "x\\u0041", null, true], "b": {"c": "d"}}',
    ".jsonl": '{"a": 1}\n{"a": "two"}\n',
    ".csv": 'name;count\n"Whale; blue";3\nOrca;4\n',
    ".eml": "From: a@example.org\nTo: b@example.org\nSubject: =?utf-8?q?Caf=C3=A9?=\n"
    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\n"
    "Content-Type: text/plain; charset=utf-8\n\nHello\n--x\nContent-Type: text/html\n"
    "Content-Transfer-Encoding: base64\n\nPGI+aGk8L2I+\n--x--\n",
    ".mbox": "From a@b Mon Jan  1 00:00:00 2024\nSubject: one\n\nHello\n\n"
    "From c@d Mon Jan  1 00:00:01 2024\nSubject: two\n\n>From the start\n",
    ".py": '"""Module."""\n\n\ndef f(x):\n    return x  # comment\n',
    ".svg": '<svg xmlns="http://www.w3.org/2000/svg"><title>T</title><text>Hi</text></svg>',
    ".rss": '<rss version="2.0"><channel><title>T</title><item><title>One</title>'
    "<description>&lt;p&gt;Hi&lt;/p&gt;</description></item></channel></rss>",
    ".rtf": r"{\rtf1\ansi{\fonttbl\f0 Arial;}\f0\pard Hello \b bold\b0 \'e4 \u8364?\par}",
    ".ipynb": '{"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# T"]}, '
    '{"cell_type": "code", "metadata": {}, "outputs": [], "source": "x = 1"}], '
    '"metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
}
_TOKENS: tuple[bytes, ...] = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x80", b"\xed\xa0\x80", b"\r", b"\n", b"\t", b" ",
    b"<", b">", b"</", b"<!--", b"]]>", b"<![CDATA[", b"&#x110000;", b"&#0;", b"&lt;", b'"', b"'",
    b"<table>", b"<tr>", b"<td rowspan=65000 colspan=65000>", b"<p>", b"<h1>", b"<li>", b"<pre>",
    b"[", b"](", b"```", b"|", b"***", b"> ", b"- ", b"# ", b"\\", b"{", b"}", b"(", b")",
    b"<w:p>", b"</w:p>", b"<w:tbl>", b'w:val="-1"', b'w:val="999999999"',
    b"<w:r><w:t>x</w:t></w:r>",
    b"obj", b"endobj", b"stream", b"endstream", b"/Length 99999999", b"/Kids[1 0 R]", b"/Count -1",
    b"/W[1 2 1]", b"xref", b"trailer", b"%%EOF", b"startxref", b"4294967295", b"-1", b"1e999",
    b"NaN",
)  # fmt: skip


@dataclass(frozen=True)
class Seed:
    """A file to damage."""

    name: str
    data: bytes

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix


def seeds(suffixes: tuple[str, ...] = SUFFIXES) -> list[Seed]:
    """At least one file of each kind that loads: real ones, and some that are made here."""
    found = [
        Seed(path.name, path.read_bytes())
        for path in sorted(FILES.rglob("*"))
        if path.is_file() and path.stat().st_size <= MAX_SIZE
    ]
    found += [Seed(f"made{suffix}", text.encode()) for suffix, text in _TEXTS.items()]
    found += [Seed("made.docx", _word()), Seed("made.pptx", _slides())]
    found += [Seed("made.xlsx", xlsx("", "They sing.")), Seed("made.epub", epub("", "They sing."))]
    found += [Seed("made.odt", odt("", "They sing.")), Seed("made.tar", _tar())]
    found += [Seed("made.zip", _zip({"a.txt": b"Hello.\n", "b/c.html": b"<p>Hello.</p>"}))]
    found += [
        Seed("made.gz", gzip.compress(_TEXTS[".txt"].encode(), mtime=0)),
        Seed("made.bz2", bz2.compress(_TEXTS[".txt"].encode())),
        Seed("made.xz", lzma.compress(_TEXTS[".txt"].encode())),
    ]
    found = [seed for seed in found if seed.suffix in suffixes]
    return sorted(found, key=lambda seed: (seed.suffix, seed.name))


def _word() -> bytes:
    document = WordDocument()
    document.add_heading("Whales", 1)
    document.add_paragraph("They swim near Iceland.", style="List Bullet")
    table = document.add_table(2, 3)
    table.cell(0, 0).merge(table.cell(1, 1)).text = "merged"
    buffer = io.BytesIO()
    document.save(buffer)
    return _without_dates(buffer.getvalue())


def _slides() -> bytes:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text = "Whales"
    slide.placeholders[1].text = "They swim near Iceland."
    slide.notes_slide.notes_text_frame.text = "They sing."
    buffer = io.BytesIO()
    presentation.save(buffer)
    return _without_dates(buffer.getvalue())


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("a/b.txt")
        member.size = 7
        archive.addfile(member, io.BytesIO(b"Hello.\n"))
    return buffer.getvalue()


def _without_dates(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return _zip({name: archive.read(name) for name in archive.namelist()})


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)  # of no date
    return buffer.getvalue()


def damaged(data: bytes, number: int) -> bytes:
    """``data`` with damage; each number does it in another way."""
    chance = random.Random(f"{number}-{zlib.crc32(data)}")
    if data.startswith(b"PK\x03\x04") and chance.random() < 0.8:
        data = _in_a_member(data, chance)
    elif data.startswith(b"%PDF") and chance.random() < 0.5:
        data = _in_a_stream(data, chance)
    else:
        data = _damage(data, chance)
    return data


def _in_a_member(data: bytes, chance: random.Random) -> bytes:
    """Damage a member of an archive, and pack it anew: a damaged checksum stops most parsers."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # a seed that is damaged already; zipfile raises many kinds
        return _damage(data, chance)
    if not members:
        return _damage(data, chance)
    names = [n for n in members if n.endswith((".xml", ".rels", ".html", ".xhtml"))]
    name = chance.choice(names or list(members))
    members[name] = _damage(members[name], chance)
    if chance.random() < 0.1:
        del members[chance.choice(list(members))]
    return _zip(members)


def _in_a_stream(data: bytes, chance: random.Random) -> bytes:
    """Damage what a PDF's stream holds, and compress it anew."""
    starts = [i + 6 for i in _places(data, b"stream") if not data[:i].endswith(b"end")]
    if not starts:
        return _damage(data, chance)
    start = chance.choice(starts)
    start += 2 if data[start : start + 2] == b"\r\n" else 1
    end = data.find(b"endstream", start)
    try:
        content = zlib.decompress(data[start:end])
    except zlib.error:
        return _damage(data, chance)
    return data[:start] + zlib.compress(_damage(content, chance)) + data[end:]


def _places(data: bytes, word: bytes) -> list[int]:
    found, position = [], data.find(word)
    while position >= 0:
        found.append(position)
        position = data.find(word, position + 1)
    return found


def _damage(data: bytes, chance: random.Random) -> bytes:
    edits: tuple[Callable[[bytearray, random.Random], None], ...] = (
        _flip, _flip, _remove, _repeat, _insert, _insert, _cut, _swap, _number, _nest,
    )  # fmt: skip
    result = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        chance.choice(edits)(result, chance)
    return bytes(result)


def _range(data: bytearray, chance: random.Random, longest: int = 64) -> tuple[int, int]:
    start = chance.randint(0, len(data))
    return start, min(len(data), start + chance.randint(1, longest))


def _flip(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _remove(data: bytearray, chance: random.Random) -> None:
    start, end = _range(data, chance)
    del data[start:end]


def _repeat(data: bytearray, chance: random.Random) -> None:
    start, end = _range(data, chance)
    data[start:start] = data[start:end] * chance.choice((1, 2, 10, 300))


def _insert(data: bytearray, chance: random.Random) -> None:
    start = chance.randint(0, len(data))
    data[start:start] = chance.choice(_TOKENS) * chance.choice((1, 1, 2, 50))


def _cut(data: bytearray, chance: random.Random) -> None:
    if chance.random() < 0.2:
        del data[chance.randint(0, len(data)) :]


def _swap(data: bytearray, chance: random.Random) -> None:
    (a, b), (c, d) = _range(data, chance), _range(data, chance)
    piece = data[a:b]
    data[a:b] = data[c:d]
    data[c:d] = piece


def _number(data: bytearray, chance: random.Random) -> None:
    """Replaces a number by one at the edge of what programs expect."""
    digits = [i for i, byte in enumerate(data[:20_000]) if 48 <= byte <= 57]
    if digits:
        place = chance.choice(digits)
        data[place : place + 1] = chance.choice((b"0", b"-1", b"65536", b"2147483648", b"9" * 20))


def _nest(data: bytearray, chance: random.Random) -> None:
    """Opens brackets or elements many times."""
    if chance.random() < 0.1:
        start = chance.randint(0, len(data))
        opening = chance.choice((b"<div>", b"<table><tr><td>", b"[", b"{", b"(", b"> ", b"<w:p>"))
        data[start:start] = opening * chance.choice((50, 2_000))


BAD_REASONS = ("crashes its parser", "was not read within", "needs more than")


def finding(load: Callable[[bytes, str], Loaded], data: bytes, name: str) -> str:
    """What is wrong with how a file is read; "" where it is read, or refused with a reason."""
    try:
        load(data, name)
    except LoadError as error:
        return str(error) if str(error).startswith(BAD_REASONS) else ""
    return ""
