"""PDF: pages, paragraphs, hyphens."""

import pytest
from load_pdf import ANY, Sheet, column, make_pdf, text
from places import FILES

from rag.errors import LoadError
from rag.load import pdf
from rag.load.pdf.geometry import Box
from rag.load.pdf.paragraphs import make_blocks
from rag.load.pdf.text import Line, Word, line_of
from rag.load.registry import load_bytes
from rag.load.traced import placed_nowhere
from rag.types import Document, Page


def load(name: str) -> Document:
    return load_bytes((FILES / name).read_bytes(), name)


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


def line(words: str, left: float, bottom: float, right: float) -> Line:
    """A line of a font 10 points high whose characters are all equally wide."""
    width = (right - left) / len(words)
    found = []
    position = 0
    for word in words.split(" "):
        start, end = left + position * width, left + (position + len(word)) * width
        found.append(Word(placed_nowhere(word), Box(start, bottom, end, bottom + 10)))
        position += len(word) + 1
    return line_of(found)


def lines(*rows: tuple[str, float], step: float = 12.0) -> list[Line]:
    """Lines below each other, 5 points a character, with their left edges."""
    return [
        line(words, left, 700 - step * i, left + 5 * len(words))
        for i, (words, left) in enumerate(rows)
    ]


def join_lines(found: list[Line]) -> str:
    return "\n\n".join(block.text.text for block in make_blocks(found))


LONG = "This line is as long as the column is wide, so"
NEXT = "that its last word was followed by this one here"


def test_full_lines_are_joined_and_short_ones_are_not() -> None:
    assert join_lines(lines((LONG, 0), (NEXT, 0), ("end.", 0))) == f"{LONG} {NEXT} end."
    short = "A first line that had much room left"
    assert join_lines(lines((short, 0), (NEXT, 0))) == f"{short}\n{NEXT}"
    assert join_lines(lines((LONG, 0), ("- a list item", 0))) == f"{LONG}\n- a list item"
    assert join_lines(lines((LONG + ".", 0), (NEXT, 20))) == f"{LONG}.\n{NEXT}"
    assert join_lines(lines((LONG, 0), (NEXT, 0), step=30)) == f"{LONG}\n\n{NEXT}"


def test_lines_whose_words_stand_far_apart_stay_lines() -> None:
    apart = line_of([*line(LONG, 0, 700, 230).words, *line("far", 250, 700, 265).words])
    assert apart.in_columns
    assert join_lines([apart, line(NEXT, 0, 688, 240)]) == f"{LONG} far\n{NEXT}"


def test_hyphens_at_line_ends() -> None:
    start = "This is a line that ends with half of an "
    assert join_lines(lines((start + "exam\x02", 0), ("ple of it", 0))) == start + "example of it"
    assert join_lines(lines((start + "exam-", 0), ("ple of it", 0))) == start + "example of it"
    assert join_lines(lines((start + "Anglo\x02", 0), ("Saxon", 0))) == start + "Anglo-Saxon"
    known = lines((start + "multi\x02", 0), ("agent and multi-agent", 0))
    assert join_lines(known) == start + "multi-agent and multi-agent"


def test_lines_of_chinese_are_joined_without_space() -> None:
    rows = ["二月五日丰田正式宣布雷克萨斯将在上海金山区建立", "研发和生产基地。"]
    found = [line(words, 0, 700 - 12 * i, 10.0 * len(words)) for i, words in enumerate(rows)]
    assert join_lines(found) == "".join(rows)


def test_vertical_text_is_read_downwards_and_then_to_the_left() -> None:
    first, second = "丰田正式宣布雷克萨斯", "将在上海建立工厂。"
    drawn = [
        text(300 - 15 * column, 700 - 10 * i, character + " ", font=ANY)
        for column, words in enumerate((first, second))
        for i, character in enumerate(words)
    ]
    assert of(*drawn) == first + second


def test_text_that_runs_to_the_left() -> None:
    words = "مرحبا بالعالم هذا نص"
    # What stands at the left is the end: programs write it from there, or from the right.
    assert of(text(110, 700, words[::-1], font=ANY)) == words
    assert of(text(300, 700, words, font=ANY, leftward=True)) == words


@pytest.mark.parametrize("turn", [90, 180, 270])
@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_turned_text_on_turned_pages(turn: int, rotate: int) -> None:
    x, y = {90: (12, 0), 180: (0, 12), 270: (-12, 0)}[turn]
    rows = (LONG, NEXT, "end.")
    drawn = "".join(text(300 + x * i, 400 + y * i, r, turn=turn) for i, r in enumerate(rows))
    assert of(Sheet(drawn, rotate=rotate)) == f"{LONG} {NEXT} end."


def test_a_margin_note_across_the_page_comes_last() -> None:
    side = text(20, 300, "Draft of 5 May", turn=90)
    assert of(side, *column(60, 700, [LONG, NEXT])) == f"{LONG} {NEXT}\n\nDraft of 5 May"


def test_a_limit_is_a_reason() -> None:
    data = make_pdf(text(60, 700, "One page."), text(60, 700, "Another page."))
    assert pdf.load(data, "a.pdf").text == "One page.\n\nAnother page."
    for limits, reason in (
        (pdf.Limits(pages=1), "has 2 pages; at most 1 are read: split it"),
        (pdf.Limits(characters=15), "has more than 15 characters up to page 2: split it"),
        (pdf.Limits(seconds=0), "takes more than 0 seconds up to page 1 of 2: split it, or save"),
    ):
        with pytest.raises(LoadError) as refused:
            pdf.load(data, "a.pdf", limits)
        assert str(refused.value).startswith(reason)


def test_a_page_without_anything_and_one_of_great_size() -> None:
    great = Sheet(text(9_000, 13_000, "Far out.", 300), (14_400, 14_400))
    document = load_bytes(make_pdf("", great, ""), "a.pdf")
    assert document.text == "Far out."
    assert document.pages == (Page(1, 0, 0), Page(2, 0, 8), Page(3, 8, 8))
    with pytest.raises(LoadError, match="holds no text: its pages are empty"):
        load_bytes(make_pdf("", ""), "a.pdf")


def of(*drawn: str | Sheet) -> str:
    """The text of a PDF of one page."""
    sheet = "".join(drawn) if isinstance(drawn[0], str) else drawn[0]  # type: ignore[arg-type]
    return load_bytes(make_pdf(sheet), "a.pdf").text
