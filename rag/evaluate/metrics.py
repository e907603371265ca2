"""The metrics, as functions of weighted sums over questions.

All but the area under the ROC curve are made of sums, so one matrix product gives them for any
number of weightings of the questions: all ones for the figure itself, counts of draws for its
bootstrap. ``rag.evaluate.permutation`` uses the same sums for its permutations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.evaluate.ranking import RANKING, ranking_scores
from rag.evaluate.scored import ScoredOutcome

CALIBRATION_BINS = 10
"""Bins of equal width, as Guo et al. 2017 define the expected calibration error."""

Array = npt.NDArray[np.float64]
Metric = tuple[str, str]
"""Group and name, as in the evaluation's JSON: ``("answer", "f1")``."""

_SHARES: Mapping[Metric, tuple[str, str]] = {
    **{("retrieval", name): (name, "answerable") for name in RANKING},
    ("answer", "em"): ("em", "graded"),
    ("answer", "f1"): ("f1", "graded"),
    ("citation", "valid"): ("valid", "citations"),
    ("citation", "precision"): ("right citations", "citations"),
    ("citation", "recall"): ("cites evidence", "should answer"),
}
"""Metrics that are one sum over another; without a denominator they are not defined."""

_BINS = [(f"bin {b} count", f"bin {b} confidence", f"bin {b} right")
         for b in range(CALIBRATION_BINS)]  # fmt: skip

METRICS: tuple[Metric, ...] = (
    *_SHARES,
    ("refusal", "precision"),
    ("refusal", "recall"),
    ("refusal", "f1"),
    ("refusal", "auroc"),
    ("calibration", "ece"),
)
"""Every metric but the times, in the order of the JSON."""

LOWER_IS_BETTER = {("calibration", "ece")}


@dataclass(frozen=True, slots=True)
class Table:
    """What the metrics sum, of ``n`` questions.

    ``columns`` has shape ``(n, len(NAMES))``. ``doubt`` (1 - confidence) and ``should_refuse``,
    of shape ``(m,)``, are those of the ``m`` questions put to the answerer, whose rows are
    ``asked``.
    """

    columns: Array
    asked: npt.NDArray[np.intp]
    doubt: Array
    should_refuse: npt.NDArray[np.bool_]


def table(scored: Sequence[ScoredOutcome]) -> Table:
    """Return the table of a set of scored questions."""
    columns = np.zeros((len(scored), len(NAMES)))
    for place, one in enumerate(scored):
        for name, value in _row(one).items():
            columns[place, _COLUMN[name]] = value
    asked = [i for i, one in enumerate(scored) if one.asked]
    return Table(
        columns,
        np.array(asked, dtype=np.intp),
        np.array([1.0 - scored[i].confidence for i in asked], dtype=np.float64),
        np.array([not scored[i].answerable for i in asked], dtype=np.bool_),
    )


def _row(one: ScoredOutcome) -> dict[str, float]:
    row: dict[str, float] = {"questions": 1.0, "answerable": float(one.answerable)}
    if one.answerable:
        row |= ranking_scores(one.evidence_ranks)
    if not one.asked:
        return row
    row |= {
        "should answer": float(one.answerable),
        "should refuse": float(not one.answerable),
        "refused": float(one.refused),
        "rightly refused": float(one.refused and not one.answerable),
        "citations": float(one.citations),
        "valid": float(one.valid),
        "right citations": float(one.right_citations),
        "cites evidence": float(one.answerable and one.right_citations > 0),
    }
    if one.graded:
        row |= {"graded": 1.0, "em": one.em, "f1": one.f1}
    if not one.refused:
        names = _BINS[calibration_bin(one.confidence)]
        row |= zip(names, (1.0, one.confidence, float(one.right)), strict=True)
    return row


def calibration_bin(confidence: float) -> int:
    """Return the bin of a confidence in 0..1; 1 belongs to the last."""
    return min(int(confidence * CALIBRATION_BINS), CALIBRATION_BINS - 1)


