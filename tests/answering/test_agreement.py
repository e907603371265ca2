"""Whether two sentences state one fact: corroboration, and real disagreement."""

from __future__ import annotations

import json
from typing import Any

import pytest
from places import DATA

from rag.answering.agreement import supports, value_kind
from rag.answering.compose import compose, sentence_of
from rag.answering.question import Question
from rag.types import Chunk, Document, Hit, Span

CASES = DATA / "disagreements.jsonl"
"""Thirty pairs of documents, ten of which contradict each other; written before the rules."""


def span(text: str, answer: str, source: str, title: str = "", probability: float = 0.8) -> Span:
    hit = Hit(Chunk(Document(source, text, title=title), 0, len(text)), 0.5, 0.5, 1.0)
    start = text.index(answer)
    return Span(hit, start, start + len(answer), probability)


def is_called_a_disagreement(case: dict[str, Any]) -> bool:
    a, b = case["documents"]
    spans = [
        span(a["text"], a["answer"], "a.txt", a["title"]),
        span(b["text"], b["answer"], "b.txt", b["title"], 0.75),
    ]
    return compose(Question(case["question"]), spans, 0.3).differ


def test_disagreements_are_real_ones() -> None:
    cases = [json.loads(line) for line in CASES.read_text("utf-8").splitlines()]
    assert len(cases) == 30
    assert sum(case["disagree"] for case in cases) == 10
    called = [case for case in cases if is_called_a_disagreement(case)]
    false = [case["question"] for case in called if not case["disagree"]]
    assert not false
    missed = [c["question"] for c in cases if c["disagree"] and c not in called]
    assert len(missed) <= 1, missed


def test_a_value_of_another_document_below_the_threshold_is_no_disagreement() -> None:
    spans = [
        span("Production starts in 2027.", "2027", "a.txt"),
        span("Production will start in 2026.", "2026", "b.txt", probability=0.29),
    ]
    assert not compose(Question("When does production start?"), spans, 0.3).differ


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("Mass production of solid-state batteries begins by 2027.", False),
        ("Production will begin in 2027.", True),
        ("The start of production is planned for 2027.", True),
        ("The bond issue of the city falls due in 2027.", False),
    ],
)
def test_a_further_citation_states_the_same(text: str, stated: bool) -> None:
    first = span("Production is expected to begin in 2027.", "2027", "a.txt")
    other = span(text, "2027", "b.txt", probability=0.6)
    question = Question("When will production start?")
    assert supports(question, sentence_of(first), sentence_of(other), other) is stated
    [statement] = compose(question, [first, other], 0.3).statements
    assert len(statement.sentences) == (2 if stated else 1)


@pytest.mark.parametrize(
    ("answer", "question", "kind"),
    [
        ("52%", "", "share"),
        ("$3 million", "", "money"),
        ("5 March 2027", "", "date"),
        ("1,200 km", "", "number"),
        ("Anna Berg", "Who leads it?", "name"),
        ("Anna Berg", "What is it?", ""),
        ("a process", "What is it?", ""),
    ],
)
def test_kinds_of_values(answer: str, question: str, kind: str) -> None:
    assert value_kind(answer, question) == kind
