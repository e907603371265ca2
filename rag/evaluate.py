"""Question sets in, metrics out: the same figures at every run on the same index.

Definitions. A hit or a citation is right if it overlaps the evidence. Spans of evidence are
alternatives, so each question has one relevant item: the first right hit. EM and F1 are SQuAD's
(Rajpurkar et al. 2016) over answerable questions, a refusal counting 0. The positive class of
``refusal`` is "refuse". An answer is right, for calibration, if it cites the evidence and its
short answer holds a gold answer, or has an F1 of at least 0.5 with one.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import QuestionSetError
from rag.questions import Question
from rag.types import Answer, Hit, Progress

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase

DEPTH = 10
"""Hits that the ranking metrics look at."""

CALIBRATION_BINS = 10
"""Bins of equal width, as Guo et al. 2017 define the expected calibration error."""

_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question, what retrieval found for it, and what was answered."""

    question: Question
    hits: tuple[Hit, ...]
    answer: Answer
    valid_citations: int

    @property
    def right_citations(self) -> int:
        """Citations that overlap the evidence."""
        is_evidence = self.question.is_evidence
        return sum(is_evidence(c.source, c.start, c.end) for c in self.answer.citations)

    @property
    def em(self) -> float:
        """SQuAD's exact match of the short answer, 0 or 1; a refusal counts 0."""
        said = normalize_answer(self._said)
        return float(any(said == normalize_answer(gold) for gold in self.question.answers))

    @property
    def f1(self) -> float:
        """SQuAD's F1 of the short answer with the best gold answer; a refusal counts 0."""
        return max((token_f1(self._said, gold) for gold in self.question.answers), default=0.0)

    @property
    def is_right(self) -> bool:
        """Whether the answer says what the evidence says, and cites it."""
        said = normalize_answer(self._said)
        holds = any(normalize_answer(gold) in said for gold in self.question.answers)
        return self.right_citations > 0 and (holds or self.f1 >= 0.5)

    @property
    def _said(self) -> str:
        return "" if self.answer.refused else self.answer.short or self.answer.text


