"""What the plots show: points computed from scored questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from rag.evaluate.metrics import CALIBRATION_BINS, calibration_bin
from rag.evaluate.scored import STAGES, ScoredOutcome

_Z = 1.959964  # of a two-sided 95 % interval


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """Answering the ``coverage`` surest share of all questions, ``risk`` is the share wrong."""

    coverage: float
    risk: float
    confidence: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The answers given whose confidence falls into one bin: their mean and how many are right."""

    count: int
    confidence: float
    right: float
    low: float
    high: float


def risk_coverage(scored: Sequence[ScoredOutcome]) -> list[RiskPoint]:
    """Points by falling confidence, one for each confidence that an answer has.

    Coverage ends at the share that was answered at all: of a refusal it is not known what would
    have been said (El-Yaniv and Wiener 2010). Intervals are Wilson's, 95 %.
    """
    given = sorted((one for one in scored if _answered(one)), key=lambda one: -one.confidence)
    points, wrong = [], 0
    for place, one in enumerate(given, start=1):
        wrong += not one.right
        if place == len(given) or given[place].confidence != one.confidence:
            low, high = wilson(wrong, place)
            risk = wrong / place
            points.append(RiskPoint(place / len(scored), risk, one.confidence, low, high))
    return points


def reliability(scored: Sequence[ScoredOutcome]) -> list[ReliabilityBin]:
    """Return the bins of the expected calibration error that hold an answer."""
    bins: list[list[ScoredOutcome]] = [[] for _ in range(CALIBRATION_BINS)]
    for one in scored:
        if _answered(one):
            bins[calibration_bin(one.confidence)].append(one)
    found = []
    for members in filter(None, bins):
        right = sum(one.right for one in members)
        mean = float(np.mean([one.confidence for one in members]))
        low, high = wilson(right, len(members))
        found.append(ReliabilityBin(len(members), mean, right / len(members), low, high))
    return found


def latencies(scored: Sequence[ScoredOutcome]) -> dict[str, list[float]]:
    """Return the seconds of each stage, ascending."""
    asked = [one.seconds for one in scored if one.asked]
    return {stage: sorted(times[i] for times in asked) for i, stage in enumerate(STAGES)}


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), which keeps within 0..1 for small numbers."""
    share, z2 = part / whole, _Z * _Z
    middle = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    reach = _Z * sqrt(share * (1 - share) / whole + z2 / (4 * whole * whole)) / (1 + z2 / whole)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _answered(one: ScoredOutcome) -> bool:
    return one.asked and not one.refused
