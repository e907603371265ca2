"""XLSX: rows with headers, values as shown, merged cells, and what a hostile file may do."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
import xlsxwriter
from places import FILES

from rag.errors import LoadError
from rag.load import package
from rag.load.registry import load_bytes
from rag.load.sheets import sheet
from rag.types import Document

NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def workbook(write: Callable[[Any], None]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        write(book)
    return buffer.getvalue()


def load(write: Callable[[Any], None]) -> Document:
    return load_bytes(workbook(write), "a.xlsx")


def replaced(data: bytes, part: str, content: str) -> bytes:
    """The package with one part put in place of another."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            new.writestr(info.filename, content if info.filename == part else old.read(info))
    return buffer.getvalue()


def test_sheets_headers_and_places() -> None:
    def write(book: Any) -> None:
        book.set_properties({"title": "Sales of the year"})
        first = book.add_worksheet("North & South")
        for row, values in enumerate([["Region", "2023"], ["Rome", 5], ["Oslo", 6.5]]):
            first.write_row(row, 0, values)
        book.add_worksheet("Empty")
        book.add_worksheet("Notes").write(4, 2, "A remark")

    document = load(write)
    assert document.text == (
        "North & South\n\nRegion: Rome | 2023: 5\nRegion: Oslo | 2023: 6.5\n\nNotes\n\nA remark"
    )
    assert [document.text[h.start : h.end] for h in document.headings] == [
        "North & South",
        "Notes",
    ]
    assert document.title == "Sales of the year"
    places = [
        document.place_at(document.text.index(words))
        for words in ("North", "Rome", "Oslo", "Notes", "A remark")
    ]
    assert places == [
        "North & South",
        "North & South, row 2",
        "North & South, row 3",
        "Notes",
        "Notes, row 5",
    ]
    assert document.pages == ()


def test_values_are_written_as_they_are_shown() -> None:
    def write(book: Any) -> None:
        page = book.add_worksheet("S")
        page.write_row(0, 0, ["Share", "Price", "Day", "Moment", "Done", "Sum", "Open", "Code"])
        page.write(1, 0, 0.256, book.add_format({"num_format": "0.0%"}))
        page.write(1, 1, 1234.5, book.add_format({"num_format": "[$€-407] #,##0.00"}))
        page.write(1, 2, date(2024, 3, 1), book.add_format({"num_format": "d/m/yy"}))
        page.write(
            1, 3, datetime(2024, 3, 1, 14, 30), book.add_format({"num_format": "d/m/yy h:mm"})
        )
        page.write_boolean(1, 4, True)
        page.write_formula(1, 5, "=1+1", None, 2)
        page.write_formula(1, 6, "=NOW()", None, "")
        page.write(1, 7, 42, book.add_format({"num_format": "00000"}))

    assert load(write).text == (
        "S\n\nShare | Price | Day | Moment | Done | Sum | Open | Code\n"
        "Share: 25.6% | Price: € 1,234.50 | Day: 2024-03-01 | Moment: 2024-03-01 14:30 | "
        "Done: TRUE | Sum: 2 | Code: 00042"
    )


def test_formulas_are_not_evaluated_and_errors_left_out() -> None:
    def write(book: Any) -> None:
        page = book.add_worksheet("S")
        page.write_row(0, 0, ["a", "b"])
        page.write_formula(1, 0, '=HYPERLINK("http://x.example","see")', None, "stored")
        page.write_formula(1, 1, "=1/0", None, "#DIV/0!")

    text = load(write).text
    assert "stored" in text
    assert "HYPERLINK" not in text
    assert "DIV" not in text


def test_merged_cells_and_two_rows_of_headers() -> None:
    def write(book: Any) -> None:
        page = book.add_worksheet("S")
        page.merge_range(0, 0, 0, 4, "Sales in millions")
        page.merge_range(1, 0, 2, 0, "Region")
        page.merge_range(1, 1, 1, 2, "2022")
        page.merge_range(1, 3, 1, 4, "2023")
        page.write_row(2, 1, ["EU", "US", "EU", "US"])
        page.merge_range(3, 0, 4, 0, "Cars")
        page.write_row(3, 1, [1, 2, 3, 4])
        page.write_row(4, 1, [5, 6, 7, 8])

    assert load(write).text == (
        "S\n\nSales in millions\n\n"
        "Region: Cars | 2022 / EU: 1 | 2022 / US: 2 | 2023 / EU: 3 | 2023 / US: 4\n"
        "Region: Cars | 2022 / EU: 5 | 2022 / US: 6 | 2023 / EU: 7 | 2023 / US: 8"
    )


def test_a_bold_row_is_a_header_over_words() -> None:
    def write(book: Any) -> None:
        bold = book.add_format({"bold": True})
        page = book.add_worksheet("S")
        page.write_row(0, 0, ["Name", "Town"], bold)
        page.write_row(1, 0, ["Ann", "Rome"])
        other = book.add_worksheet("T")
        other.write_row(0, 0, ["Name", "Ann"])
        other.write_row(1, 0, ["Town", "Rome"])

    assert load(write).text == "S\n\nName: Ann | Town: Rome\n\nT\n\nName | Ann\nTown | Rome"


