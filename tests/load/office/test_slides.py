"""PPTX: slides as pages, titles as headings, tables and charts as rows, notes."""

import io
import zipfile
from typing import Any

import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from rag.errors import LoadError
from rag.load.registry import load_bytes
from rag.types import Document, Page

TITLE, CONTENT, SECTION, TITLE_ONLY, BLANK = 0, 1, 2, 5, 6
BOX = (Inches(1), Inches(1), Inches(4), Inches(2))


def saved(deck: Any) -> bytes:
    buffer = io.BytesIO()
    deck.save(buffer)
    return buffer.getvalue()


def load(deck: Any) -> Document:
    return load_bytes(saved(deck), "a.pptx")


def slide(deck: Any, layout: int, *texts: str) -> Any:
    added = deck.slides.add_slide(deck.slide_layouts[layout])
    for placeholder, text in zip(added.placeholders, texts, strict=False):
        placeholder.text_frame.text = text
    return added


def test_slides_are_pages_and_titles_headings() -> None:
    deck = pptx.Presentation()
    slide(deck, TITLE, "The year", "A report")
    slide(deck, BLANK)
    slide(
        deck, CONTENT, "Sales", "They rose\nThey fell"
    ).notes_slide.notes_text_frame.text = "Speak slowly."
    document = load(deck)
    assert document.text == (
        "The year\n\nA report\n\nSales\n\n- They rose\n- They fell\n\nNotes: Speak slowly."
    )
    sales = document.text.index("Sales")
    assert document.pages == (
        Page(1, 0, sales),
        Page(2, sales, sales),
        Page(3, sales, len(document.text)),
    )
    assert document.page_at(sales) == 3
    assert document.place_at(document.text.index("They fell")) == "slide 3"
    assert document.place_at(0) == "slide 1"
    assert [(h.level, document.text[h.start : h.end]) for h in document.headings] == [
        (1, "The year"),
        (2, "Sales"),
    ]
    assert document.title == "The year"


@pytest.mark.parametrize(
    ("title", "expected"), [("PowerPoint Presentation", "Start"), ("A title", "A title")]
)
def test_titles_that_a_program_made_up_are_not_used(title: str, expected: str) -> None:
    deck = pptx.Presentation()
    deck.core_properties.title = title
    slide(deck, TITLE, "Start", "x")
    assert load(deck).title == expected


def test_tables_groups_pictures_and_free_text() -> None:
    deck = pptx.Presentation()
    page = slide(deck, BLANK)
    table = page.shapes.add_table(3, 2, *BOX).table
    for row, values in enumerate([("City", "People"), ("Rome", "2.8\nm"), ("Oslo", "0.7")]):
        for column, value in enumerate(values):
            table.cell(row, column).text = value
    group = page.shapes.add_group_shape()
    group.shapes.add_group_shape().shapes.add_textbox(*BOX).text_frame.text = "Deep inside"
    page.shapes.add_textbox(*BOX).text_frame.text = "Free\vtext"
    assert load(deck).text == (
        "City: Rome | People: 2.8 m\nCity: Oslo | People: 0.7\n\nDeep inside\n\nFree\ntext"
    )


def test_merged_cells_of_a_table() -> None:
    deck = pptx.Presentation()
    table = slide(deck, BLANK).shapes.add_table(3, 3, *BOX).table
    for column, name in enumerate(("Year", "EU", "US")):
        table.cell(0, column).text = name
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(1, 1).merge(table.cell(1, 2))
    for place, text in {(1, 0): "2023", (1, 1): "both", (2, 1): "5", (2, 2): "6"}.items():
        table.cell(*place).text = text
    assert load(deck).text == "Year: 2023 | EU: both\nYear: 2023 | EU: 5 | US: 6"


def test_charts_are_rows() -> None:
    deck = pptx.Presentation()
    make: Any = CategoryChartData
    data = make()
    data.categories = ["Spring", "Autumn"]
    data.add_series("Tea", (1.5, 2))
    data.add_series("Coffee", (3, None))
    chart = slide(deck, BLANK).shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *BOX, data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Cups a day"
    assert load(deck).text == ("Cups a day\nSpring | Tea: 1.5 | Coffee: 3\nAutumn | Tea: 2")


def with_xml(data: bytes, part: str, old: str, new: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(buffer, "w") as copy:
        for info in archive.infolist():
            content = archive.read(info)
            if info.filename == part:
                assert old.encode() in content
                content = content.replace(old.encode(), new.encode())
            copy.writestr(info.filename, content)
    return buffer.getvalue()


def test_footers_are_written_once_and_numbers_never() -> None:
    deck = pptx.Presentation()
    for _ in range(2):
        page = slide(deck, TITLE_ONLY, "Title")
        for kind, text in (("ftr", "Secret & co"), ("sldNum", "7"), ("dt", "1 May")):
            box = page.shapes.add_textbox(*BOX)
            box.text_frame.text = text
            box._element.nvSpPr.nvPr.append(
                box._element.makeelement(
                    "{http://schemas.openxmlformats.org/presentationml/2006/main}ph", {"type": kind}
                )
            )
    assert load(deck).text == "Title\n\nSecret & co\n\nTitle"


def test_entities_are_not_replaced_and_slide_shows_load() -> None:
    deck = pptx.Presentation()
    slide(deck, TITLE, "Start", "entity")
    data = saved(deck)
    part = "ppt/slides/slide1.xml"
    data = with_xml(data, part, "<a:t>entity</a:t>", "<a:t>&x;</a:t>")
    data = with_xml(data, part, "<p:sld ", '<!DOCTYPE p [<!ENTITY x "boom">]><p:sld ')
    show = with_xml(data, "[Content_Types].xml", "presentation.main+xml", "slideshow.main+xml")
    assert load_bytes(show, "a.ppsx").text == "Start"


def test_iso_29500_strict() -> None:
    deck = pptx.Presentation()
    slide(deck, TITLE, "Start", "x")
    data = saved(deck)
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(buffer, "w") as copy:
        for info in archive.infolist():
            content = archive.read(info)
            for usual, strict in (
                (b"schemas.openxmlformats.org/officeDocument/2006/", b"officeDocument/"),
                (b"schemas.openxmlformats.org/presentationml/2006/main", b"presentationml/main"),
                (b"schemas.openxmlformats.org/drawingml/2006/", b"drawingml/"),
            ):
                content = content.replace(usual, b"purl.oclc.org/ooxml/" + strict)
            copy.writestr(info.filename, content)
    assert load_bytes(buffer.getvalue(), "a.pptx").text == "Start\n\nx"


def test_damaged_presentations_are_refused() -> None:
    deck = pptx.Presentation()
    slide(deck, TITLE, "Start", "x")
    data = saved(deck)
    for broken in (
        with_xml(data, "ppt/presentation.xml", "<p:presentation ", "<p:presentation"),
        data[: len(data) // 2],
    ):
        with pytest.raises(LoadError, match=r"^is damaged or not a PowerPoint presentation"):
            load_bytes(broken, "a.pptx")
    with pytest.raises(LoadError, match=r"^holds no text"):
        load(pptx.Presentation())
