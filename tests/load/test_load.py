"""The edge: types, refusals, and that nothing but LoadError comes out."""

import io
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import LoadError
from rag.load import SUFFIXES, load_bytes
from rag.load.sniff import sniff

DATA = Path(__file__).parent / "data"
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
        ("a.txt", PNG, "is a PNG image"),
        ("a.pdf", PNG, "is a PNG image"),
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
        load_bytes((DATA / name).read_bytes(), name)
    assert str(refused.value).startswith(reason)


def test_content_counts_more_than_the_name() -> None:
    pdf = (DATA / "testPDF_bookmarks.pdf").read_bytes()
    for source in ("a.txt", "a", "a.bin", "a.docx"):
        assert len(load_bytes(pdf, source).pages) == 2
    assert load_bytes(b"<!DOCTYPE html><p>one<p>two", "a.txt").text == "one\n\ntwo"
    assert load_bytes(b"<html> is Markdown here", "a.md").text == "<html> is Markdown here"
    assert load_bytes(b"no suffix", "folder.d/README").text == "no suffix"
    assert load_bytes(b"upper case", "A.TXT").text == "upper case"


def seeds() -> list[bytes]:
    html = b"<html><table><tr><th>a<td rowspan=2>b</table><h1>x"
    rtf = rb"{\rtf1\ansi{\fonttbl{\f0\fcharset128 a;}}\trowd\cellx1\intbl a\cell\row\u12?\'82"
    table = b"a,b\n1,2\n"
    return [
        html, rtf, table, b"%PDF-1.4\n", b"PK\x03\x04", b"# a\n\n---\n", b"\xff\xfe",
        b"\xd0\xcf\x11\xe0", b"\x09\x08\x08\x00", b"<office:document ", b"<Workbook",
    ]  # fmt: skip


KINDS = ".csv .doc .docx .epub .html .md .odt .pdf .ppt .pptx .rtf .txt .xls .xlsx".split()


@pytest.mark.parametrize("suffix", [*KINDS, ""])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(start=st.sampled_from([b"", *seeds()]), rest=st.binary(max_size=300))
def test_any_bytes_load_or_are_refused(suffix: str, start: bytes, rest: bytes) -> None:
    check(start + rest, "file" + suffix)


DAMAGED = (
    "testPDF_bookmarks.pdf testWORD_various.docx testEXCEL.strict.xlsx testEXCEL.xls testWORD.doc "
    "testPPT_embedded2.ppt testODFwithOOo3.odt testRTFListLibreOffice.rtf"
).split()


@pytest.mark.parametrize("name", DAMAGED)
@settings(max_examples=40, deadline=None)
@given(at=st.floats(0, 1, exclude_max=True), junk=st.binary(max_size=20), cut=st.booleans())
def test_damaged_files_load_or_are_refused(name: str, at: float, junk: bytes, cut: bool) -> None:
    data = (DATA / name).read_bytes()
    place = int(at * len(data))
    check(data[:place] + junk + (b"" if cut else data[place + len(junk) :]), name)


def check(data: bytes, source: str) -> None:
    try:
        document = load_bytes(data, source)
    except LoadError:
        return
    assert document.text.strip()
    document.text.encode("utf-8")  # fails for lone surrogates
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
