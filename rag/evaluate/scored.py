"""One outcome as numbers: all that the metrics look at, and what a result file keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rag.answering.cite import MARKER
from rag.evaluate.kinds import question_kind
from rag.evaluate.outcomes import DEPTH, Outcome
from rag.evaluate.squad import best_f1, exact_match, holds_answer
from rag.types import Answer

CONFIDENCE_DIGITS = 6
"""The last bits of a model's sums depend on what it computed beside; they decide nothing here."""

RIGHT_F1 = 0.5
"""F1 with a gold answer from which on an answer that cites the evidence is taken as right."""

VERDICTS: Mapping[str, str] = {
    "right": "Right",
    "wrong": "Wrong",
    "wrongly_refused": "Wrongly refused",
    "rightly_refused": "Rightly refused",
    "should_refuse": "Should have refused",
    "found": "Evidence found",
    "not_found": "Evidence not found",
    "not_judged": "Not judged",
}
"""Code of a verdict, and how it is shown. The last three are those of retrieval alone."""

GOOD = ("right", "rightly_refused", "found")
"""The verdicts that one hopes for."""

STAGES = ("retrieve", "read", "total")


@dataclass(frozen=True, slots=True)
class ScoredOutcome:
    """A question's outcome in numbers.

    ``rank`` is that of the first hit that overlaps the evidence, from 1; None beyond
    :data:`rag.evaluate.outcomes.DEPTH`. ``graded``: the gold answers are known. ``asked`` is
    False where only retrieval was asked for, and then all after it is at rest. ``em`` and ``f1``
    are those of the short answer, 0 for a refusal. ``seconds`` has the stages of an answer.
    """

    id: str
    question: str
    kind: str
    sources: tuple[str, ...]
    answerable: bool
    graded: bool
    rank: int | None
    asked: bool = False
    refused: bool = False
    confidence: float = 0.0
    em: float = 0.0
    f1: float = 0.0
    right: bool = False
    citations: int = 0
    valid: int = 0
    right_citations: int = 0
    seconds: tuple[float, ...] = ()

    @property
    def verdict(self) -> str:
        """A key of :data:`VERDICTS`."""
        if not self.asked:
            if not self.answerable:
                return "not_judged"
            return "not_found" if self.rank is None else "found"
        if not self.answerable:
            return "rightly_refused" if self.refused else "should_refuse"
        if self.refused:
            return "wrongly_refused"
        return "right" if self.right else "wrong"


def score(outcome: Outcome) -> ScoredOutcome:
    """Score one outcome."""
    question, answer = outcome.question, outcome.answer
    right_ranks = (
        rank
        for rank, hit in enumerate(outcome.hits[:DEPTH], start=1)
        if question.is_evidence(hit.source, hit.start, hit.end)
    )
    found: dict[str, Any] = {
        "id": question.id,
        "question": question.question,
        "kind": question_kind(question.question),
        "sources": question.sources,
        "answerable": question.answerable,
        "graded": bool(question.answers),
        "rank": next(right_ranks, None),
    }
    return (
        ScoredOutcome(**found)
        if answer is None
        else ScoredOutcome(**found, **_score_answer(outcome, answer))
    )


def _score_answer(outcome: Outcome, answer: Answer) -> dict[str, Any]:
    question = outcome.question
    cited = () if answer.refused else answer.citations
    right_citations = sum(question.is_evidence(c.source, c.start, c.end) for c in cited)
    said = said_by(answer)
    f1 = best_f1(said, question.answers)
    fits = not question.answers or holds_answer(said, question.answers) or f1 >= RIGHT_F1
    seconds = answer.seconds or {}
    return {
        "asked": True,
        "refused": answer.refused,
        "confidence": round(answer.confidence, CONFIDENCE_DIGITS),
        "em": 0.0 if answer.refused else exact_match(said, question.answers),
        "f1": 0.0 if answer.refused else f1,
        "right": not answer.refused and question.answerable and right_citations > 0 and fits,
        "citations": len(cited),
        "valid": 0 if answer.refused else outcome.valid_citations,
        "right_citations": right_citations,
        "seconds": tuple(float(seconds.get(stage, 0.0)) for stage in STAGES),
    }


def said_by(answer: Answer) -> str:
    """What EM and F1 look at: the short answer, or the text without markers where none is."""
    if answer.refused:
        return ""
    return answer.short or MARKER.sub("", answer.text)
