"""DOC, XLS and PPT: words, headings, rows and slides of the old binary formats."""

import io
import struct

import olefile
import pytest
import xlsxwriter
from places import FILES

from rag.errors import LoadError
from rag.load.ole import title_in
from rag.load.registry import load_bytes
from rag.types import Document, Page

_PPT = "testPPT_protected_passtika.ppt"


def load(name: str) -> Document:
    return load_bytes((FILES / name).read_bytes(), name)


def headings(document: Document) -> list[tuple[int, str]]:
    return [(h.level, document.text[h.start : h.end]) for h in document.headings]


def test_doc_headings_tables_links_and_margins() -> None:
    document = load("testWORD.doc")
    assert headings(document) == [
        (1, "Sample Word Document Title"),
        (1, "Heading Level 1"),
        (2, "Heading Level 2"),
        (3, "Heading Level 3"),
    ]
    assert document.title == "Sample Word Document"
    assert "\n\nApache Tika: http://tika.apache.org/ Tika\n\n" in document.text
    assert "HYPERLINK" not in document.text
    assert document.text.endswith(
        "\n\nThis is the header for our document\n\nThis is the footer for our document"
    )


def test_doc_of_a_program_that_writes_names_in_lower_case() -> None:
    assert load("simple_lower_case.doc").text == "This is a sample Word document"


def test_doc_without_hidden_text() -> None:
    text = load("testWORD_features.doc").text
    assert text.startswith("Lorem ipsum dolor sit amet, consectetur adipiscing elit.")
    assert "This is hidden text" not in text


@pytest.mark.parametrize(
    "name", ["testWORD_protected_passtika.doc", "testPPT_protected_passtika.ppt", "password.xls"]
)
def test_encrypted_files_are_refused(name: str) -> None:
    with pytest.raises(LoadError, match=r"^is encrypted; remove its password"):
        load(name)


def test_doc_that_is_damaged() -> None:
    data = in_container("testWORD.doc", **{"1Table": b""})
    with pytest.raises(LoadError, match=r"^is damaged or not a Word document; open it in Word"):
        load_bytes(data, "a.doc")


def test_doc_without_comments() -> None:
    assert "This is a comment" not in load("testWORD_features.doc").text


def word(text: str, *, version: int = 101, flags: int = 0, language: int = 0x0409) -> bytes:
    """A document of Word 6 in the container of a real file."""
    stored = text.encode({0x0409: "cp1252", 0x0419: "cp1251"}[language])
    header = bytearray(0x400)
    struct.pack_into("<HHxxH", header, 0, 0xA5DC, version, language)
    struct.pack_into("<H", header, 0x0A, flags)
    struct.pack_into("<II", header, 0x18, 0x400, 0x400 + len(stored))
    struct.pack_into("<i", header, 0x34, len(stored))
    return in_container("testWORD.doc", WordDocument=bytes(header) + stored)


def test_word_6_in_the_code_page_of_its_language() -> None:
    assert load_bytes(word("Привет\rмир\r", language=0x0419), "a.doc").text == "Привет\n\nмир"


def test_word_6_that_is_encrypted() -> None:
    with pytest.raises(LoadError, match=r"^is encrypted; remove its password"):
        load_bytes(word("Hello\r", flags=0x0100), "a.doc")


def test_a_lone_short_first_line_is_no_heading() -> None:
    document = load_bytes(word("12 March 2024\rDear Sir, the tea has come.\r"), "a.doc")
    assert document.text == "12 March 2024\n\nDear Sir, the tea has come."
    assert document.headings == ()


def test_lines_in_capitals_are_headings_but_numbers_are_not() -> None:
    document = load_bytes(word("TEA\rIt is hot.\r(1)\rCAKE\rIt is sweet.\r"), "a.doc")
    assert headings(document) == [(1, "TEA"), (2, "CAKE")]
    assert document.text == "TEA\n\nIt is hot.\n\n(1)\n\nCAKE\n\nIt is sweet."


