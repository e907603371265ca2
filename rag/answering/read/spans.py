"""Logits -> the best spans of a passage. Pure: numpy only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.answering.read.windows import Window

MAX_ANSWER_LENGTH = 30
"""Word pieces of an answer."""

SPANS_PER_WINDOW = 2

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """Characters ``[start, end)`` of a document that may answer, and what the model says of them.

    ``null_margin`` is the sum of start and end logit less that of no answer; ``span_log_prob`` the
    log of the probability that the model gives to this start and this end in the window, at most
    0; ``answerable`` the logit that the window answers at all. Higher is better everywhere.
    """

    start: int
    end: int
    null_margin: float
    span_log_prob: float
    answerable: float

    @property
    def rank(self) -> float:
        """The number that orders the readings of one question."""
        return self.null_margin + 2 * self.answerable

    def overlaps(self, other: Reading) -> bool:
        """Whether two readings of one document share characters."""
        return self.start < other.end and other.start < self.end


def window_readings(window: Window, start: Logits, end: Logits, answerable: float) -> list[Reading]:
    """The best spans of a window, no two of which overlap; ``start``, ``end``: ``(length,)``."""
    count = len(window.offsets)
    if count == 0:
        return []
    inside = slice(window.first, window.first + count)
    sums = start[inside, None] + end[None, inside]
    begins, ends = np.arange(count)[:, None], np.arange(count)[None, :]
    sums = np.where((ends >= begins) & (ends < begins + MAX_ANSWER_LENGTH), sums, -np.inf)
    none = float(start[0] + end[0])
    allowed = [0, *range(inside.start, inside.stop)]
    total = _log_sum(start[allowed]) + _log_sum(end[allowed])
    found = []
    for _ in range(SPANS_PER_WINDOW):
        low, high = divmod(int(sums.argmax()), count)
        score = float(sums[low, high])
        if not np.isfinite(score):
            break
        found.append(
            Reading(
                window.offsets[low][0],
                window.offsets[high][1],
                score - none,
                score - total,
                float(answerable),
            )
        )
        sums[: high + 1, low:] = -np.inf  # every span that overlaps this one
    return found


def _log_sum(logits: Logits) -> float:
    peak = float(logits.max())
    return peak + float(np.log(np.exp(logits - peak).sum()))


def best_apart(readings: Iterable[Reading], count: int) -> list[Reading]:
    """The ``count`` best readings of one passage, no two of which overlap, best first."""
    kept: list[Reading] = []
    for reading in sorted(readings, key=lambda r: (-r.rank, r.start, r.end)):
        if len(kept) < count and not any(reading.overlaps(other) for other in kept):
            kept.append(reading)
    return kept
