"""Fits the probabilities of a knowledge base's answers to questions whose answers are known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rag.answering.read.calibration import Calibration
from rag.errors import QuestionSetError
from rag.evaluate.metrics import figures, table
from rag.evaluate.outcomes import DEFAULTS, outcomes
from rag.evaluate.scored import ScoredOutcome, score
from rag.question_sets import GoldQuestion
from rag.types import Progress

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase

MIN_QUESTIONS = 20
"""Questions below which nothing is fitted: chance would decide."""

FOLDS = 5
"""Parts of the set, each scored by a fit to the others: what the fit is worth on new questions."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibration, and the figures without it and with it, by name.

    ``after`` is cross-fitted: no answer is scored by a fit that has seen it.
    """

    calibration: Calibration
    questions: int
    before: dict[str, float | None]
    after: dict[str, float | None]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "questions": self.questions,
            "scale": self.calibration.scale,
            "shift": self.calibration.shift,
            "before": self.before,
            "after": self.after,
        }


def calibrate(
    kb: KnowledgeBase, questions: Collection[GoldQuestion], progress: Progress | None = None
) -> Fitted:
    """Ask the questions, refusing none, and fit the probabilities of the answers.

    Raises :class:`QuestionSetError` for a set that is too small, or all of whose answers are right
    or wrong. Nothing is stored: see :meth:`KnowledgeBase.set_calibration`.
    """
    if len(questions) < MIN_QUESTIONS:
        raise QuestionSetError(
            f"{len(questions)} questions are too few to calibrate by: use at least {MIN_QUESTIONS}"
        )
    settings = replace(
        kb.settings, answerer="extractive", target_precision=0.0, calibration="shipped"
    )
    with kb.variant(kb.path, settings) as asked:
        scored = [score(o) for o in outcomes(asked, questions, DEFAULTS, progress)]
        floor = asked.reader.threshold(kb.settings.target_precision)
        version = asked.reader.version
    return fit(scored, version, kb.settings.target_precision, floor)


def fit(scored: Sequence[ScoredOutcome], version: str, target: float, floor: float) -> Fitted:
    """Fit to scored questions that were all answered; ``floor`` is where answers began before."""
    given = [one for one in scored if not one.refused]
    right = np.array([one.right for one in given])
    if len(given) < MIN_QUESTIONS or right.all() or not right.any():
        raise QuestionSetError(
            f"{int(right.sum())} of {len(given)} answers are right: nothing can be fitted; use "
            "questions of which some are answered rightly and some not"
        )
    shipped = np.array([one.confidence for one in given])
    calibration = Calibration.fit(version, shipped, right)
    fitted, floors = cross_fitted(shipped, right, version, target)
    return Fitted(
        calibration,
        len(scored),
        _figures(given, shipped, np.full(len(given), floor)),
        _figures(given, fitted, floors),
    )


def cross_fitted(
    shipped: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], version: str, target: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return each answer's probability and refusal threshold by a fit to the other folds."""
    fold = np.random.default_rng(0).permutation(len(shipped)) % FOLDS
    fitted, floors = np.empty_like(shipped), np.empty_like(shipped)
    for number in range(FOLDS):
        inside, others = fold == number, fold != number
        made = Calibration.fit(version, shipped[others], right[others])
        fitted[inside] = made.apply(shipped[inside])
        floors[inside] = made.threshold(target)
    return fitted, floors


def _figures(
    given: Sequence[ScoredOutcome],
    probabilities: npt.NDArray[np.float64],
    floors: npt.NDArray[np.float64],
) -> dict[str, float | None]:
    """What the probabilities are worth: the evaluation's figures, with these in their place."""
    changed = [
        replace(one, confidence=float(p), refused=bool(p < floor), right=one.right and p >= floor)
        for one, p, floor in zip(given, probabilities, floors, strict=True)
    ]
    answered = [one for one in changed if not one.refused]
    found = figures(table(changed))
    return {
        "ece": found["calibration", "ece"],
        "refusal precision": found["refusal", "precision"],
        "refusal recall": found["refusal", "recall"],
        "answered": len(answered) / len(changed),
        "right of answered": (
            sum(one.right for one in answered) / len(answered) if answered else None
        ),
    }
