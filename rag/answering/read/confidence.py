"""Evidence -> a calibrated probability: the weights that ship beside the model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from rag.answering.read.evidence import FEATURES
from rag.errors import ModelError

WEIGHTS = Path(__file__).parents[2] / "assets" / "reader.json"


@dataclass(frozen=True, slots=True)
class ConfidenceModel:
    """What turns evidence into a probability: a logistic regression over the features.

    ``weights`` go with :data:`rag.answering.read.evidence.FEATURES`. ``curve`` holds
    ``(probability, precision, coverage)`` for rising probabilities: of the development questions
    answered at that probability or a higher one, the share answered rightly; and the share of
    all answered.
    """

    sha256: str
    weights: tuple[float, ...]
    intercept: float
    curve: tuple[tuple[float, float, float], ...]

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> Self:
        """Read the file. Raises :class:`ModelError` if it does not fit this program."""
        try:
            values: dict[str, Any] = json.loads(path.read_text("utf-8"))
            weights = tuple(float(values["weights"][name]) for name in FEATURES)
            curve = tuple((float(p), float(right), float(c)) for p, right, c in values["curve"])
            return cls(values["sha256"], weights, float(values["intercept"]), curve)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"the reader's settings {path.name} cannot be used ({error}); install the program "
                "anew, or run training.judge again"
            ) from error

    def probabilities(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Probability that each row's reading is right; ``rows`` of shape ``(n, features)``."""
        logits = rows @ np.asarray(self.weights) + self.intercept
        return np.asarray(1.0 / (1.0 + np.exp(-logits)))

    def threshold(self, precision: float) -> float:
        """The lowest probability from which on answers reach ``precision`` on the curve."""
        reached = [p for p, right, _ in self.curve if right >= precision]
        return min(reached, default=1.0)
