"""Probabilities fitted to one knowledge base, by questions whose answers are known.

The probabilities that ship are fitted to many kinds of documents at once. On documents of one kind
they may all be somewhat too high or too low; two numbers mend that and leave the order as it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from rag.types import Hit, Reader, Span

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SCALE_SPREAD, SHIFT_SPREAD = 0.3, 0.7
"""Standard deviations of what is expected of the two numbers before any question is asked: about
how far apart three knowledge bases were (``docs/evaluation.md``)."""

_EDGE = 1e-6
_STEPS = 50


@dataclass(frozen=True, slots=True)
class Calibration:
    """``logit -> scale * logit + shift`` (Platt 1999), for the reader of one ``version``.

    ``probabilities`` are the fitted ones of the ``questions`` that it was made of, ascending.
    """

    version: str
    scale: float
    shift: float
    probabilities: tuple[float, ...]

    @classmethod
    def fit(
        cls, version: str, probabilities: Sequence[float] | Floats, right: Sequence[bool] | Flags
    ) -> Self:
        """Fit to the ``probabilities`` of answers and whether each was ``right``.

        Maximum a posteriori, by Newton's method: with few questions the numbers stay near 1 and 0.
        """
        if not len(probabilities):
            raise ValueError("no answers to fit to")
        logits = _logits(np.asarray(probabilities, dtype=np.float64))
        scale, shift = _newton(logits, np.asarray(right, dtype=np.float64))
        made = cls(version, round(scale, 6), round(shift, 6), ())
        fitted = sorted(float(p) for p in made.apply(probabilities))
        return replace(made, probabilities=tuple(round(p, 6) for p in fitted))

    def apply(self, probabilities: Sequence[float] | Floats) -> Floats:
        """The fitted probabilities, of the same shape and order."""
        logits = _logits(np.asarray(probabilities, dtype=np.float64))
        return np.asarray(1.0 / (1.0 + np.exp(-(self.scale * logits + self.shift))))

    def threshold(self, precision: float) -> float:
        """The lowest probability from which on the answers are right as often as ``precision``.

        Taken from the fitted probabilities, not from the counts: with few questions those jump.
        1 where not even the surest answer is that likely to be right.
        """
        fitted = np.asarray(self.probabilities)
        expected = np.cumsum(fitted[::-1])[::-1] / np.arange(len(fitted), 0, -1)
        reached = fitted[expected >= precision - _EDGE]
        if len(reached) == len(fitted):
            return 0.0
        return float(reached[0]) if len(reached) else 1.0

    def to_json(self) -> str:
        """As it is kept in the index."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What :meth:`to_json` gave."""
        values = json.loads(text)
        return cls(**values | {"probabilities": tuple(values["probabilities"])})


class CalibratedReader:
    """A reader whose probabilities are those of a :class:`Calibration`."""

    def __init__(self, reader: Reader, calibration: Calibration) -> None:
        self._reader = reader
        self._calibration = calibration

    @property
    def name(self) -> str:
        """The reader's own."""
        return self._reader.name

    @property
    def version(self) -> str:
        """The reader's own."""
        return self._reader.version

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        """The reader's spans, in its order."""
        spans = self._reader.read(question, hits)
        fitted = self._calibration.apply([span.probability for span in spans])
        return [replace(s, probability=float(p)) for s, p in zip(spans, fitted, strict=True)]

    def threshold(self, precision: float) -> float:
        """The fitted probability to answer from."""
        return self._calibration.threshold(precision)


def _logits(probabilities: Floats) -> Floats:
    inside = np.clip(probabilities, _EDGE, 1.0 - _EDGE)
    return np.asarray(np.log(inside / (1.0 - inside)))


def _newton(logits: Floats, right: Floats) -> tuple[float, float]:
    """Scale and shift of greatest posterior probability; the loss is convex, so one minimum."""
    inputs = np.column_stack([logits, np.ones_like(logits)])
    expected = np.array([1.0, 0.0])
    pull = np.diag([SCALE_SPREAD**-2, SHIFT_SPREAD**-2])
    found = expected.copy()

    def loss(values: Floats) -> float:
        sums = inputs @ values
        away = values - expected
        return float(np.sum(np.logaddexp(0.0, sums) - right * sums) + away @ pull @ away / 2)

    for _ in range(_STEPS):
        p = 1.0 / (1.0 + np.exp(-(inputs @ found)))
        slope = inputs.T @ (p - right) + pull @ (found - expected)
        curve = inputs.T @ (inputs * (p * (1.0 - p))[:, None]) + pull
        step = np.linalg.solve(curve, slope)
        while loss(found - step) > loss(found) and np.abs(step).max() > _EDGE:
            step = step / 2
        found = found - step
        if np.abs(step).max() < _EDGE:
            break
    return float(found[0]), float(found[1])
