"""NFKC: the tokenizers library is the oracle, whatever Unicode this Python knows."""

from __future__ import annotations

import sys
from unicodedata import combining, decomposition, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import normalizers

from rag.embed.nfkc import nfkc

CHARACTERS = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
BATCH = 4096

TRICKY = (
    "aeouk \u0301\u0300\u0308\u0327\u0323\u0316\u0345\u0344\u0334\ufb01½²…\u00a0\u3000¨´\u0340"
    "\u1112\u1161\u11ab\u314f\u3131\uac00ｶﾞﾊﾟ\u3099か\u09c7\u09be\u0bc6\u0bd7\u0dd9\u0dcf\u0dca"
    "\u0958\u0f73\ufdfa①㌔\u05e9\u05bc\ufb2c\U0001d15e\U00011347\U0001133e日本語한국"
    "\u0c3c\u1abf\u08d3\u32ff\U000105d2\U0001fbf3\U00011935\U00011930"
)
"""The last line is of characters that the library's tables, of Unicode 9, do not have."""

library = normalizers.NFKC().normalize_str


def assert_is_the_librarys(texts: list[str]) -> None:
    """Each by itself, for all that ``x`` neither composes nor changes places."""
    for start in range(0, len(texts), BATCH):
        text = "x".join(texts[start : start + BATCH])
        assert nfkc(text).text == library(text)


def test_every_character_becomes_what_it_does_in_the_library() -> None:
    assert_is_the_librarys(CHARACTERS)


def test_every_mark_takes_the_place_it_does_in_the_library() -> None:
    marks = [character for character in CHARACTERS if combining(character)]
    assert len(marks) > 800
    for other in "\u0334\u0345\u0301\u0323\u05b0\u093c\u3099":
        assert_is_the_librarys([f"a{mark}{other}" for mark in marks])
        assert_is_the_librarys([f"a{other}{mark}" for mark in marks])


def test_every_composition_is_the_librarys() -> None:
    forms = [(c, decomposition(c)) for c in CHARACTERS]
    pairs = [
        "".join(chr(int(code, 16)) for code in form.split())
        for _, form in forms
        if form and not form.startswith("<")
    ]
    assert len(pairs) > 2000
    assert_is_the_librarys(pairs)
    assert_is_the_librarys([normalize("NFD", c) for c, form in forms if form])


@given(st.text(st.one_of(st.sampled_from(TRICKY), st.characters(exclude_categories=["Cs"]))))
def test_any_text_is_normalized_as_by_the_library(text: str) -> None:
    normal = nfkc(text)
    assert normal.text == library(text)
    places = list(zip(normal.starts.tolist(), normal.ends.tolist(), strict=True))
    assert len(places) == len(normal.text)
    assert places == sorted(places)
    for start, end in set(places):
        of_place = "".join(
            character
            for character, place in zip(normal.text, places, strict=True)
            if place == (start, end)
        )
        assert of_place == library(text[start:end])
    assert {i for start, end in places for i in range(start, end)} == set(range(len(text)))


@pytest.mark.parametrize(
    ("text", "normal", "places"),
    [
        ("aé", "aé", [(0, 1), (1, 2)]),
        ("ae\u0301b", "aéb", [(0, 1), (1, 3), (3, 4)]),
        ("1½", "11\u20442", [(0, 1), (1, 2), (1, 2), (1, 2)]),
        ("\u3000\u0301", " \u0301", [(0, 1), (1, 2)]),
        ("\u1112\u1161\u11ab.", "한.", [(0, 3), (3, 4)]),
        ("\u32ff\u0301①", "\u32ff\u03011", [(0, 1), (1, 2), (2, 3)]),
    ],
)
def test_places(text: str, normal: str, places: list[tuple[int, int]]) -> None:
    made = nfkc(text)
    assert made.text == normal
    assert list(zip(made.starts.tolist(), made.ends.tolist(), strict=True)) == places


def test_many_marks_after_one_another_take_no_quadratic_time() -> None:
    """Python's own function takes minutes for these."""
    text = "a" + "\u0301\u0316" * 200_000
    assert nfkc(text).text == "á" + "\u0316" * 200_000 + "\u0301" * 199_999
