"""The edge: types, refusals, and that nothing but LoadError comes out."""

import gzip
import io
import subprocess
import sys
import tracemalloc
import unicodedata
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import FILES

from rag.errors import LoadError
from rag.load.detect.sniff import sniff
from rag.load.registry import SUFFIXES, load_bytes, load_file
from rag.types import Document

PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


def zip_of(**parts: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def test_the_supported_suffixes() -> None:
    """Each suffix once, and those of the formats that people ask for."""
    assert list(SUFFIXES) == sorted(set(SUFFIXES))
    for suffix in (
        ".csv .doc .docm .docx .dotx .eml .epub .htm .html .ipynb .json .jsonl .log .markdown "
        ".mbox .md .msg .odp .ods .odt .pdf .ppsx .ppt .pptx .py .rss .rst .rtf .svg .tar "
        ".text .tgz .tsv .txt .xhtml .xls .xlsm .xlsx .xml .zip"
    ).split():
        assert suffix in SUFFIXES


def test_importing_loads_no_parser() -> None:
    code = (
        "import sys, rag.load\n"
        "print([m for m in ('pypdfium2', 'docx', 'lxml', 'selectolax', 'charset_normalizer',"
        " 'markdown_it', 'pptx', 'xlrd', 'olefile') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("source", "data", "reason"),
    [
        ("a.txt", b"", "is empty"),
        ("a.txt", b" \r\n\t\n", "holds no text"),
        ("a.html", b"<title>T</title><script>x</script>", "holds no text"),
        ("a.txt", PNG, "is a PNG image, whose words only OCR can read; to have it read, install"),
        ("a.pdf", PNG, "is a PNG image, whose words only OCR can read; to have it read, install"),
        ("a.txt", b"some\0binary\0\0\0\xff\xfe", "is binary data"),
        ("a.txt", b"abc\0" * 100, "is binary data"),
        ("a.txt", b"abc\0", "is binary data"),
        ("a.txt", b"hello\0world\0" * 50, "is binary data"),
        ("a.txt", bytes(range(1, 32)) * 9 + b"\xff", "is binary data"),
        ("a.txt", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is a legacy Office file"),
        (
            "a.doc",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "WordDocument".encode("utf-16-le"),
            "is damaged or not a Word document",
        ),
        ("a.rtf", b"{\\rtf1 }", "holds no text"),
        ("a.rtf", b"\x00\x01 no text", "is damaged or not an RTF document"),
        ("a.doc", b"\x00\x01 no text", "is damaged or not a Word document"),
        ("a.xls", b"\x00\x01 no text", "is binary data"),
        ("a.xlsx", zip_of(**{"xl__workbook.xml": ""}), "is damaged or not an Excel workbook"),
        ("a.pptx", b"PK\x03\x04 cut", "is damaged or not a PowerPoint presentation"),
        ("a.epub", b"PK\x03\x04 cut", "is damaged or not an EPUB book"),
        ("a.docx", b"PK\x03\x04 cut short", "is damaged or not a Word document"),
        ("a.docx", zip_of(**{"word__document.xml": "<a"}), "is damaged or not a Word document"),
        ("a.ppt", b"\0\1\2" * 99, "is damaged or not a PowerPoint presentation"),
        ("a.docx", b"\0\1\2" * 99, "is damaged or not a Word document"),
        ("a.pdf", b"\0\1\2" * 99, "is damaged or not a PDF"),
        ("a.pdf", b"%PDF-1.7 nothing else", "is damaged or not a PDF"),
        ("a.zip", zip_of(**{"[Content_Types].xml": ""}), "is a file of a program that packs"),
        ("a.jar", zip_of(**{"META-INF__MANIFEST.MF": "x"}), "is a Java archive"),
        ("a.pages", zip_of(**{"Index__Document.iwa": "x"}), "is a Pages, Numbers or Keynote"),
        ("a.xyz", b"\0\1\2" * 99, "is binary data of an unknown type"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(
    source: str, data: bytes, reason: str
) -> None:
    with pytest.raises(LoadError) as refused:
        load_bytes(data, source)
    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_telling_an_archives_kind_does_not_unpack_it(method: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("mimetype", bytes(32_000_000))
    data = buffer.getvalue()
    tracemalloc.start()
    try:
        assert sniff(data) == "zip"
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_says_what_it_is(method: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("mimetype", "application/epub+zip")
    assert sniff(buffer.getvalue()) == "epub"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("encrypted-file.pdf", "is encrypted; remove its password"),
        ("r6-user-password.pdf", "is encrypted; remove its password"),
        ("testOCR.pdf", "has no text layer (scanned pages?)"),
        ("testWORD_protected_passtika.docx", "is an encrypted Office document"),
    ],
)
def test_protected_and_scanned_files(name: str, reason: str) -> None:
    with pytest.raises(LoadError) as refused:
        load_bytes((FILES / name).read_bytes(), name)
    assert str(refused.value).startswith(reason)


def test_content_counts_more_than_the_name() -> None:
    pdf = (FILES / "testPDF_bookmarks.pdf").read_bytes()
    for source in ("a.txt", "a", "a.bin", "a.docx"):
        assert len(load_bytes(pdf, source).pages) == 2
    assert load_bytes(b"<!DOCTYPE html><p>one<p>two", "a.txt").text == "one\n\ntwo"
    assert load_bytes(b"<html> is Markdown here", "a.md").text == "<html> is Markdown here"
    assert load_bytes(b"unknown suffix", "a.xyz").text == "unknown suffix"
    assert load_bytes(b"no suffix", "folder.d/README").text == "no suffix"
    assert load_bytes(b"upper case", "A.TXT").text == "upper case"


def starts() -> list[bytes]:
    """What the formats begin with, and some that are whole."""
    return [
        b"<html><table><tr><th>a<td rowspan=2>b</table><h1>x",
        b"%PDF-1.4\n",
        b"PK\x03\x04",
        b"# a\n\n---\n",
        b"\xff\xfe",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        zip_of(**{"a.txt": "x", "b.eml": "From: a\n\nx", "../c": "x"}),
        gzip.compress(b"words"),
        b"BZh91AY&SY",
        b"\xfd7zXZ\0",
        b"\0" * 257 + b"ustar",
        b"From: a\nMessage-ID: b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n",
        b"From a 1\nFrom: b\n\n",
        b'{"a": [{"b": ',
        b'{"nbformat": 4, "cells": [{"source": "x"}]}',
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>",
        b"<rss><item><title>",
        b"#!/bin/sh\n",
        rb"{\rtf1\ansi{\fonttbl{\f0\fcharset128 a;}}\trowd\cellx1\intbl a\cell\row\u12?\'82",
        b"a,b\n1,2\n",
        b"\x09\x08\x08\x00",
        b"<office:document ",
        b"<Workbook",
    ]


KINDS = (
    ".bz2 .csv .doc .docx .eml .epub .gz .html .ipynb .json .jsonl .mbox .md .msg .odt .pdf .ppt "
    ".pptx .py .rtf .svg .tar .txt .xls .xlsx .xml .xz .zip .unknown"
).split()


@pytest.mark.parametrize("suffix", [*KINDS, ""])
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(start=st.sampled_from([b"", *starts()]), rest=st.binary(max_size=300))
def test_any_bytes_load_or_are_refused(suffix: str, start: bytes, rest: bytes) -> None:
    check(start + rest, "dir/file" + suffix)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    files=st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20),
            st.sampled_from([b"", *starts()]),
            st.binary(max_size=50),
        ),
        max_size=5,
    )
)
def test_any_members_load_or_are_refused(files: list[tuple[str, bytes, bytes]]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, (name, start, rest) in enumerate(files):
            archive.writestr(f"{number}{name}", start + rest)
    check(buffer.getvalue(), "a.zip")


DAMAGED = (
    "testPDF_bookmarks.pdf testWORD_various.docx testEXCEL.strict.xlsx testEXCEL.xls testWORD.doc "
    "testPPT_embedded2.ppt testODFwithOOo3.odt testRTFListLibreOffice.rtf"
).split()


@pytest.mark.parametrize("name", DAMAGED)
@settings(max_examples=40)
@given(at=st.floats(0, 1, exclude_max=True), junk=st.binary(max_size=20), cut=st.booleans())
def test_damaged_files_load_or_are_refused(name: str, at: float, junk: bytes, cut: bool) -> None:
    data = (FILES / name).read_bytes()
    place = int(at * len(data))
    check(data[:place] + junk + (b"" if cut else data[place + len(junk) :]), name)


def check(data: bytes, source: str) -> None:
    """Whatever it is, it ends as documents and reasons, each with a source of its own."""
    try:
        loaded = load_file(data, source)
    except LoadError as error:
        reasons = [str(error)]
        documents: tuple[Document, ...] = ()
        failed: list[str] = []
    else:
        reasons = [why for _, why in loaded.failed]
        documents = loaded.documents
        failed = [name for name, _ in loaded.failed]
        assert documents
    names = [document.source for document in documents]
    assert len(set(names)) == len(names)
    for name in names + failed:
        assert name == source or name.startswith(f"{source}/")
        assert ".." not in name.split("/")
        assert not {unicodedata.category(c) for c in name} & {"Cc", "Cs", "Zl", "Zp"}
    for why in reasons:
        assert why[0].islower()
        assert len(why) < 1000
    for document in documents:
        check_document(document)


def check_document(document: Document) -> None:
    document.text.encode("utf-8")  # fails for lone surrogates
    assert document.text.strip()
    assert "\r" not in document.text
    assert "\0" not in document.text
    for heading in document.headings:
        words = document.text[heading.start : heading.end]
        assert words
        assert words == words.strip()
    ends = [0]
    for place in document.places:
        assert ends[-1] <= place.start < place.end <= len(document.text)
        ends.append(place.end)