NAMES = (
    "questions", "answerable", *RANKING, "graded", "em", "f1",
    "should answer", "should refuse", "refused", "rightly refused",
    "citations", "valid", "right citations", "cites evidence",
    *(name for names in _BINS for name in names),
)  # fmt: skip
_COLUMN = {name: i for i, name in enumerate(NAMES)}


def from_sums(sums: Array) -> dict[Metric, Array]:
    """Return every metric but AUROC, of shape ``(b,)``, from sums of shape ``(b, len(NAMES))``.

    NaN where a metric is not defined: that of an empty denominator, and refusal's precision and
    F1 where the set lacks answerable or unanswerable questions. Precision without a refusal is 0.
    """
    column = {name: sums[:, i] for name, i in _COLUMN.items()}
    found = {
        metric: _over(column[part], column[whole]) for metric, (part, whole) in _SHARES.items()
    }
    should, refused = column["should refuse"], column["refused"]
    rightly = column["rightly refused"]
    both = (should > 0) & (column["should answer"] > 0)
    precision = np.where(refused > 0, rightly / np.maximum(refused, 1.0), 0.0)
    found["refusal", "precision"] = np.where(both, precision, np.nan)
    found["refusal", "recall"] = _over(rightly, should)
    found["refusal", "f1"] = np.where(both, _over(2.0 * rightly, should + refused), np.nan)
    found["calibration", "ece"] = _calibration_error(column)
    return found


def _calibration_error(column: Mapping[str, Array]) -> Array:
    """Expected calibration error of the answers given."""
    gaps = sum(np.abs(column[confidence] - column[right]) for _, confidence, right in _BINS)
    answers = sum(column[count] for count, _, _ in _BINS)
    return _over(np.asarray(gaps), np.asarray(answers))


def _over(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def levels_of(scores: Array) -> tuple[npt.NDArray[np.intp], int]:
    """Return the ranks of scores, from 0 and in their shape, equal ones alike; and their number."""
    found, levels = np.unique(scores, return_inverse=True)
    return levels.reshape(scores.shape), len(found)


def auroc(
    levels: npt.NDArray[np.intp], count: int, positive: npt.NDArray[np.bool_], weights: Array
) -> Array:
    """Return the weighted area under the ROC curve of each row, of shape ``(b,)``.

    NaN without both classes.

    ``levels`` are ranks below ``count``, of shape ``(b, n)`` or ``(1, n)``, ``positive`` has shape
    ``(n,)``, ``weights`` ``(b, n)`` or ``(1, n)``. The share of pairs in which the positive ranks
    higher, ties counting half (Mann and Whitney 1947), from one histogram a row: no sorting.
    """
    rows, n = max(len(levels), len(weights)), len(positive)
    levels, weights = np.broadcast_to(levels, (rows, n)), np.broadcast_to(weights, (rows, n))
    plus, minus = weights[:, positive], weights[:, ~positive]
    places = levels[:, ~positive] + np.arange(rows)[:, None] * count
    histogram = np.bincount(places.ravel(), minus.ravel(), rows * count).reshape(rows, count)
    below = np.cumsum(histogram, axis=1) - histogram / 2.0
    wins = (plus * np.take_along_axis(below, levels[:, positive], axis=1)).sum(axis=1)
    return _over(wins, plus.sum(axis=1) * minus.sum(axis=1))


def measure(found: Table, weights: Array) -> dict[Metric, Array]:
    """Every metric, of shape ``(b,)``, under weights of the questions of shape ``(b, n)``."""
    values = from_sums(weights @ found.columns)
    levels, count = levels_of(found.doubt)
    values["refusal", "auroc"] = (
        auroc(levels[None, :], count, found.should_refuse, weights[:, found.asked])
        if len(levels)
        else np.full(len(weights), np.nan)
    )
    return {metric: values[metric] for metric in METRICS}


def figures(found: Table) -> dict[Metric, float | None]:
    """Return the metrics of the set itself; None where one is not defined."""
    values = measure(found, np.ones((1, len(found.columns))))
    return {metric: _defined(float(value[0])) for metric, value in values.items()}


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else value
