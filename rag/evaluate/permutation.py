"""Paired permutation tests: whether two evaluations differ by more than chance.

Under the hypothesis that two systems are alike, any question's two outcomes may be exchanged, so
exchanging them at random shows what differences chance makes (Noreen 1989, "Computer-Intensive
Methods for Testing Hypotheses", chapter 2; Smucker et al. 2007 for retrieval). That fits every
metric, also those that are no mean over questions.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from rag.evaluate.intervals import SEED
from rag.evaluate.metrics import METRICS, Array, Metric, Table, auroc, from_sums, levels_of

PERMUTATIONS = 10_000

_BLOCK = 1_000_000
"""Exchanges drawn at a time, which bounds the memory whatever the number of questions."""

_EQUAL = 1e-12
"""Differences this close are the same: sums in another order differ in their last bits."""


def permutation_p_values(
    before: Table, after: Table, permutations: int = PERMUTATIONS, seed: int = SEED
) -> dict[Metric, float]:
    """Return the two-sided p value of each metric that exchanging outcomes can change at all.

    The others have no test: a hypothesis that can never be rejected needs no correction for
    (Tarone 1990).
    """
    observed = _differences(before, after, np.zeros((1, len(before.columns)), dtype=np.bool_))
    reached = dict.fromkeys(METRICS, 1)
    moved = dict.fromkeys(METRICS, False)
    rng = np.random.default_rng(seed)
    n = len(before.columns)
    step = max(1, min(permutations, _BLOCK // max(n, 1)))
    for begin in range(0, permutations, step):
        rows = min(step, permutations - begin)
        swaps = rng.integers(0, 2, size=(rows, n), dtype=np.int8).astype(np.bool_)
        for metric, drawn in _differences(before, after, swaps).items():
            # NaN, where an exchange leaves a metric undefined, counts as a large difference.
            small = np.abs(drawn) < abs(observed[metric][0]) - _EQUAL
            reached[metric] += int(np.count_nonzero(~small))
            moved[metric] |= bool(np.any(np.abs(drawn) > _EQUAL))
    return {m: reached[m] / (permutations + 1) for m in METRICS if moved[m]}


def _differences(before: Table, after: Table, swaps: npt.NDArray[np.bool_]) -> dict[Metric, Array]:
    """``after - before`` of each metric, of shape ``(b,)``, with the outcomes exchanged where
    ``swaps``, of shape ``(b, n)``, says so."""
    change = after.columns - before.columns
    changed = np.flatnonzero(change.any(axis=1))
    shift = swaps[:, changed].astype(np.float64) @ change[changed]
    first = from_sums(before.columns.sum(axis=0) + shift)
    second = from_sums(after.columns.sum(axis=0) - shift)
    differences = {metric: second[metric] - first[metric] for metric in first}
    differences["refusal", "auroc"] = _auroc_differences(before, after, swaps)
    return differences


def _auroc_differences(before: Table, after: Table, swaps: npt.NDArray[np.bool_]) -> Array:
    if not np.array_equal(before.asked, after.asked) or not len(before.asked):
        return np.full(len(swaps), np.nan)
    if np.array_equal(before.doubt, after.doubt):
        return np.zeros(len(swaps))
    (first, second), count = levels_of(np.stack([before.doubt, after.doubt]))
    swaps = swaps[:, before.asked]
    ones = np.ones((1, len(first)))
    return auroc(np.where(swaps, first, second), count, before.should_refuse, ones) - auroc(
        np.where(swaps, second, first), count, before.should_refuse, ones
    )


def holm(p_values: Mapping[Metric, float]) -> dict[Metric, float]:
    """P values corrected for their number (Holm 1979): any false alarm at most at their level."""
    corrected: dict[Metric, float] = {}
    highest = 0.0
    for place, metric in enumerate(sorted(p_values, key=lambda metric: p_values[metric])):
        highest = max(highest, (len(p_values) - place) * p_values[metric])
        corrected[metric] = min(1.0, highest)
    return corrected
