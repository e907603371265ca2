"""Source code, texts of unknown types, and what is no text though it looks like one."""

import base64
import random

import pytest

from rag.errors import LoadError
from rag.indexing.chunk import Limit, chunk, count_tiktoken
from rag.load.detect.encoding import decode
from rag.load.detect.signatures import describe
from rag.load.registry import load_bytes

PYTHON = '''\
#!/usr/bin/env python3
"""Module of examples."""

import os
import sys

LIMIT = 10
name = os.name
value = 5


def first(a, b):
    """Adds. And more."""
    total = a + b
    return total


class Thing:
    size: int = 3

    def second(self):
        if self.size > LIMIT:
            raise ValueError("too large")
        return [first(i, 1) for i in range(self.size)]
'''


def refusal(data: bytes, source: str) -> str:
    with pytest.raises(LoadError) as refused:
        load_bytes(data, source)
    return str(refused.value)


@pytest.mark.parametrize(
    "source", ["a.py", "a.sh", "A.PY", "Makefile", "script", "a.yaml", "x.unknown", "a.txt"]
)
def test_code_stays_as_it_is_and_its_first_line_is_no_title(source: str) -> None:
    document = load_bytes(PYTHON.replace("\n", "\r\n").encode(), source)
    assert document.text == PYTHON
    assert document.title == ""
    assert document.headings == ()


def test_code_that_looks_like_something_else() -> None:
    page = b"<!DOCTYPE html><html><?php echo 'code'; ?></html>"
    assert load_bytes(page, "a.php").text == page.decode()
    mail = "From: a\nMessage-ID: <b>\nSubject: c\n"
    assert load_bytes(mail.encode(), "a.yaml").text == mail
    assert load_bytes(b"<?xml version='1.0'?><a>x</a>", "a.conf").text.startswith("<?xml")


def test_chunks_of_code_are_whole_lines() -> None:
    document = load_bytes((PYTHON * 5).encode(), "a.py")
    limit = Limit(count_tiktoken, 254)
    chunks = chunk(document, max_tokens=60, overlap=1, embedder_limit=limit)
    lines = {line.strip() for line in PYTHON.splitlines()}
    for piece in chunks:
        found = [line.strip() for line in piece.text.splitlines()]
        assert set(found[1:-1]) <= lines
        assert any(line.endswith(found[-1]) for line in lines)
    assert len(chunks) > 8


@pytest.mark.parametrize("suffix", [".js", ".css", ".mjs"])
def test_minified_code(suffix: str) -> None:
    packed = "function a(b){return b+1};" * 200
    assert refusal(packed.encode(), f"a{suffix}").startswith("is minified code")
    assert load_bytes(packed.replace("}", "}\n").encode(), f"a{suffix}").text.startswith("function")
    assert load_bytes(packed.encode(), "a.txt").text == packed
    assert load_bytes(packed[:1000].encode(), f"a{suffix}").text == packed[:1000]


@pytest.mark.parametrize("source", ["a.txt", "a.py", "a.dat"])
def test_binary_data_written_as_text(source: str) -> None:
    data = random.Random(1).randbytes(6000)
    reason = "is binary data written as text (base64 or hexadecimal); remove it or decode it"
    assert refusal(base64.b64encode(data), source) == reason
    assert refusal(base64.encodebytes(data), source) == reason
    assert refusal(data.hex().encode(), source) == reason


@pytest.mark.parametrize(
    "text",
    [
        "=" * 5000,
        "ACGT" * 1500,
        "314159265358979" * 500,
        "words without an end " * 300,
        "Donaudampfschifffahrtsgesellschaftskapitaen" * 100,
        "东京是日本的首都" * 500,
        "some words, then a key:\n" * 60 + base64.b64encode(bytes(range(256))).decode(),
    ],
)
def test_texts_with_long_words_are_texts(text: str) -> None:
    assert load_bytes(text.encode(), "a.txt").text == text


@pytest.mark.parametrize("source", ["a.jpg", "a.xyz", "a.pdf", "a.docx", "a.zip", "a.msg", "a.tar"])
def test_a_text_is_a_text_whatever_its_name(source: str) -> None:
    assert load_bytes(b"just words", source).text == "just words"
    page = b"<!DOCTYPE html><p>one<p>two"
    assert load_bytes(page, source).text == "one\n\ntwo"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0\x01\0\0\0\x0f\0\x80" + bytes(40), "is a TrueType font, which holds no text"),
        (b"wOF2\0\1\0\0" + bytes(40), "is a web font, which holds no text; remove it"),
        (b"PAR1\x15\x04\x15\0" + bytes(40), "is a Parquet table, which is not supported; export"),
        (b"\x93NUMPY\x01\0v\0" + bytes(40), "is a NumPy array, which is not supported; export its"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", "is a compiled Java class or a program, which holds no"),
        (b"\xa7\r\r\n\0\0\0\0" + bytes(8), "is a compiled Python module, which holds no text"),
        (b"ITSF\x03\0\0\0" + bytes(40), "is a compiled help file (.chm), which is not supported"),
        (bytes(32769) + b"CD001", "is a disc image, which is not opened; unpack it into"),
        ((b"\x47\x40\0\x10" + bytes(184)) * 3, "is an MPEG video, which holds no text; add a"),
        (bytes(range(256)) * 4, "is binary data of an unknown type; remove it or convert it to a"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("source", ["a.bin", "a.txt", "a.ts", "a"])
def test_unknown_binary_data_is_named(data: bytes, reason: str, source: str) -> None:
    assert refusal(data, source).startswith(reason)


def test_texts_that_begin_like_a_binary_file() -> None:
    for text in ("OTTO von Bismarck", "PAR1 is a format", "FORM 10-K", "8BPS", "!BDN", "AC1015"):
        assert describe(text.encode()) != ""
        assert decode(text.encode()) == text
        assert load_bytes(text.encode(), "a").text == text