def in_container(name: str, **streams: bytes) -> bytes:
    """The streams in the container of a real file, filled up to the length that they have."""
    buffer = io.BytesIO((FILES / name).read_bytes())
    with olefile.OleFileIO(buffer, write_mode=True) as container:
        for stream, content in streams.items():
            size = container.get_size(stream)
            container.write_stream(stream, content.ljust(size, b"\0"))
    return buffer.getvalue()


def test_xls_rows_with_places() -> None:
    document = load("testEXCEL.xls")
    assert document.text.startswith(
        "Feuil1\n\nSample Excel Worksheet - Numbers and their Squares\n\n"
        "Number: 1 | Square: 1\nNumber: 2 | Square: 4\n"
    )
    assert document.place_at(document.text.index("Square: 4")) == "Feuil1, row 7"


def test_xls_values_as_they_are_shown() -> None:
    text = load("testEXCEL-formats.xls").text
    assert "Currency $#,##0.00;[Red]($#,##0.00) | $1,599.99 | ($1,599.99)" in text
    assert "Date/Time Format | 2008-01-19 04:35" in text
    assert "Custom Number: | 19 dollars and .99 cents" in text


def test_xls_that_is_something_else() -> None:
    assert load_bytes(b"a\tb\n1\t2\n", "a.xls").text == "a: 1 | b: 2"
    html = b"<table><tr><th>a<th>b<tr><td>1<td>2</table>"
    assert load_bytes(html, "a.xls").text == "a: 1 | b: 2"
    with xlsxwriter.Workbook(buffer := io.BytesIO()) as book:
        book.add_worksheet("S").write(0, 0, "x")
    assert load_bytes(buffer.getvalue(), "a.xls").text == "S\n\nx"


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ('<?mso-application progid="Excel.Sheet"?><Workbook', "is an Excel 2003 XML workbook"),
        ('<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"', "is an Excel 2003 XML"),
        ('<?mso-application progid="Word.Document"?><w:wordDocument', "is a Word document as one"),
    ],
)
@pytest.mark.parametrize("suffix", [".xml", ".xls", ".doc"])
def test_office_documents_as_one_file_of_xml_are_refused(
    start: str, reason: str, suffix: str
) -> None:
    with pytest.raises(LoadError, match=rf"^{reason}.*; save it as \.(xlsx|docx) or PDF$"):
        load_bytes(f'<?xml version="1.0"?>{start}/>'.encode(), f"a{suffix}")


def record(kind: int, content: bytes, instance: int = 0, version: int = 0xF) -> bytes:
    return struct.pack("<HHI", instance << 4 | version, kind, len(content)) + content


def atom(kind: int, content: bytes, instance: int = 0) -> bytes:
    return record(kind, content, instance, 0)


def text_of(kind: int, words: str) -> bytes:
    return atom(0x0F9F, struct.pack("<I", kind)) + atom(0x0FA0, words.encode("utf-16-le"))


def shapes(*boxes: bytes) -> bytes:
    return record(
        0x040C, record(0xF002, b"".join(record(0xF004, record(0xF00D, b)) for b in boxes))
    )


def persist(reference: int, identity: int) -> bytes:
    return atom(0x03F3, struct.pack("<5I", reference, 0, 0, identity, 0))


