"""PDF: columns are read one by one, whatever the order in which a page draws them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest

import pytest
from load_pdf import Sheet, column, make_pdf, text

from rag.load.registry import load_bytes

LEFT = [
    "the first column begins here with a",
    "sentence that runs over many of its",
    "lines before it comes to a full stop",
    "and so on until the last line of all",
    "in this column, which ends without a",
    "full stop because the sentence still",
]
RIGHT = [
    "goes on in the second one, where the",
    "reader finds the other half of it as",
    "if nothing had been in between those",
    "two parts. Then another one follows,",
    "quite as long as the first, but with",
    "an end at the foot of this column.",
]
THIRD = [
    "a third column holds some more words",
    "that have nothing to do with what is",
    "beside them, and must not be mixed",
    "with it, although they stand on just",
    "the same heights as the lines of the",
    "two columns before this last one.",
]
PROSE = " ".join(LEFT + RIGHT)


def of(content: str) -> str:
    return load_bytes(make_pdf(Sheet(content, (842, 595))), "a.pdf").text


def rows(*columns: Sequence[str]) -> str:
    """Drawn line by line over all columns, as a program draws that knows none."""
    return "".join(chain.from_iterable(zip_longest(*columns, fillvalue="")))


def test_columns_drawn_one_after_the_other() -> None:
    assert of("".join(column(50, 400, LEFT) + column(290, 400, RIGHT))) == PROSE


def test_columns_drawn_row_by_row() -> None:
    assert of(rows(column(50, 400, LEFT), column(290, 400, RIGHT))) == PROSE


def test_columns_so_close_that_their_lines_look_like_one() -> None:
    assert of(rows(column(50, 400, LEFT), column(276, 400, RIGHT))) == PROSE


def test_three_columns() -> None:
    drawn = rows(column(30, 400, LEFT), column(270, 400, RIGHT), column(510, 400, THIRD))
    assert of(drawn) == f"{PROSE}\n\n{' '.join(THIRD)}"


def test_headings_and_notes_over_both_columns_stay_where_they_are() -> None:
    title = text(50, 520, "A title that reaches over both of the two columns below it", 14)
    middle = text(50, 380, "Another heading that reaches over both columns of the page", 12)
    note = text(50, 200, "1 A note at the foot of the page, as wide as all the columns are", 8)
    drawn = [
        title,
        rows(column(50, 480, LEFT), column(290, 480, RIGHT)),
        middle,
        rows(column(50, 350, RIGHT), column(290, 350, THIRD)),
        note,
    ]
    parts = of("".join(drawn)).split("\n\n")
    assert parts == [
        "A title that reaches over both of the two columns below it",
        PROSE,
        "Another heading that reaches over both columns of the page",
        " ".join(RIGHT),
        " ".join(THIRD),
        "1 A note at the foot of the page, as wide as all the columns are",
    ]


def test_a_blank_line_in_both_columns_at_once_does_not_part_them() -> None:
    left = column(50, 480, [*LEFT[:-1], "full stop, but then it has got one."])
    right = column(290, 480, [*RIGHT[:-1], "an end in the middle of the column."])
    left += column(50, 390, THIRD)
    assert of(rows(left, [*right, *column(290, 390, RIGHT)])).split("\n\n") == [
        " ".join(LEFT[:-1]) + " full stop, but then it has got one.",
        " ".join(THIRD),
        " ".join(RIGHT[:-1]) + " an end in the middle of the column.",
        " ".join(RIGHT),
    ]


def test_words_divided_at_the_end_of_a_column_become_whole() -> None:
    left = [*LEFT[:-1], "full stop, because of this long sen-"]
    right = ["tence that goes on in this column", *RIGHT[1:]]
    expected = (
        " ".join(LEFT[:-1])
        + " full stop, because of this long sentence that goes on in this column "
    )
    assert of("".join(column(50, 400, left) + column(290, 400, right))).startswith(expected)
    assert of(rows(column(50, 400, left), column(290, 400, right))).startswith(expected)


def test_lines_drawn_from_the_foot_of_the_page_upwards() -> None:
    assert of("".join(reversed(column(50, 400, LEFT)))) == " ".join(LEFT)


@pytest.mark.parametrize("gap", [240, 120])
def test_terms_beside_their_meanings_stay_beside_them(gap: int) -> None:
    terms = ["author", "title", "year", "publisher", "edition", "series"]
    drawn = rows(column(50, 400, terms), column(50 + gap, 400, RIGHT))
    expected = [f"{term} {meaning}" for term, meaning in zip(terms, RIGHT, strict=True)]
    assert of(drawn) == "\n".join(expected)


def test_rows_of_short_cells_stay_rows() -> None:
    cells = [[f"cell {row}{name}" for row in range(7)] for name in "abcd"]
    drawn = rows(*(column(50 + 150 * i, 400, cell) for i, cell in enumerate(cells)))
    assert of(drawn).splitlines() == [f"cell {r}a cell {r}b cell {r}c cell {r}d" for r in range(7)]


def test_a_list_of_contents_stays_as_it_is() -> None:
    names = [f"Chapter {i} of a book with a long name" for i in range(8)]
    drawn = rows(column(50, 400, names), column(400, 400, [str(7 * i) for i in range(8)]))
    assert of(drawn).splitlines() == [f"{name} {7 * i}" for i, name in enumerate(names)]
