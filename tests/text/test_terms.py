"""Search terms, tried in a real FTS5 table."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.text.terms import MAX_QUESTION_TERMS, TOKENIZE, count_words, index_terms, match_expression

Search = Callable[[str, str], bool]


@pytest.fixture(scope="module")
def finds() -> Iterator[Search]:
    """Whether an FTS5 expression finds a text, in a table that holds nothing else."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(f'CREATE VIRTUAL TABLE words USING fts5 (body, tokenize = "{TOKENIZE}")')

        def search(text: str, expression: str) -> bool:
            db.execute("DELETE FROM words")
            db.execute("INSERT INTO words (body) VALUES (?)", (index_terms(text),))
            found = db.execute("SELECT 1 FROM words WHERE words MATCH ?", (expression,))
            return found.fetchone() is not None

        yield search


def asked(finds: Search, text: str, question: str) -> bool:
    expression = match_expression(question)
    return expression is not None and finds(text, expression)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Lexus sold 851,200 vehicles.", "lexus sold 851200 vehicles"),
        ("up 3.3% in 2024", "up 3.3 in 2024"),
        ("1.234,56 € und 1’234 CHF", "1234.56 und 1234 chf"),
        ("10.12.2024, v1.2", "10.12.2024 10 12 2024 v1 2"),
        ("100\u202f000 m²", "100000 m2"),
        ("solid-state max_seq_length", "solidstate solid state maxseqlength max seq length"),
        ("Luther’s O'Brien don't", "luther obrien brien dont don"),
        ("the U.S. (e.g. here)", "the us eg here"),
        ("Straße Crème ﬁn ＡＢ１ ёлка", "strasse creme fin ab1 елка"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("黑豹队 2016年", "黑豹 豹队 队 2016 年"),
        ("東京タワー・サッカー", "東京 京タ タワ ワー ー サッ ッカ カー ー"),
        ("한국어 검색", "한국 국어 어 검색 색"),
        ("हिन्दी भाषा", "हिन्दी भाषा"),
        ("🙂 — … \x00", ""),
    ],
)
def test_index_terms(text: str, terms: str) -> None:
    assert index_terms(text) == terms


def test_thai_is_searched_in_pairs() -> None:
    assert index_terms("ราคา") == "รา าค คา า"


@pytest.mark.parametrize(
    ("question", "expression"),
    [
        ("How many vehicles did Lexus sell?", '"vehicles" OR "lexus" OR "sell"'),
        ("who is the who", '"who" OR "is" OR "the"'),
        ("What's the CEO's e-mail?", '"ceo" OR "email" OR "e" OR "mail"'),
        ("队", '"队"*'),
        (
            "黑豹队丢了多少分？",
            '"黑豹" OR "豹队" OR "队丢" OR "丢了" OR "了多" OR "多少" OR "少分"',
        ),
        ('"a" NEAR(b) AND -c^ col: *', '"near" OR "b" OR "c" OR "col"'),
        ("?!", None),
        ("", None),
    ],
)
def test_match_expression(question: str, expression: str | None) -> None:
    assert match_expression(question) == expression


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Lexus sold 851,200 vehicles", "851200"),
        ("Lexus sold 851200 vehicles", "851,200"),
        ("ein Plus von 3,3 %", "3.3%"),
        ("founded in the 1980s", "1980"),
        ("the co-founder", "cofounder"),
        ("the cofounders", "co-founder"),
        ("an e-mail", "email"),
        ("Luther’s theses", "luther"),
        ("l’Europe", "Europe"),
        ("U.S. troops", "US"),
        ("MÜLLER", "muller"),
        ("kept running", "run"),
        ("黑豹队的防守", "豹"),
        ("黑豹队的防守", "队"),
        ("超级碗的黑豹队", "黑豹队"),
        ("東京ﾀﾜｰ", "タワー"),
        ("ไม่มีประเทศไทย", "ประเทศ"),
        ("한국어로 검색", "한국어"),
    ],
)
def test_finds_what_is_written_otherwise(finds: Search, text: str, question: str) -> None:
    assert asked(finds, text, question)


@pytest.mark.parametrize(
    ("text", "question"),
    [("3.5 and 35", "3"), ("हिन्दी", "ह"), ("the end", "what is the matter"), ("豹队", "黑豹")],
)
def test_does_not_find_parts(finds: Search, text: str, question: str) -> None:
    assert not asked(finds, text, question)


_WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Z", "Cc"]), min_size=1, max_size=12
)


@given(st.lists(_WORDS, min_size=1, max_size=8))
@example(["don't", "1,234.5", "a-b", "İstanbul", "ﷺ", "ᾳ̈"])
def test_every_term_of_every_word_finds_its_text(finds: Search, words: list[str]) -> None:
    text = " ".join(words)
    for word in words:
        expression = match_expression(word)
        if any(c.isalnum() for c in word):
            assert expression is not None
        for term in expression.split(" OR ") if expression else ():
            assert finds(text, term), term


@given(st.text())
@example('"')
@example("\ud800 \x00 NOT")
@example("{a b}: c* ^d")
def test_any_question_is_a_valid_expression(finds: Search, question: str) -> None:
    expression = match_expression(question)
    if expression is not None:
        finds("a text", expression)


@pytest.mark.parametrize(
    "question",
    [
        " ".join(map(str, range(20_000))),
        "字" * 100_000,
        "a-" * 50_000,
        "x" * 100_000,
        "1." * 50_000,
    ],
)
def test_a_long_question_is_bounded(finds: Search, question: str) -> None:
    expression = match_expression(question)
    assert expression is not None
    assert len(expression.split(" OR ")) <= MAX_QUESTION_TERMS
    assert len(expression) < 10_000
    finds("a text", expression)


@pytest.mark.parametrize(
    ("text", "count"), [("Two words", 2.0), ("黑豹队 2016", 2.5), ("", 0.0), ("…", 0.0)]
)
def test_count_words(text: str, count: float) -> None:
    assert count_words(text) == count
