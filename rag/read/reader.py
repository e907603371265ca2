"""The default reader: the span model, and a calibrated probability made of all the evidence."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from rag.errors import ModelError
from rag.read.evidence import SIGNALS, Candidate, signals
from rag.read.model import SpanModel, open_model
from rag.read.windows import Passage
from rag.types import Hit, Span

MODEL = Path(__file__).parent.parent / "assets" / "reader.onnx"
JUDGEMENT = Path(__file__).parent.parent / "assets" / "reader.json"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What turns evidence into a probability: a logistic regression over the signals.

    ``weights`` go with :data:`rag.read.evidence.SIGNALS`. ``curve`` holds ``(probability,
    precision, coverage)`` for rising probabilities: of the development questions answered at that
    probability or a higher one, the share answered rightly; and the share of all answered.
    """

    sha256: str
    weights: tuple[float, ...]
    intercept: float
    curve: tuple[tuple[float, float, float], ...]

    @classmethod
    def load(cls, path: Path = JUDGEMENT) -> Self:
        """Read the file. Raises :class:`ModelError` if it does not fit this program."""
        try:
            values: dict[str, Any] = json.loads(path.read_text("utf-8"))
            weights = tuple(float(values["weights"][name]) for name in SIGNALS)
            curve = tuple((float(p), float(right), float(c)) for p, right, c in values["curve"])
            return cls(values["sha256"], weights, float(values["intercept"]), curve)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"the reader's settings {path.name} cannot be used ({error}); install the program "
                "anew, or run training.judge again"
            ) from error

    def probabilities(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Probability that each row's reading is right; ``rows`` of shape ``(n, signals)``."""
        logits = rows @ np.asarray(self.weights) + self.intercept
        return np.asarray(1.0 / (1.0 + np.exp(-logits)))

    def threshold(self, precision: float) -> float:
        """The lowest probability from which on answers reach ``precision`` on the curve."""
        reached = [p for p, right, _ in self.curve if right >= precision]
        return min(reached, default=1.0)


class SpanReader:
    """Reads all hits in one or two calls of the model; a span is the exact answer.

    The model is opened at first use, which raises :class:`ModelError` if it is missing or damaged.
    """

    name = "extractive"

    def __init__(self, model: SpanModel | None = None, judgement: Judgement | None = None) -> None:
        self._model = model
        self._judgement = judgement
        self._opening = threading.Lock()

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        """Spans that may answer, most probable first; at most two of a hit."""
        candidates = find(self._open_model(), question, hits)
        probabilities = self._open_judgement().probabilities(signals(question, candidates))
        spans = [
            Span(c.hit, c.reading.start, c.reading.end, float(p))
            for c, p in zip(candidates, probabilities, strict=True)
        ]
        return sorted(spans, key=lambda span: (-span.probability, span.hit.source, span.start))

    def refuse_below(self, precision: float) -> float:
        """The probability to answer from, so that this share of the answers is right."""
        return self._open_judgement().threshold(precision)

    def _open_judgement(self) -> Judgement:
        if self._judgement is None:
            self._judgement = Judgement.load()
        return self._judgement

    def _open_model(self) -> SpanModel:
        with self._opening:
            if self._model is None:
                self._model = open_model(MODEL, self._open_judgement().sha256)
            return self._model


def find(model: SpanModel, question: str, hits: Sequence[Hit]) -> list[Candidate]:
    """The readings of all hits; one that two overlapping hits share comes once."""
    passages = [Passage(hit.chunk.document.text, hit.start, hit.end) for hit in hits]
    found: dict[tuple[str, int, int], Candidate] = {}
    for hit, readings in zip(hits, model.read(question, passages), strict=True):
        pieces = model.pieces_a_word(hit.text) if readings else 1.0
        for reading in readings:
            key = (hit.source, reading.start, reading.end)
            if key not in found or found[key].reading.rank < reading.rank:
                found[key] = Candidate(hit, reading, pieces)
    return list(found.values())
