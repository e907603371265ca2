"""PDF: tables become lines in which each value carries its header, or stay as they are."""

from __future__ import annotations

from load_pdf import area, column, grid, make_pdf, rule, text

from rag.load.registry import load_bytes

XS, YS = [50, 150, 250, 350], [600, 620, 640, 660]
HEADS = ["Name", "Year", "Sales"]
LEXUS, BMW = ["Lexus", "2024", "851,200"], ["BMW", "2023", "714,500"]
LINES = "Name: Lexus | Year: 2024 | Sales: 851,200\nName: BMW | Year: 2023 | Sales: 714,500"


def of(*drawn: str) -> str:
    return load_bytes(make_pdf("".join(drawn)), "a.pdf").text


def row(y: float, cells: list[str], font: str = "C", xs: list[int] = XS) -> str:
    return "".join(text(x + 5, y, cell, font=font) for x, cell in zip(xs, cells, strict=False))


def body(*rows: list[str]) -> str:
    return "".join(row(626 - 20 * i, cells) for i, cells in enumerate(rows))


def test_a_ruled_table_with_bold_headers() -> None:
    before, after = text(50, 700, "Before the table."), text(50, 560, "After it.")
    drawn = [before, grid(XS, YS), row(646, HEADS, "D"), body(LEXUS, BMW), after]
    assert of(*drawn) == f"Before the table.\n\n{LINES}\n\nAfter it."


def test_words_above_columns_of_numbers_are_headers() -> None:
    assert of(grid(XS, YS), row(646, HEADS), body(LEXUS, BMW)) == LINES


def test_headers_with_a_background() -> None:
    heads, words = ["Name", "Town", "Tree"], (["Ann", "Rome", "oak"], ["Bob", "Oslo", "elm"])
    drawn = [area(50, 640, 350, 660, 0.8), grid(XS, YS), row(646, heads), body(*words)]
    assert of(*drawn) == "Name: Ann | Town: Rome | Tree: oak\nName: Bob | Town: Oslo | Tree: elm"


def test_without_plain_headers_the_values_stand_alone() -> None:
    rows = (["Ann", "Rome", "oak"], ["Bob", "Oslo", "elm"])
    drawn = [grid(XS, YS), row(646, ["Eve", "Bonn", "ash"]), body(*rows)]
    assert of(*drawn) == "Eve | Bonn | ash\nAnn | Rome | oak\nBob | Oslo | elm"


def test_keys_and_values_are_not_taken_for_headers() -> None:
    drawn = [
        grid([50, 150, 250], YS),
        row(646, ["Born", "in May"]),
        body(["Age", "35"], ["Sons", "2"]),
    ]
    assert of(*drawn) == "Born | in May\nAge | 35\nSons | 2"


def test_a_column_of_names_names_its_rows() -> None:
    drawn = [
        grid(XS, YS),
        row(646, ["", "2023", "2024"], "D"),
        body(["Oil", "1", "2"], ["Gas", "3", "4"]),
    ]
    assert of(*drawn) == "Oil | 2023: 1 | 2024: 2\nGas | 2023: 3 | 2024: 4"


def test_cells_over_several_rows_and_columns() -> None:
    rules = [rule(50, y, 350, y) for y in (600, 660)] + [rule(150, y, 350, y) for y in (620, 640)]
    rules += [rule(x, 600, x, 660) for x in (50, 150, 350)] + [rule(250, 600, 250, 640)]
    drawn = [*rules, text(155, 646, "all together", font="D"), text(55, 646, "Kind", font="D")]
    drawn += [row(626, ["", "red", "blue"]), row(606, ["", "10", "20"])]
    assert of(*drawn) == "Kind | all together\nKind | red | blue\nKind | 10 | 20"


def test_wrapped_cells_are_whole() -> None:
    ys = [580, 620, 640, 660]
    long = text(255, 610, "many hun-") + text(255, 598, "dreds")
    drawn = [grid(XS, ys), row(646, HEADS, "D"), row(626, LEXUS), row(610, ["BMW", "2023"]), long]
    assert of(*drawn) == (
        "Name: Lexus | Year: 2024 | Sales: 851,200\nName: BMW | Year: 2023 | Sales: many hundreds"
    )


def test_boxes_of_a_form_and_crossed_lines_are_no_table() -> None:
    form = [grid([50, 350], [600, 640, 680]), text(55, 650, "Family name"), text(55, 610, "Town")]
    assert of(*form) == "Family name\n\nTown"
    words = "words that run straight across all of the borders"
    paper = [grid(XS, YS), text(60, 646, words), text(60, 626, words), text(60, 606, words)]
    assert "|" not in of(*paper)


def test_an_aligned_table_under_a_rule() -> None:
    drawn = [rule(50, 660, 320, 660), row(646, HEADS), rule(50, 640, 320, 640), body(LEXUS, BMW)]
    assert of(*drawn, rule(50, 600, 320, 600)) == LINES


def test_an_aligned_table_with_bold_headers_and_gaps() -> None:
    rows = (["Lexus", "", "851,200"], ["", "2023", "714,500"], ["Audi", "2022", ""])
    assert of(row(646, HEADS, "D"), body(*rows)) == (
        "Name: Lexus | Sales: 851,200\nYear: 2023 | Sales: 714,500\nName: Audi | Year: 2022"
    )


def test_headers_of_two_lines_are_one() -> None:
    drawn = [row(666, ["Name of", "", "Sales"]), row(654, ["the make", "Year", "in all"])]
    drawn += [rule(50, 648, 320, 648), row(636, LEXUS), row(622, BMW)]
    assert of(*drawn) == (
        "Name of the make: Lexus | Year: 2024 | Sales in all: 851,200\n"
        "Name of the make: BMW | Year: 2023 | Sales in all: 714,500"
    )


def test_a_header_over_two_columns() -> None:
    drawn = [text(200, 666, "Sales of", font="D"), row(654, ["Name", "2023", "2024"], "D")]
    drawn += [rule(50, 648, 320, 648), row(636, ["Oil", "1", "2"]), row(622, ["Gas", "3", "4"])]
    assert of(*drawn).splitlines()[-1] == "Gas 3 4" or "2024: 4" in of(*drawn)


def test_aligned_words_without_headers_stay_lines() -> None:
    rows = [["Ann", "Rome", "oak"], ["Bob", "Oslo", "elm"], ["Eve", "Bonn", "ash"]]
    assert of(body(*rows)) == "Ann Rome oak\nBob Oslo elm\nEve Bonn ash"


def test_names_above_their_addresses_and_a_sentence_stay_lines() -> None:
    drawn = [
        row(646, ["Ann", "Bob"], "D"),
        *column(55, 626, ["A line of prose that is not a cell."]),
    ]
    assert "|" not in of(*drawn)


def test_a_running_head_above_a_table_is_not_its_header() -> None:
    rows = [row(808 - 14 * i, cells) for i, cells in enumerate((LEXUS, BMW), 2)]
    drawn = [row(816, ["Report", "", "Part 1"], "D"), row(794, HEADS, "D"), *rows]
    assert of(*drawn) == f"Report Part 1\n\n{LINES}"
