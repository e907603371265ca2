"""PDF: Running headers and footers are left out, and sentences go on over the end of a page."""

from __future__ import annotations

from load_pdf import column, make_pdf, text

from rag.load.registry import load_bytes
from rag.types import Document

HEAD, FOOT = 800, 40
BODY = ["This is a line of the text of a page", "which has some more of them below it"]


def page(head: str = "", foot: str = "", body: list[str] = BODY, y: float = 700) -> str:
    drawn = [text(60, HEAD, head)] if head else []
    drawn += column(60, y, body)
    return "".join(drawn + ([text(280, FOOT, foot)] if foot else []))


def of(*pages: str) -> Document:
    return load_bytes(make_pdf(*pages), "a.pdf")


def texts(document: Document) -> list[str]:
    return [document.text[p.start : p.end].strip() for p in document.pages]


def test_page_numbers_are_left_out_and_a_head_stays_once() -> None:
    pages = [page("Annual Report", str(7 + i), [f"Text of page {i}."]) for i in range(4)]
    assert texts(of(*pages)) == [
        "Annual Report\n\nText of page 0.",
        "Text of page 1.",
        "Text of page 2.",
        "Text of page 3.",
    ]


def test_heads_of_left_and_right_pages_and_of_chapters() -> None:
    heads = ["The Book", "One", "The Book", "One", "The Book", "Two", "The Book", "Two"]
    pages = [page(f"{h} {i + 3}", "", [f"Text {i}."]) for i, h in enumerate(heads)]
    assert texts(of(*pages)) == [
        "The Book 3\n\nText 0.",
        "One 4\n\nText 1.",
        "Text 2.",
        "Text 3.",
        "Text 4.",
        "Two 8\n\nText 5.",
        "Text 6.",
        "Text 7.",
    ]


def test_numerals_and_counts_of_pages() -> None:
    pages = [page("", f"page {n} of 3") for n in (1, 2, 3)]
    assert of(*pages).text.count("of 3") == 1
    roman = [page("", n, [f"{n}."]) for n in ("ix", "x", "xi", "xii")]
    assert texts(of(*roman)) == ["ix.", "x.", "xi.", "xii."]


def test_a_sentence_goes_on_over_the_page_with_exact_pages() -> None:
    first = ["The sentence begins on the first page", "of the book and does not end before"]
    second = ["the reader has turned the leaf. Then", "another one follows, which ends here."]
    pages = [page("Head", "1", first), page("Head", "2", second), page("Head", "3", ["End."])]
    document = of(*pages)
    assert texts(document)[:2] == ["Head\n\n" + " ".join(first), " ".join(second)]
    assert " ".join(first + second) in document.text
    at = document.text.index("the reader has turned")
    assert (document.page_at(at - 1), document.page_at(at)) == (1, 2)


def test_a_word_goes_on_over_the_page_without_its_hyphen() -> None:
    first = ["The sentence begins on the first page", "and it has a word that is too long, so"]
    document = of(
        page("", "", [*first, "that it ends on the other page, unfin-"]),
        page("", "", ["ished and then done."]),
    )
    assert "on the other page, unfinished and then done." in document.text
    at = document.text.index("ished")
    assert (document.page_at(at - 1), document.page_at(at)) == (1, 2)


def test_paragraphs_that_end_with_the_page_stay_apart() -> None:
    ends = [*BODY, "until it is at its end, at the foot."]
    assert of(page("", "", ends), page("", "", BODY)).text.count("\n\n") == 1


def test_one_page_loses_nothing() -> None:
    assert of(page("Head", "1")).text == "Head\n\n" + " ".join(BODY) + "\n\n1"


def test_two_pages_lose_only_numbers_that_count_and_the_second_head() -> None:
    first, second = page("Head", "1", ["Ann."]), page("Head", "2", ["Bob."])
    assert texts(of(first, second)) == ["Head\n\nAnn.", "Bob."]
    form = [page("", "", ["Form A", "Name: Ann"]), page("", "", ["Form A", "Name: Bob"])]
    assert texts(of(*form)) == ["Form A\nName: Ann", "Form A\nName: Bob"]


def test_totals_at_the_foot_of_each_page_are_kept() -> None:
    pages = [page("", f"Carried forward {n}") for n in (120, 75, 431)]
    assert [t.split("\n\n")[-1] for t in texts(of(*pages))] == [
        "Carried forward 120",
        "Carried forward 75",
        "Carried forward 431",
    ]


def test_headers_of_a_table_on_every_page_are_kept() -> None:
    rows = "".join(text(x, 788, cell) for x, cell in ((60, "2"), (200, "3"), (340, "4")))
    head = "".join(
        text(x, 800, cell, font="D") for x, cell in ((60, "Oil"), (200, "Gas"), (340, "Tar"))
    )
    more = "".join(text(x, 776, cell) for x, cell in ((60, "5"), (200, "6"), (340, "7")))
    lines = "Oil: 2 | Gas: 3 | Tar: 4\nOil: 5 | Gas: 6 | Tar: 7"
    assert texts(of(*[head + rows + more] * 3)) == [lines] * 3


def test_first_lines_of_the_text_are_kept_though_they_are_alike() -> None:
    pages = [
        page("", "", ["Dear Sir,", f"we owe you {n} shillings.", *BODY], 800) for n in (4, 9, 2)
    ]
    assert [t.split("\n")[0] for t in texts(of(*pages))] == ["Dear Sir,"] * 3
