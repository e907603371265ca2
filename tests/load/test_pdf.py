"""PDF: pages, paragraphs, hyphens."""

from pathlib import Path

from rag.load import load_bytes
from rag.load.pdf_lines import Line, join_lines
from rag.types import Document, Page

DATA = Path(__file__).parent / "data"


def load(name: str) -> Document:
    return load_bytes((DATA / name).read_bytes(), name)


def test_pages_are_contiguous_slices() -> None:
    document = load("testPDF_bookmarks.pdf")
    assert document.text == "This is a page about France\n\nThis is a page about Denmark"
    assert document.pages == (Page(1, 0, 29), Page(2, 29, 57))
    assert document.page_at(document.text.index("Denmark")) == 2


def test_wrapped_lines_become_paragraphs() -> None:
    text = load("crazyones.pdf").text
    assert text.startswith(
        "The Crazy Ones\n\nOctober 14, 1998\n\nHeres to the crazy ones. The misfits."
    )
    assert (
        "\n\nHow else can you stare at an empty canvas and see a work of art? Or sit in silence "
        "and hear a song thats never been written? Or gaze at a red planet and see a laboratory on "
        "wheels?\n\nWe make tools for these kinds of people.\n\n" in text
    )


def test_title_of_the_properties() -> None:
    document = load("testPDF.pdf")
    assert document.title == "Apache Tika - Apache Tika"
    assert "structured text content from various documents using" in document.text


def test_scripts_in_reading_order() -> None:
    text = load("multilang.pdf").text
    assert "مرحبا بالعالم" in text
    assert "สวัสดีชาวโลก" in text
    assert text.endswith("こんにちは世界")


def test_an_empty_user_password_opens() -> None:
    assert load("r6-empty-password.pdf").text == load("r6-empty-password.pdf").text.strip()
    assert len(load("r6-empty-password.pdf").text.split()) == 5


def lines(*rows: tuple[str, float], step: float = 12.0, columns: bool = False) -> list[Line]:
    """Lines below each other, 5 points a character, with their left edges."""
    return [
        Line(text, left, left + 5 * len(text), 700 - step * i, 710 - step * i, columns)
        for i, (text, left) in enumerate(rows)
    ]


LONG = "This line is as long as the column is wide, so"
NEXT = "that its last word was followed by this one here"


def test_full_lines_are_joined_and_short_ones_are_not() -> None:
    assert join_lines(lines((LONG, 0), (NEXT, 0), ("end.", 0))) == f"{LONG} {NEXT} end."
    short = "A first line that had much room left"
    assert join_lines(lines((short, 0), (NEXT, 0))) == f"{short}\n{NEXT}"
    assert join_lines(lines((LONG, 0), ("- a list item", 0))) == f"{LONG}\n- a list item"
    assert join_lines(lines((LONG + ".", 0), (NEXT, 20))) == f"{LONG}.\n{NEXT}"
    assert join_lines(lines((LONG, 0), (NEXT, 0), columns=True)) == f"{LONG}\n{NEXT}"
    assert join_lines(lines((LONG, 0), (NEXT, 0), step=30)) == f"{LONG}\n\n{NEXT}"


def test_hyphens_at_line_ends() -> None:
    start = "This is a line that ends with half of an "
    assert join_lines(lines((start + "exam\x02", 0), ("ple of it", 0))) == start + "example of it"
    assert join_lines(lines((start + "exam-", 0), ("ple of it", 0))) == start + "example of it"
    assert join_lines(lines((start + "Anglo\x02", 0), ("Saxon", 0))) == start + "Anglo-Saxon"
    known = lines((start + "multi\x02", 0), ("agent and multi-agent", 0))
    assert join_lines(known) == start + "multi-agent and multi-agent"


def test_lines_of_chinese_are_joined_without_space() -> None:
    rows = [
        Line(text, 0, 10.0 * len(text), 700 - 12 * i, 710 - 12 * i)
        for i, text in enumerate(
            ["二月五日丰田正式宣布雷克萨斯将在上海金山区建立", "研发和生产基地。"]
        )
    ]
    assert join_lines(rows) == "二月五日丰田正式宣布雷克萨斯将在上海金山区建立研发和生产基地。"
