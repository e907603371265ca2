"""Bootstrap intervals: the questions are drawn anew, with replacement, many times.

The draws are seeded, so the same outcomes have the same intervals everywhere. Intervals tell how
far a figure depends on which questions were asked; questions about one document resemble each
other, so another set of documents can differ by more.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rag.evaluate.metrics import METRICS, Array, Metric, Table, figures, measure

RESAMPLES = 2000
LEVEL = 0.95
SEED = 20240607

_BLOCK = 1_000_000
"""Weights drawn at a time, which bounds the memory whatever the number of questions."""

Interval = tuple[float, float]


def draws(n: int, resamples: int = RESAMPLES, seed: int = SEED) -> Iterator[Array]:
    """How often each of ``n`` questions is drawn: blocks of shape ``(b, n)``, rows summing to n."""
    rng = np.random.default_rng(seed)
    step = max(1, min(resamples, _BLOCK // max(n, 1)))
    for begin in range(0, resamples, step):
        rows = min(step, resamples - begin)
        drawn = rng.integers(0, n, size=(rows, n)) + np.arange(rows)[:, None] * n
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def intervals(
    found: Table, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = SEED
) -> dict[Metric, Interval | None]:
    """Return the interval of each metric; None where the metric is not defined.

    The percentile interval (Efron 1979) of the resamples in which the metric is defined. The
    calibration error is biased upwards in every resample; its interval is the basic one around
    the resamples' median (Davison and Hinkley 1997, 5.2.1), within 0..1.
    """
    if not len(found.columns):
        return dict.fromkeys(METRICS)
    blocks = [measure(found, weights) for weights in draws(len(found.columns), resamples, seed)]
    values = figures(found)
    result: dict[Metric, Interval | None] = {}
    for metric in METRICS:
        value = values[metric]
        drawn = np.concatenate([block[metric] for block in blocks])
        drawn = drawn[~np.isnan(drawn)]
        if value is None or not len(drawn):
            result[metric] = None
        elif metric == ("calibration", "ece"):
            (low, high), middle = _percentiles(drawn, level), float(np.median(drawn))
            result[metric] = (max(0.0, value + middle - high), min(1.0, value + middle - low))
        else:
            result[metric] = _percentiles(drawn, level)
    return result


def difference_intervals(
    before: Table, after: Table, level: float = LEVEL, seed: int = SEED
) -> dict[Metric, Interval | None]:
    """Percentile intervals of ``after - before``, each draw taking the same questions of both."""
    blocks = []
    for weights in draws(len(before.columns), seed=seed):
        first, second = measure(before, weights), measure(after, weights)
        blocks.append({metric: second[metric] - first[metric] for metric in METRICS})
    found: dict[Metric, Interval | None] = {}
    for metric in METRICS:
        drawn = np.concatenate([block[metric] for block in blocks])
        drawn = drawn[~np.isnan(drawn)]
        found[metric] = _percentiles(drawn, level) if len(drawn) else None
    return found


def _percentiles(drawn: Array, level: float) -> Interval:
    low, high = np.quantile(drawn, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)
