"""What documents tell of a position."""

import pytest

from rag.types import Document, Heading, Page, Place

TEXT = "Guide\nIntro\nUse\nMenus\nKeys\nEnd"


def test_the_headings_above_a_position_outermost_first() -> None:
    levels = {"Guide": 1, "Use": 2, "Menus": 3, "Keys": 3, "End": 2}
    headings = tuple(
        Heading(level, TEXT.index(word), TEXT.index(word) + len(word))
        for word, level in levels.items()
    )
    document = Document("a.md", TEXT, headings=headings)

    def above(word: str) -> list[str]:
        found = document.headings_above(TEXT.index(word))
        return [TEXT[h.start : h.end] for h in found]

    assert above("Intro") == ["Guide"]
    assert above("Keys") == ["Guide", "Use", "Keys"]
    assert above("End") == ["Guide", "End"]
    assert Document("a.md", TEXT).headings_above(9) == ()


def test_the_page_of_a_position() -> None:
    document = Document("a.pdf", "x" * 30, pages=(Page(1, 0, 10), Page(2, 10, 20), Page(4, 25, 30)))
    pages = [document.page_at(position) for position in (0, 9, 10, 19, 20, 25, 29, 30)]
    assert pages == [1, 1, 2, 2, None, 4, 4, None]
    assert Document("a.txt", "x").page_at(0) is None


ROWS = Document(
    "a.xlsx",
    "Sales\n\nrow 2\nrow 3\nrow 4\n\nrow 9",
    places=(
        Place("Sales", 0, 5),
        Place("Sales", 7, 24, 2),
        Place("Sales", 26, 31, 9),
    ),
)


@pytest.mark.parametrize(
    ("start", "end", "place"),
    [
        (0, 5, "Sales"),
        (0, 24, "Sales, rows 2–4"),
        (0, 7, "Sales"),
        (7, 12, "Sales, row 2"),
        (13, 18, "Sales, row 3"),
        (13, None, "Sales, row 3"),
        (12, 13, "Sales, row 2"),
        (7, 24, "Sales, rows 2–4"),
        (13, 31, "Sales, rows 3–9"),
        (26, 31, "Sales, row 9"),
        (25, 31, ""),
        (31, 31, ""),
    ],
)
def test_the_place_of_a_span(start: int, end: int | None, place: str) -> None:
    assert ROWS.place_at(start, end) == place


def test_a_place_without_a_name_or_a_row_and_a_page_without_a_place() -> None:
    document = Document(
        "a", "x\ny", pages=(Page(1, 0, 1), Page(2, 2, 3)), places=(Place("slide 1", 0, 1),)
    )
    assert [document.place_at(0, 1), document.place_at(2, 3)] == ["slide 1", "page 2"]
    rows = Document("a.csv", "x\ny", places=(Place("", 0, 3, 5),))
    assert [rows.place_at(0, 1), rows.place_at(2), rows.place_at(0, 3)] == [
        "row 5",
        "row 6",
        "rows 5–6",
    ]
    assert Document("a.txt", "x").place_at(0, 1) == ""
