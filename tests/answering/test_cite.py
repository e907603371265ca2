"""Citations: verbatim statements, and the checking of a model's markers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.answering.cite import MARKER, cite_spans, finished_part, resolve_markers
from rag.types import Chunk, Document, Hit, Span

LEXUS = Document(
    "lexus.txt",
    "Lexus sold 851,200 vehicles worldwide in 2024.\nProduction is expected to begin in 2027.",
)
TESLA = Document("tesla.txt", "Tesla was the first wholly foreign-owned automaker in China.")


def hit(document: Document) -> Hit:
    return Hit(Chunk(document, 0, len(document.text)), 1.0, 0.5, 3.0)


HITS = [hit(LEXUS), hit(TESLA)]


def quotes(text: str) -> tuple[str, list[tuple[int, str]], int]:
    cited = resolve_markers(text, HITS)
    return cited.text, [(c.number, c.quote) for c in cited.citations], cited.dropped


def test_statements_carry_their_words_and_numbers() -> None:
    first = Span(HITS[0], 0, 46, 0.9)
    second = Span(HITS[1], 0, len(TESLA.text), 0.8)
    cited = cite_spans([[first], [second]])
    assert cited.text == f"{LEXUS.text[:46]} [1] {TESLA.text} [2]"
    assert [(c.number, c.quote) for c in cited.citations] == [(1, LEXUS.text[:46]), (2, TESLA.text)]


def test_equal_statements_are_one_with_several_citations() -> None:
    copy = hit(Document("copy.txt", LEXUS.text))
    cited = cite_spans([[Span(HITS[0], 0, 46, 0.9), Span(copy, 0, 46, 0.9)]])
    assert cited.text == f"{LEXUS.text[:46]} [1][2]"
    assert [c.source for c in cited.citations] == ["lexus.txt", "copy.txt"]


def test_a_marker_is_resolved_to_the_sentence_that_supports_it() -> None:
    text, found, dropped = quotes("Production begins in 2027 [1]. Lexus sold 851,200 cars [1].")
    assert text == "Production begins in 2027 [1]. Lexus sold 851,200 cars [2]."
    assert found == [
        (1, "Production is expected to begin in 2027."),
        (2, "Lexus sold 851,200 vehicles worldwide in 2024."),
    ]
    assert dropped == 0


def test_a_marker_after_the_full_stop_belongs_to_the_sentence_before() -> None:
    text, found, _ = quotes("Production is expected in 2027. [1] Tesla was first in China. [2]")
    assert text == "Production is expected in 2027. [1] Tesla was first in China. [2]"
    assert [quote for _, quote in found] == [
        "Production is expected to begin in 2027.",
        TESLA.text,
    ]


def test_markers_of_no_passage_are_dropped_and_counted() -> None:
    text, found, dropped = quotes(
        "Lexus sold 851,200 vehicles [7][0]. Production begins in 2027 [1]."
    )
    assert text == "Lexus sold 851,200 vehicles. Production begins in 2027 [1]."
    assert [number for number, _ in found] == [1]
    assert dropped == 2


def test_a_marker_whose_passage_does_not_support_the_claim_is_dropped() -> None:
    assert quotes("Lexus sold 999,999 vehicles worldwide [1].")[1:] == ([], 1)  # another number
    assert quotes("BMW builds engines near Munich [1].")[1:] == ([], 1)  # other words
    assert quotes("Lexus sold 851,200 vehicles [2].")[1:] == ([], 1)  # the other passage
    assert quotes("[1]")[1:] == ([], 1)  # no claim


def test_lists_of_numbers_and_other_brackets() -> None:
    text, found, dropped = quotes(
        "Lexus sold 851,200 vehicles worldwide【1】. Tesla was first [1, 2]."
    )
    assert text == "Lexus sold 851,200 vehicles worldwide[1]. Tesla was first [2]."
    assert [quote for _, quote in found] == [LEXUS.text[:46], TESLA.text]
    assert dropped == 1


def test_numbers_that_name_no_passage_are_dropped_however_large() -> None:
    for marker in ("[2024]", "[0000]", f"[{'9' * 5000}]", "[5-7]", "[1000–2000]", "【2024】"):
        text, found, dropped = quotes(f"Lexus sold 851,200 vehicles {marker}.")
        assert (text, found, dropped) == ("Lexus sold 851,200 vehicles.", [], 1), marker


def test_a_range_is_each_of_its_numbers() -> None:
    for marker in ("[1-2]", "[1–2]", "[1 — 2]", "[2-1]"):
        text, found, dropped = quotes(f"Lexus sold 851,200 vehicles {marker}.")
        assert text == "Lexus sold 851,200 vehicles [1].", marker
        assert [quote for _, quote in found] == [LEXUS.text[:46]]
        assert dropped == 1  # the second passage says nothing of Lexus
    assert quotes("Lexus sold 851,200 vehicles [1-99999999].")[2] == 2  # it, and all beyond


def test_what_is_no_marker_stays() -> None:
    for other in ("[^1]", "[a]", "[1st]", "[]", "(1)", "[1.5]"):
        text, found, dropped = quotes(f"Lexus sold 851,200 vehicles {other}.")
        assert (text, found, dropped) == (f"Lexus sold 851,200 vehicles {other}.", [], 0)


def test_removing_a_marker_makes_no_other() -> None:
    for text in (
        "Lexus [[9]1].",
        "Lexus [1[9]].",
        "Lexus [1, [9] 2].",
        "Lexus [1-[8][9]2].",
        "9-[9【2[9]]",
    ):
        assert MARKER.search(resolve_markers(text, HITS).text) is None, text


def test_a_documents_own_brackets_stay_in_its_words() -> None:
    document = Document("wiki.txt", "Lexus sold 851,200 vehicles.[7]")
    cited = cite_spans([[Span(hit(document), 0, len(document.text), 0.9)]])
    assert cited.text == "Lexus sold 851,200 vehicles.[7] [1]"
    assert [citation.number for citation in cited.citations] == [1]


def test_equal_quotes_share_a_number() -> None:
    text, found, _ = quotes("Production begins in 2027 [1]. So production is expected in 2027 [1].")
    assert text.count("[1]") == 2
    assert len(found) == 1


@given(st.text(st.sampled_from("ab 1.[],2-–9 \n【】Lexus"), max_size=60))
def test_any_text_leaves_only_markers_with_citations(text: str) -> None:
    cited = resolve_markers(text, HITS)
    numbers = [citation.number for citation in cited.citations]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {int(marker.group(1)) for marker in MARKER.finditer(cited.text)} == set(numbers)
    for citation in cited.citations:
        assert f"[{citation.number}]" in cited.text
        source = {"lexus.txt": LEXUS, "tesla.txt": TESLA}[citation.source]
        assert source.text[citation.start : citation.end] == citation.quote != ""


def test_the_finished_part_of_a_growing_text() -> None:
    assert finished_part("Lexus sold 851,200 cars") == ""
    assert finished_part("Lexus sold cars [1]. Produ") == "Lexus sold cars [1]."
    assert finished_part("Lexus sold cars. [1] Produ") == "Lexus sold cars. [1]"
    assert finished_part("Lexus sold cars. [1") == "Lexus sold cars."
