"""Readers whose answers a test decides, and outcomes made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rag.evaluate import ScoredOutcome
from rag.question_sets import Evidence, GoldQuestion
from rag.types import Hit, Span


class ScriptedReader:
    """Answers with the words that ``script`` gives for the question, wherever a hit holds them.

    ``{question: (words, probability)}``; a question without an entry is refused.
    """

    name = "scripted"
    version = "1"

    def __init__(self, script: Mapping[str, tuple[str, float]]) -> None:
        self.script = script

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        words, probability = self.script.get(question, ("", 0.0))
        for hit in hits:
            start = hit.text.find(words) if words else -1
            if start >= 0:
                start += hit.start
                return [Span(hit, start, start + len(words), probability)]
        return []

    def threshold(self, precision: float) -> float:
        return 0.5


class PassageReader:
    """Pastes the best passage as a whole as the answer to anything."""

    name = "passage"
    version = "1"

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        return [Span(hits[0], hits[0].start, hits[0].end, 0.9)]

    def threshold(self, precision: float) -> float:
        return 0.5


def scored(number: int, answerable: bool = True, **values: object) -> ScoredOutcome:
    """A scored question, asked, with defaults for what a test does not look at."""
    defaults: dict[str, object] = {
        "id": str(number),
        "question": f"When was {number}?",
        "kind": "when",
        "sources": ("a.txt",) if answerable else (),
        "answerable": answerable,
        "graded": answerable,
        "evidence_ranks": (None,),
        "asked": True,
        "seconds": (0.1, 0.2, 0.3),
    }
    return ScoredOutcome(**(defaults | values))  # type: ignore[arg-type]


def random_outcomes(n: int, seed: int, skill: float = 0.0) -> list[ScoredOutcome]:
    """Outcomes of a system of that ``skill`` on a fixed set of ``n`` questions.

    Each question has a difficulty of its own, so that two systems agree more than by chance.
    """
    difficulty = np.random.default_rng(0).normal(size=n)
    rng = np.random.default_rng(seed)
    return [_random_outcome(i, float(difficulty[i]), skill, rng) for i in range(n)]


def _random_outcome(
    i: int, difficulty: float, skill: float, rng: np.random.Generator
) -> ScoredOutcome:
    answerable = i % 3 > 0
    ease = rng.normal() + skill - difficulty
    confidence = round(float(1 / (1 + np.exp(-ease - (0.5 if answerable else -1.0)))), 6)
    rank = int(rng.geometric(1 / (1 + np.exp(-ease))))
    refused = confidence < 0.5
    right = answerable and not refused and ease + rng.normal() > 0
    f1 = 0.0 if refused or not answerable else float(rng.uniform(0.5, 1) if right else 0.2)
    citations = 0 if refused else int(rng.integers(1, 3))
    return scored(
        i,
        answerable,
        evidence_ranks=(rank if answerable and rank <= 10 else None,),
        refused=refused,
        confidence=confidence,
        em=float(f1 > 0.8),
        f1=f1,
        right=right,
        citations=citations,
        valid=citations,
        right_citations=min(citations, int(right)),
    )


EVIL = "<script>window.pwned = 1</script> & </details> \"' {{ 7 * 7 }} <img src=x onerror=alert(1)>"


def make_set(towns: int) -> tuple[dict[str, str], list[GoldQuestion], dict[str, tuple[str, float]]]:
    """Documents, questions of which every third is not answered, and a reader of mixed skill."""
    rng = np.random.default_rng(4)
    folder, questions, script = {}, [], {}
    for i in range(towns):
        name, source = f"Town{i:02d}", f"part{i % 3}/{i:02d}.txt"
        text = f"{name} was founded in {1500 + i} by settlers.\n\nIts mayor is Ms Mayor{i:02d}."
        folder[source] = text
        year = text.index(str(1500 + i))
        if i % 3:
            places = (Evidence(source, year, year + 4),)
            when = GoldQuestion(f"q{i}", f"When was {name} founded?", (str(1500 + i),), places)
        else:
            when = GoldQuestion(f"q{i}", f"Who destroyed {name}?", (), ())
        questions.append(when)
        said = rng.choice([str(1500 + i), f"in {1500 + i}", f"Mayor{i:02d}", ""])
        script[when.question] = (str(said), round(float(rng.uniform(0.3, 1)), 3))
    return folder, questions, script