def test_hidden_sheets_are_read_and_those_for_macros_are_not() -> None:
    def write(book: Any) -> None:
        book.add_worksheet("Seen").write(0, 0, "one")
        hidden = book.add_worksheet("Hidden")
        hidden.write(0, 0, "two")
        hidden.hide()
        secret = book.add_worksheet("Secret")
        secret.write(0, 0, "three")
        secret.very_hidden()

    assert load(write).text == "Seen\n\none\n\nHidden\n\ntwo"


def test_text_boxes_and_titles_of_charts() -> None:
    def write(book: Any) -> None:
        page = book.add_worksheet("S")
        page.write_row(0, 0, [1, 2])
        page.insert_textbox(3, 3, "In a box\nof two lines")
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=S!$A$1:$B$1"})
        chart.set_title({"name": "The chart"})
        page.insert_chart(9, 9, chart)

    document = load(write)
    assert document.text == "S\n\n1 | 2\n\nIn a box\nof two lines\n\nThe chart"
    assert document.place_at(document.text.index("two lines")) == "S"


def test_iso_29500_strict() -> None:
    document = load_bytes((FILES / "testEXCEL.strict.xlsx").read_bytes(), "a.xlsx")
    assert document.title == "Sample Spreadsheet"
    assert document.text.startswith("First Sheet\n\nTest spreadsheet\n2nd row | 2nd row 2nd column")


def sheet_xml(rows: str) -> bytes:
    data = workbook(lambda book: book.add_worksheet("S").write(0, 0, "x"))
    xml = f"<worksheet {NAMESPACE}><sheetData>{rows}</sheetData></worksheet>"
    return replaced(data, "xl/worksheets/sheet1.xml", xml)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            "<row><c><v>1</v></c><c t='str'><v>two</v></c></row><row r='9'><c><v>3</v></c></row>",
            "1 | two\n\n3",
        ),
        ("<row r='1048576'><c r='XFD1048576'><v>7</v></c></row>", "7"),
        ("<row><c t='inlineStr'><is><r><t>in</t></r><r><t>line</t></r></is></c></row>", "inline"),
        ("<row><c t='s'><v>99</v></c><c t='d'><v>2024-03-01T00:00:00</v></c></row>", "2024-03-01"),
        ("<row><c t='str'><v>a_x000A_b</v></c><c t='e'><v>#N/A</v></c></row>", "a b"),
        (
            "<row><c><v>nan</v></c><c><v>1e999</v></c><c s='77'><v>5</v></c></row>",
            "nan | 1e999 | 5",
        ),
    ],
)
def test_what_other_programs_write(rows: str, text: str) -> None:
    assert load_bytes(sheet_xml(rows), "a.xlsx").text == f"S\n\n{text}"


def test_entities_are_not_replaced() -> None:
    data = sheet_xml("<row><c t='str'><v>&x;</v></c><c><v>1</v></c></row>")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    bomb = '<!DOCTYPE w [<!ENTITY y "ha"><!ENTITY x "&y;&y;&y;">]>' + xml
    text = load_bytes(replaced(data, "xl/worksheets/sheet1.xml", bomb), "a.xlsx").text
    assert text == "S\n\n1"


def test_damaged_workbooks_are_refused() -> None:
    data = sheet_xml("<row><c><v>1</v></c></row>")
    for broken, reason in (
        (replaced(data, "xl/worksheets/sheet1.xml", "<worksheet><row>"), "cannot be read as XLSX"),
        (replaced(data, "xl/workbook.xml", ""), "is damaged or not an Excel workbook"),
        (data[: len(data) // 2], "is damaged or not an Excel workbook"),
    ):
        with pytest.raises(LoadError, match=reason):
            load_bytes(broken, "a.xlsx")


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = sheet_xml("<row><c><v>1</v></c><c><v>2</v></c></row>" * 20)
    monkeypatch.setattr(sheet, "MAX_CELLS", 30)
    with pytest.raises(LoadError, match=r"^has more than 30 cells"):
        load_bytes(data, "a.xlsx")
    monkeypatch.setattr(package, "MAX_SIZE", 1000)
    with pytest.raises(LoadError, match=r"^unpacks to more than"):
        load_bytes(data, "a.xlsx")


def test_binary_workbooks_are_named() -> None:
    data = workbook(lambda book: book.add_worksheet("S").write(0, 0, "x"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.bin", "x")
    with pytest.raises(LoadError, match=r"^is a binary Excel workbook \(.xlsb\)"):
        load_bytes(buffer.getvalue(), "a.xlsx")
    assert load_bytes(data, "a.txt").text == "S\n\nx"  # whatever its name says
