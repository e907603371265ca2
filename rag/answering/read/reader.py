"""The default reader: the span model, and a calibrated probability made of all the evidence."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from rag.answering.question import analysed
from rag.answering.read.confidence import ConfidenceModel
from rag.answering.read.evidence import Candidate, Embed, features
from rag.answering.read.model import SpanModel, open_model
from rag.answering.read.windows import Passage
from rag.embed import bundled_encoder
from rag.types import Hit, Span

MODEL = Path(__file__).parents[2] / "assets" / "reader.onnx"

PRONOUNS = frozenset(
    "he she it they we you i him her them us me his hers its their theirs this that these those "
    "himself herself itself themselves one both who which".split()
)


class SpanReader:
    """Reads all hits in one or two calls of the model; a span is the exact answer.

    The model is opened at first use, which raises :class:`ModelError` if it is missing or damaged.
    """

    name = "extractive"

    @property
    def version(self) -> str:
        """Digest of the model, which its probabilities go with."""
        return self._open_confidence().sha256

    def __init__(
        self,
        model: SpanModel | None = None,
        confidence: ConfidenceModel | None = None,
        embed: Embed | None = None,
    ) -> None:
        self._model = model
        self._confidence = confidence
        self._embed = embed
        self._opening = threading.Lock()

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        """Spans that may answer, most probable first; at most two of a hit."""
        candidates = find(self._open_model(), question, hits)
        embed = self._embed or bundled_encoder().encode
        rows = features(analysed(question), candidates, embed)
        probabilities = self._open_confidence().probabilities(rows)
        spans = [
            Span(c.hit, c.reading.start, c.reading.end, float(p))
            for c, p in zip(candidates, probabilities, strict=True)
        ]
        return sorted(spans, key=lambda span: (-span.probability, span.hit.source, span.start))

    def threshold(self, precision: float) -> float:
        """The probability to answer from, so that this share of the answers is right."""
        return self._open_confidence().threshold(precision)

    def _open_confidence(self) -> ConfidenceModel:
        if self._confidence is None:
            self._confidence = ConfidenceModel.load()
        return self._confidence

    def _open_model(self) -> SpanModel:
        with self._opening:
            if self._model is None:
                self._model = open_model(MODEL, self._open_confidence().sha256)
            return self._model


def find(model: SpanModel, question: str, hits: Sequence[Hit]) -> list[Candidate]:
    """The readings of all hits; one that two overlapping hits share comes once.

    A pronoun alone is none: it tells nobody who is meant.
    """
    passages = [Passage(hit.chunk.document.text, hit.start, hit.end) for hit in hits]
    found: dict[tuple[str, int, int], Candidate] = {}
    for hit, readings in zip(hits, model.read(question, passages), strict=True):
        pieces = model.tokens_per_word(hit.text) if readings else 1.0
        for reading in readings:
            key = (hit.source, reading.start, reading.end)
            candidate = Candidate(hit, reading, pieces)
            if candidate.words in PRONOUNS:
                continue
            if key not in found or found[key].reading.rank < reading.rank:
                found[key] = candidate
    return list(found.values())
