"""What is said: whole sentences, equal answers once, other answers side by side."""

from __future__ import annotations

from rag.answering.compose import compose, sentence_of
from rag.answering.question import Question
from rag.types import Chunk, Document, Hit, Span

TEXT = (
    "Lexus sold 851,200 vehicles worldwide in 2024. Electrified vehicles were 52% of sales. "
    "Production is expected to begin in 2027.\n\nIt will use new batteries."
)


def hit(text: str = TEXT, source: str = "a.txt") -> Hit:
    return Hit(Chunk(Document(source, text), 0, len(text)), 0.5, 0.5, 1.0)


def span(words: str, probability: float = 0.9, found: Hit | None = None) -> Span:
    found = found or hit()
    start = found.text.index(words)
    return Span(found, start, start + len(words), probability)


def said(question: str, *spans: Span, sure: float = 0.5) -> list[list[str]]:
    made = compose(Question(question), spans, sure)
    return [[sentence.text for sentence in statement.sentences] for statement in made.statements]


def test_the_sentence_around_the_answer() -> None:
    assert said("How many?", span("851,200")) == [[TEXT[:46]]]
    assert sentence_of(span("2024. Electrified")).text == TEXT[:86]


def test_an_explanation_takes_the_next_sentence_of_the_paragraph() -> None:
    assert said("Why were sales high?", span("851,200")) == [[TEXT[:86]]]
    assert said("How does it begin?", span("2027")) == [[TEXT[87:127]]]
    assert said("How many were sold?", span("851,200")) == [[TEXT[:46]]]


def test_equal_answers_are_one_with_several_citations() -> None:
    other = hit("In 2024, Lexus sold 851,200 vehicles.", "b.txt")
    found = said("How many?", span("851,200"), span("851,200 vehicles", 0.6, other))
    assert found == [[TEXT[:46], other.text]]


def test_a_number_that_stands_somewhere_by_chance_is_not_cited() -> None:
    other = hit("The lottery paid 851,200 dollars.", "b.txt")
    assert said("How many?", span("851,200"), span("851,200", 0.1, other)) == [[TEXT[:46]]]


def test_documents_that_disagree_stand_side_by_side() -> None:
    other = hit("Lexus sold 824,000 vehicles worldwide in 2024.", "b.txt")
    spans = [span("851,200", 0.9), span("824,000", 0.85, other)]
    made = compose(Question("How many?"), spans, 0.5)
    assert made.differ
    assert [s.answer.text for s in made.statements] == ["851,200", "824,000"]
    assert compose(Question("How many?"), [spans[0], span("824,000", 0.6, other)], 0.5).differ
    assert not compose(
        Question("How many?"), spans, 0.88
    ).differ  # the second alone would be refused


def test_answers_of_another_kind_or_of_one_document_do_not_disagree() -> None:
    other = hit("Lexus sold more than ever.", "b.txt")
    assert not compose(
        Question("How many?"), [span("851,200"), span("more than ever", 0.85, other)], 0.5
    ).differ
    found = hit()
    spans = [span("851,200", 0.9, found), span("52%", 0.85, found)]
    assert not compose(Question("How many?"), spans, 0.5).differ


def test_several_things_come_in_reading_order() -> None:
    found = hit()
    spans = [span("2027", 0.8, found), span("851,200", 0.3, found)]
    assert said("What are the figures of 2024?", *spans) == [[TEXT[:46]], [TEXT[87:127]]]
    assert said("When does it begin?", *spans) == [[TEXT[87:127]]]


def test_a_sentence_is_shown_once() -> None:
    found = hit()
    spans = [span("851,200", 0.8, found), span("2024", 0.78, found)]
    assert said("How many?", *spans) == [[TEXT[:46]]]
