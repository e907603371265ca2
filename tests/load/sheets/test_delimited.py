"""CSV and how any sheet becomes lines: headers, titles, several tables, places."""

import pytest

from rag.errors import LoadError
from rag.load.registry import load_bytes
from rag.load.sheets import sheet
from rag.types import Document


def load(text: str, name: str = "a.csv") -> Document:
    return load_bytes(text.encode(), name)


def rows(document: Document) -> list[tuple[str, str]]:
    """Each line with the name of its place."""
    found, position = [], 0
    for line in document.text.split("\n"):
        if line:
            found.append((document.place_at(position, position + len(line)), line))
        position += len(line) + 1
    return found


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("city,people\nRome,2.8\nOslo,0.7\n", "city: Rome | people: 2.8\ncity: Oslo | people: 0.7"),
        ('a;b\n"x;y";2,5\n', "a: x;y | b: 2,5"),
        ("a\tb\n1\t2\n", "a: 1 | b: 2"),
        ("sep=|\na|b\n1|2\n", "a: 1 | b: 2"),
        ('a,b\n"two\nlines","say ""hi"""\n', 'a: two lines | b: say "hi"'),
        ('a,b\n"never closed,1\n2,3\n', 'a: "never closed | b: 1\na: 2 | b: 3'),
        ("1,2\n3,4\n", "1 | 2\n3 | 4"),
        ("a,b,c\nx,,1\n,y\n", "a: x | c: 1\nb: y"),
        ("a,b,c\nx,y\n", "a | b | c\na: x | b: y"),
        (",2022,2023\nRome,5,6\n", "Rome | 2022: 5 | 2023: 6"),
        ("only one column\nof words, and\nmore, words, here", None),
    ],
)
def test_rows_carry_their_header(text: str, lines: str | None) -> None:
    assert load(text).text == (text if lines is None else lines)


def test_encodings_are_found() -> None:
    text = "名前,年齢\n佐藤太郎,30\n髙橋淳,35\n"
    expected = "名前: 佐藤太郎 | 年齢: 30\n名前: 髙橋淳 | 年齢: 35"
    for encoding in ("cp932", "utf-8-sig", "utf-16"):
        assert load_bytes(text.encode(encoding), "a.csv").text == expected


def test_titles_blank_rows_and_tables_below_each_other() -> None:
    document = load(
        "Sales by region,,\n,,\nRegion,2022,2023\nNorth,5,6\n,,\nTotal,5,6\n,,\n"
        "Name,Town,\nAnn,Rome,\n,,\nSource: the office,,\n"
    )
    assert rows(document) == [
        ("row 1", "Sales by region"),
        ("row 4", "Region: North | 2022: 5 | 2023: 6"),
        ("row 6", "Region: Total | 2022: 5 | 2023: 6"),
        ("row 8", "Region: Name | 2022: Town"),
        ("row 9", "Region: Ann | 2022: Rome"),
        ("row 11", "Source: the office"),
    ]
    assert document.title == "Sales by region"
    assert [document.text[h.start : h.end] for h in document.headings] == ["Sales by region"]


def test_a_header_apart_from_its_rows() -> None:
    document = load("Squares\n,\nNumber,Square\n,\n2,4\n3,9\n")
    assert rows(document) == [
        ("row 1", "Squares"),
        ("row 5", "Number: 2 | Square: 4"),
        ("row 6", "Number: 3 | Square: 9"),
    ]


def test_tables_side_by_side_are_read_one_after_the_other() -> None:
    document = load("a,b,,x,y\n1,2,,5,6\n3,4,,7,8\n")
    assert rows(document) == [
        ("row 2", "a: 1 | b: 2"),
        ("row 3", "a: 3 | b: 4"),
        ("row 2", "x: 5 | y: 6"),
        ("row 3", "x: 7 | y: 8"),
    ]


def test_a_blank_column_within_a_table_parts_nothing() -> None:
    assert load("Item,,2022,,2023\nTea,,5,,6\n").text == "Item: Tea | 2022: 5 | 2023: 6"


def test_a_place_of_several_rows() -> None:
    document = load("a,b\n1,2\n3,4\n5,6\n")
    assert document.place_at(0, len(document.text)) == "rows 2–4"
    assert document.place_at(13, 20) == "row 3"


def test_long_tables_keep_their_header_and_numbers() -> None:
    count = 3 * sheet._BEGINNING
    document = load("key,value\n" + "".join(f"k{i},{i}\n" for i in range(2, count)))
    lines = document.text.split("\n")
    assert lines == [f"key: k{i} | value: {i}" for i in range(2, count)]
    assert len(document.places) == 1
    assert document.place_at(document.text.index("key: k2500")) == "row 2500"


def test_too_many_cells_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MAX_CELLS", 9)
    with pytest.raises(LoadError, match=r"^has more than 9 cells; split it"):
        load("a,b\n" * 5)
    assert load("a,b\n" * 4).text


def test_too_many_characters_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MAX_CHARACTERS", 50)
    with pytest.raises(LoadError, match=r"^has more than 50 characters in its rows"):
        load("a,b\n1,2\n" * 10)