def presentation() -> bytes:
    """A file with two slides, the first of which was saved twice and has notes."""
    outline = persist(2, 256) + text_of(0, "Old title") + text_of(1, "One\rTwo") + persist(3, 257)
    document = record(
        0x03E8,
        record(0x0FF0, outline, instance=0) + record(0x0FF0, persist(4, 256), instance=2),
    )
    refers = [atom(0x0F9E, struct.pack("<I", index)) for index in (1,)]
    first = record(
        0x03EE,
        shapes(
            *refers,
            text_of(0, "New title"),
            atom(0x0F9F, struct.pack("<I", 4)) + atom(0x0FA8, b"caf\xe9"),
            text_of(4, "*"),
        ),
    )
    notes = record(0x03F0, atom(0x03F1, struct.pack("<IHH", 256, 0, 0)) + shapes(text_of(2, "Say")))
    parts = [document, record(0x03EE, b""), record(0x03EE, shapes(text_of(6, "End"))), notes]
    stream, places = b"", []
    for part in parts:
        places.append(len(stream))
        stream += part

    def edit(before: int, entries: dict[int, int]) -> int:
        nonlocal stream
        directory = len(stream)
        stream += atom(
            0x1772, b"".join(struct.pack("<II", r | 1 << 20, p) for r, p in entries.items())
        )
        at = len(stream)
        stream += atom(0x0FF5, struct.pack("<7I", 0, 0, before, directory, 1, 5, 0))
        return at

    before = edit(0, dict(enumerate(places, 1)))
    latest = len(stream)
    stream += first
    last = edit(before, {2: latest})
    user = struct.pack("<HHI", 0, 0x0FF6, 42) + struct.pack("<III", 0x14, 0xE391C05F, last)
    return in_container(_PPT, **{"PowerPoint Document": stream, "Current User": user})


def test_ppt_slides_in_their_latest_version_with_notes() -> None:
    document = load_bytes(presentation(), "a.ppt")
    assert document.text == "New title\n\nOne\n\nTwo\n\ncafé\n\nNotes: Say\n\nEnd"
    end = document.text.index("End")
    assert document.pages == (Page(1, 0, end), Page(2, end, len(document.text)))
    assert document.place_at(end) == "slide 2"
    assert headings(document) == [(1, "New title"), (1, "End")]
    assert document.title == "New title"


def test_ppt_of_a_real_file() -> None:
    document = load("testPPT_embedded2.ppt")
    assert document.text == "Title of presentation\n\nText for viewing\n\nThe graph\n\ndiskette"
    assert document.title == "Title of presentation"


def test_ppt_that_is_damaged() -> None:
    user = struct.pack("<HHI", 0, 0x0FF6, 42) + struct.pack("<III", 0x14, 0xE391C05F, 8)
    for stream in (b"", record(0x03E8, b"") * 3, atom(0x0FF5, struct.pack("<7I", *[8] * 7))):
        with pytest.raises(LoadError, match=r"^is damaged or not a PowerPoint presentation"):
            load_bytes(
                in_container(_PPT, **{"PowerPoint Document": stream, "Current User": user}), "a.ppt"
            )


def property_set(*properties: tuple[int, bytes]) -> bytes:
    """A stream of properties, each an identifier with its type and value."""
    places, values = b"", b""
    for identifier, value in properties:
        places += struct.pack("<2I", identifier, 8 + 8 * len(properties) + len(values))
        values += value
    section = struct.pack("<2I", 8 + len(places) + len(values), len(properties)) + places + values
    return bytes(44) + struct.pack("<I", 48) + section


@pytest.mark.parametrize(
    ("codepage", "stored"),
    [(1252, "Café".encode("cp1252")), (-535 & 0xFFFF, "Café".encode()), (9999, b"Caf\xe9")],
)
def test_a_title_is_read_in_its_code_page(codepage: int, stored: bytes) -> None:
    title = struct.pack("<2I", 30, len(stored) + 1) + stored + b"\0"
    assert title_in(property_set((1, struct.pack("<IHH", 2, codepage, 0)), (2, title))) == "Café"


def test_a_wide_title_is_read() -> None:
    stored = "Übersicht\0".encode("utf-16-le")
    assert title_in(property_set((2, struct.pack("<2I", 31, 10) + stored))) == "Übersicht"


def test_a_property_that_claims_thousands_of_millions_of_values_costs_nothing() -> None:
    vector = struct.pack("<2I", 0x1000, 0xFFFFFFFF)
    title = struct.pack("<2I", 30, 5) + b"Plan\0"
    assert title_in(property_set((12, vector), (2, title))) == "Plan"
    assert title_in(property_set((2, vector))) == ""


def test_without_properties_there_is_no_title() -> None:
    assert title_in(b"") == ""
    assert title_in(property_set()) == ""
