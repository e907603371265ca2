"""PDF: where on its pages a quote stands, and the page as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from load_pdf import A4, Sheet, area, column, grid, make_pdf, rule, text
from PIL import Image

from rag.errors import LoadError
from rag.load.registry import load_bytes
from rag.types import Document, Location, Mark
from rag.viewer.pages import locate, page_image

W, H = A4


def load(*sheets: Sheet | str) -> tuple[bytes, Document]:
    data = make_pdf(*sheets)
    return data, load_bytes(data, "a.pdf")


def find(data: bytes, document: Document, quote: str) -> list[Location]:
    start = document.text.index(quote)
    return locate(data, document.source, document, start, start + len(quote))


def points(places: Sequence[Location], size: tuple[float, float] = A4) -> list[object]:
    """Pages and marks in points from the lower left: left, right and the baseline."""
    width, height = size
    return [
        (
            p.page,
            [
                (round(m.left * width), round(m.right * width), _base(m, height))
                for m in p.marks or ()
            ],
        )
        for p in places
    ]


def _base(mark: Mark, height: float) -> int:
    """The baseline of Courier at 10 points is 2.5 points above the box."""
    return round((1 - mark.bottom) * height + 2.5)


def test_a_quote_is_found_to_the_character() -> None:
    found = find(*load(text(100, 700, "The whale is blue.")), "whale")
    assert points(found) == [(1, [(124, 154, 700)])]
    (mark,) = found[0].marks or ()
    assert (1 - mark.top) * H == pytest.approx(708, abs=0.3)


def test_each_line_has_a_mark_of_its_own() -> None:
    lines = ["A first line that is as long as the", "second one, and one that is not."]
    data, document = load("".join(column(60, 700, lines)))
    assert points(find(data, document, "as the second one")) == [
        (1, [(234, 270, 700), (60, 120, 688)])
    ]


def test_a_quote_over_two_pages_and_a_divided_word() -> None:
    first = ["The sentence begins on the first page", "of the book and goes on with an unfin-"]
    second = ["ished word. Then it is at its end here."]
    data, document = load("".join(column(60, 100, first)), "".join(column(60, 700, second)))
    found = find(data, document, "unfinished word")
    assert points(found) == [(1, [(252, 282, 88)]), (2, [(60, 120, 700)])]


def test_a_quote_over_two_columns() -> None:
    left = ["a column with a sentence that runs", "over its end and then begins again"]
    right = ["in the next one, until it ends."]
    data, document = load("".join(column(60, 700, left) + column(330, 700, right)))
    assert points(find(data, document, "again in the")) == [(1, [(234, 264, 688), (330, 366, 700)])]


def test_a_row_of_a_table_marks_its_cells_and_their_headers() -> None:
    heads = "".join(text(55 + 100 * i, 646, h, font="D") for i, h in enumerate(("Name", "Year")))
    cells = [("Lexus", "2024"), ("BMW", "2023")]
    body = [
        text(55 + 100 * i, 626 - 20 * j, c) for j, r in enumerate(cells) for i, c in enumerate(r)
    ]
    data, document = load(grid([50, 150, 250], [600, 620, 640, 660]) + heads + "".join(body))
    assert points(find(data, document, "Name: BMW | Year: 2023")) == [
        (1, [(55, 79, 646), (55, 73, 606), (155, 179, 646), (155, 179, 606)])
    ]


def test_pages_without_their_running_heads() -> None:
    sheets = [
        text(60, 800, "The Head") + text(60, 700, f"Whale {n}.") + text(290, 40, str(n))
        for n in (1, 2, 3)
    ]
    data, document = load(*sheets)
    assert document.text == "The Head\n\nWhale 1.\n\nWhale 2.\n\nWhale 3."
    for n in (1, 2, 3):
        assert points(find(data, document, f"Whale {n}")) == [(n, [(60, 102, 700)])]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_turned_pages(rotate: int) -> None:
    """The text is upright as it is shown; the page's own axes are turned."""
    x, y = {0: (100, 700), 90: (142, 100), 180: (495, 142), 270: (453, 742)}[rotate]
    drawn = text(x, y, "The whale.", turn=rotate)
    data, document = load(Sheet(drawn, rotate=rotate))
    size = (W, H) if rotate in (0, 180) else (H, W)
    left, bottom = {0: (100, 700), 90: (100, 453), 180: (100, 700), 270: (100, 453)}[rotate]
    assert points(find(data, document, "whale"), size) == [(1, [(left + 24, left + 54, bottom)])]


