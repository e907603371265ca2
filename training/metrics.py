"""The figures for answerable against not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Return the probability that a positive scores higher than a negative; ties count half."""
    values = np.concatenate([positive, negative])
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n, m = len(positive), len(negative)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def best_threshold(
    scores: Sequence[float], gains: Sequence[float], empty: Sequence[float]
) -> tuple[float, float]:
    """Return the best mean and its threshold, where scores at or above it earn `gains`.

    The others earn `empty`: 1 where refusing is right.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    delta = (np.asarray(gains) - np.asarray(empty))[order]
    sums = np.concatenate([[0.0], np.cumsum(delta)])
    best = int(sums.argmax())
    mean = (float(np.sum(empty)) + float(sums[best])) / len(scores)
    return mean, float(np.asarray(scores)[order[best - 1]]) if best else float("inf")