def evaluate(
    kb: KnowledgeBase,
    questions: Sequence[Question],
    answerer: str | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Ask every question. Raises :class:`QuestionSetError` for evidence outside the documents."""
    _check_evidence(kb, questions)
    outcomes = []
    for done, question in enumerate(questions):
        if progress:
            progress("Asking", done, len(questions))
        answer = kb.ask(question.question, answerer=answerer)
        hits = tuple(kb.search(question.question, DEPTH))
        valid = sum(_is_valid(citation.to_dict(), kb) for citation in answer.citations)
        outcomes.append(Outcome(question, hits, answer, valid))
    if progress:
        progress("Asking", len(questions), len(questions))
    return outcomes


def _check_evidence(kb: KnowledgeBase, questions: Sequence[Question]) -> None:
    sources = set(kb.sources())
    lengths: dict[str, int] = {}
    for question in questions:
        for evidence in question.evidence:
            if evidence.source not in sources:
                raise QuestionSetError(
                    f"question {question.id!r}: the index holds no document {evidence.source!r}; "
                    "index the folder that the question set belongs to"
                )
            if evidence.source not in lengths:
                lengths[evidence.source] = len(kb.document(evidence.source).text)
            length = lengths[evidence.source]
            if evidence.end > length:
                raise QuestionSetError(
                    f"question {question.id!r}: evidence ends at {evidence.end}, but "
                    f"{evidence.source!r} has {length} characters"
                )


def _is_valid(citation: dict[str, Any], kb: KnowledgeBase) -> bool:
    """Whether the quote, as shown, stands at its offsets in the knowledge base's document."""
    document = kb.document(citation["source"])
    text = document.text[citation["start"] : citation["end"]]
    return bool(text) and (text, document.sha256) == (citation["quote"], citation["sha256"])


def summarize(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The metrics as JSON-ready values; None where a metric is not defined for the set."""
    answerable = [outcome for outcome in outcomes if outcome.question.answerable]
    cited = [outcome for outcome in outcomes if not outcome.answer.refused]
    citations = sum(len(outcome.answer.citations) for outcome in cited)
    seconds = [float((outcome.answer.seconds or {}).get("total", 0.0)) for outcome in outcomes]
    return {
        "questions": len(outcomes),
        "answerable": len(answerable),
        "retrieval": _ranking(answerable),
        "answer": {
            "em": _mean([outcome.em for outcome in answerable]),
            "f1": _mean([outcome.f1 for outcome in answerable]),
        },
        "citation": {
            "valid": _ratio(sum(outcome.valid_citations for outcome in cited), citations),
            "precision": _ratio(sum(outcome.right_citations for outcome in cited), citations),
            "recall": _mean([float(outcome.right_citations > 0) for outcome in answerable]),
        },
        "refusal": _refusal(outcomes),
        "calibration": {"ece": _calibration_error(cited)},
        "seconds": {
            "p50": float(np.percentile(seconds, 50)) if seconds else None,
            "p95": float(np.percentile(seconds, 95)) if seconds else None,
        },
    }


def normalize_answer(text: str) -> str:
    """SQuAD's normalisation: lower case, no punctuation, no English articles, single blanks."""
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def token_f1(said: str, gold: str) -> float:
    """SQuAD's F1 over words; characters of Chinese and Japanese count as words (as in MLQA)."""
    said_tokens, gold_tokens = _tokens(said), _tokens(gold)
    if not said_tokens or not gold_tokens:
        return float(said_tokens == gold_tokens)
    common = sum((Counter(said_tokens) & Counter(gold_tokens)).values())
    return 2.0 * common / (len(said_tokens) + len(gold_tokens))


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(normalize_answer(text))


def _ranking(answerable: Sequence[Outcome]) -> dict[str, float | None]:
    import ir_measures
    from ir_measures import RR, R, nDCG

    measures = {
        "recall@1": R @ 1,
        "recall@5": R @ 5,
        "recall@10": R @ DEPTH,
        "mrr@10": RR @ DEPTH,
        "ndcg@10": nDCG @ DEPTH,
    }
    if not answerable:
        return dict.fromkeys(measures)
    qrels = [ir_measures.Qrel(outcome.question.id, "evidence", 1) for outcome in answerable]
    run = [
        ir_measures.ScoredDoc(outcome.question.id, document, float(DEPTH - rank))
        for outcome in answerable
        for rank, document in enumerate(_judged(outcome))
    ]
    found = ir_measures.calc_aggregate(list(measures.values()), qrels, run)
    return {name: float(found[measure]) for name, measure in measures.items()}


def _judged(outcome: Outcome) -> list[str]:
    """The hits as names: ``evidence`` for the first right one."""
    names = [f"other {rank}" for rank in range(len(outcome.hits))]
    for rank, hit in enumerate(outcome.hits):
        if outcome.question.is_evidence(hit.source, hit.start, hit.end):
            names[rank] = "evidence"
            break
    return names


def _refusal(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

    should = [not outcome.question.answerable for outcome in outcomes]
    if len(set(should)) < 2:
        return dict.fromkeys(("precision", "recall", "f1", "auroc"))
    did = [outcome.answer.refused for outcome in outcomes]
    precision, recall, f1, _ = precision_recall_fscore_support(
        should, did, average="binary", zero_division=0.0
    )
    doubt = [1.0 - outcome.answer.confidence for outcome in outcomes]
    return {
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "auroc": float(roc_auc_score(should, doubt)),
    }


def _calibration_error(answered: Sequence[Outcome]) -> float | None:
    """Expected calibration error of the answers given."""
    if not answered:
        return None
    confidence = np.array([outcome.answer.confidence for outcome in answered])
    right = np.array([outcome.is_right for outcome in answered], dtype=float)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = [
        abs(confidence[bins == b].mean() - right[bins == b].mean()) * np.mean(bins == b)
        for b in np.unique(bins)
    ]
    return float(np.sum(gaps))


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