def test_a_page_that_reads_otherwise_has_no_marks() -> None:
    data, document = load(text(100, 700, "The whale is blue."), text(100, 700, "And large."))
    other = replace(document, text=document.text.replace("blue", "grey"))
    assert points(find(data, other, "whale")) == [(1, [])]
    assert points(find(data, other, "large")) == [(2, [(124, 154, 700)])]


def test_blank_space_stands_nowhere() -> None:
    data, document = load(text(100, 700, "One."), text(100, 700, "Two."))
    assert locate(data, document.source, document, 4, 6) == []
    assert locate(data, document.source, document, 0, 0) == []


def pixels_of(png: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def yellow(png: bytes) -> list[int]:
    """Left, top, right and bottom of what is marked, in pixels; empty if nothing is."""
    red, green, blue = np.moveaxis(pixels_of(png), 2, 0)
    rows, columns = np.nonzero((red > 200) & (green > 190) & (blue < 160))
    return [columns.min(), rows.min(), columns.max(), rows.max()] if len(rows) else []


def test_the_picture_has_the_quote_marked() -> None:
    data, document = load("", Sheet(text(100, 700, "The whale is blue."), (600, 800)))
    image = page_image(data, document.source, document, 2, 4, 9)
    assert image is not None
    assert (image.width, image.height, image.number) == (1200, 1600, 2)
    assert Image.open(io.BytesIO(image.png)).size == (1200, 1600)
    assert image.marks == locate(data, document.source, document, 4, 9)[0].marks
    assert yellow(image.png) == pytest.approx([248, 184, 308, 205], abs=4)  # two pixels a point
    plain = page_image(data, document.source, document, 2, 0, 0)
    assert plain is not None
    assert yellow(plain.png) == []


def test_words_under_a_mark_stay_legible() -> None:
    data, document = load(text(100, 700, "whale", size=60))
    image = page_image(data, document.source, document, 1, 0, 5)
    assert image is not None
    pixels = pixels_of(image.png).reshape(-1, 3)
    assert (pixels == (0, 0, 0)).all(axis=1).any()
    assert (pixels == (255, 224, 102)).all(axis=1).any()


@pytest.mark.parametrize(
    ("size", "pixels"),
    [((14_400, 14_400), (1200, 1200)), ((100, 10_000), (30, 3000)), ((10_000, 1), (1200, 1))],
)
def test_pictures_of_great_pages_are_small(
    size: tuple[float, float], pixels: tuple[int, int]
) -> None:
    drawn = area(0, 0, *size, 0.5) + text(1, 0, "Words.", 1)
    data = make_pdf(Sheet(drawn, size))
    image = page_image(data, "a.pdf", load_bytes(data, "a.pdf"), 1, 0, 1)
    assert image is not None
    assert (image.width, image.height) == pixels


def test_what_has_no_pages() -> None:
    data, document = load(text(100, 700, "The whale is blue."))
    assert page_image(data, document.source, document, 0, 0, 1) is None
    assert page_image(data, document.source, document, 2, 0, 1) is None
    note = load_bytes(b"A note.", "a.txt")
    assert locate(b"A note.", note.source, note, 0, 3) == []
    assert page_image(b"A note.", note.source, note, 1, 0, 3) is None
    with pytest.raises(LoadError, match="damaged"):
        locate(b"%PDF-1.4 cut", document.source, document, 0, 3)


def test_a_drawing_of_very_many_lines_is_no_table() -> None:
    lines = "".join(rule(50, 100 + i / 100, 300, 100 + i / 100) for i in range(21_000))
    data, document = load(lines + text(100, 700, "Words beside it."))
    assert document.text == "Words beside it."
    assert points(find(data, document, "Words")) == [(1, [(100, 130, 700)])]
