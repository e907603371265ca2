"""A whole evaluation: asks a question set and keeps what reports, files and pages need."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rag.digests import file_sha256
from rag.evaluate.figures import full_report
from rag.evaluate.outcomes import DEFAULTS, Options, outcomes
from rag.evaluate.results import Records, record, write_results
from rag.evaluate.scored import ScoredOutcome, score
from rag.question_sets import GoldQuestion, QuestionFile
from rag.types import Progress

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase


class Evaluation:
    """The outcomes of one run: ``scored`` in memory, their records in a temporary file.

    ``report`` is the evaluation's JSON: the metrics, and ``about``, which says what was asked and
    with which settings.
    """

    def __init__(
        self, about: dict[str, Any], scored: list[ScoredOutcome], records: Records
    ) -> None:
        self.scored = scored
        self.records = records
        self.report: dict[str, Any] = full_report(scored) | {"about": about}

    def write(self, path: Path) -> None:
        """Write a result file, which ``rag compare`` reads."""
        write_results(path, self.report, self.records.lines())

    def close(self) -> None:
        """Drop the records."""
        self.records.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def run_evaluation(
    kb: KnowledgeBase,
    questions: Collection[GoldQuestion],
    options: Options = DEFAULTS,
    progress: Progress | None = None,
) -> Evaluation:
    """Ask all questions and score the outcomes. Raises what :func:`outcomes` does."""
    scored: list[ScoredOutcome] = []
    records = Records()
    answerer = None
    try:
        for outcome in outcomes(kb, questions, options, progress):
            scored.append(score(outcome))
            records.append(record(outcome, scored[-1]))
            answerer = outcome.answer.answerer if outcome.answer else None
        return Evaluation(_about(kb, questions, answerer), scored, records)
    except BaseException:
        records.close()
        raise


def _about(
    kb: KnowledgeBase, questions: Collection[GoldQuestion], answerer: str | None
) -> dict[str, Any]:
    from rag import __version__

    status = kb.status()
    about = {
        "version": __version__,
        "documents": status["documents"],
        "embedder": status["embedder"],
        "chunk_tokens": kb.settings.chunk_tokens,
        "chunk_overlap": kb.settings.chunk_overlap,
        "answerer": answerer,
        "top_k": kb.settings.top_k,
        "fusion": kb.settings.fusion,
        "target_precision": kb.settings.target_precision,
        "question_set": None,
    }
    if isinstance(questions, QuestionFile):
        about |= {
            "question_set": questions.path.name,
            "question_set_sha256": file_sha256(questions.path),
        }
    return about
