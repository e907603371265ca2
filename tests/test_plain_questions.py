"""Plain questions on the seed document, worded as people talk: what holds must not be lost.

A person gets all 45 right. The floors are two below what was measured; raise them when it rises.
"""

from __future__ import annotations

from collections import Counter

from places import DATA

from rag import KnowledgeBase
from rag.evaluate import evaluate
from rag.evaluate.scored import score
from rag.question_sets import read_questions

QUESTIONS = read_questions(DATA / "plain_questions.jsonl")
MIN_RIGHT, MIN_RIGHTLY_REFUSED = 11, 5


def test_the_set_is_what_its_readme_says() -> None:
    assert len(QUESTIONS) == len({question.question for question in QUESTIONS}) == 45
    assert sum(not question.answerable for question in QUESTIONS) == 9


def test_the_floors(seed_kb: KnowledgeBase) -> None:
    scored = [score(outcome) for outcome in evaluate(seed_kb, QUESTIONS)]
    verdicts = Counter(one.verdict for one in scored)
    assert verdicts["right"] >= MIN_RIGHT, verdicts
    assert verdicts["rightly_refused"] >= MIN_RIGHTLY_REFUSED, verdicts
    assert sum(one.valid for one in scored) == sum(one.citations for one in scored)
