"""Question x hits -> the sentences that answer it, with the probability that they do.

:class:`SentenceReader` weighs a few signals of support (see :func:`_signals`) by a logistic
regression fitted by ``training/sentence_reader.py``, which prints the weights below.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

from rag.cite import held_share, terms
from rag.sentences import sentence_spans
from rag.types import Embedder, Hit, Span, Vectors

WEIGHTS = (8.545, 3.877, 1.359, -1.454, 0.34, -3.424)
INTERCEPT = -7.289

_ASKS_NUMBER = re.compile(
    r"\b(?:how (?:many|much|old|long|far|tall|high|large|big|fast|often)|"
    r"what (?:percent|share|range|number|amount|year|date|age|price|cost)|"
    r"when|which year|in what year)\b",
    re.I,
)
_ASKS_NAME = re.compile(r"\b(?:who|whom|whose)\b", re.I)
NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w’'-]+")
_NUMBER = re.compile(r"\d")
_NUMBER_WORD = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|hundred|thousand|million|"
    r"billion|century|decade|half|quarter|third|annual|monday|tuesday|wednesday|thursday|friday|"
    r"saturday|sunday|january|february|march|april|may|june|july|august|september|october|"
    r"november|december)\w*\b",
    re.I,
)


class SentenceReader:
    """Reads sentence by sentence; a span is a whole sentence."""

    name = "extractive"

    def __init__(self, embedder: Embedder) -> None:
        self._sentences = SentenceVectors(embedder)

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        """Every sentence of the hits once, most probable first."""
        places = sentences_of(hits)
        if not places:
            return []
        rows = signals(question, places, self._sentences)
        logits = rows @ np.asarray(WEIGHTS) + INTERCEPT
        probabilities = 1.0 / (1.0 + np.exp(-logits))
        spans = [
            Span(hit, start, end, float(p))
            for (hit, start, end), p in zip(places, probabilities, strict=True)
        ]
        return sorted(spans, key=lambda span: (-span.probability, span.hit.source, span.start))


def sentences_of(hits: Sequence[Hit]) -> list[tuple[Hit, int, int]]:
    """``(hit, start, end)`` of each sentence of the hits; one shared by two hits comes once."""
    places: dict[tuple[str, int, int], tuple[Hit, int, int]] = {}
    for hit in hits:
        for start, end in sentence_spans(hit.chunk.document.text, hit.start, hit.end):
            places.setdefault((hit.source, start, end), (hit, start, end))
    return list(places.values())


class SentenceVectors:
    """Vectors of sentences, each embedded once while it is remembered."""

    def __init__(self, embedder: Embedder, remembered: int = 8192) -> None:
        self._embedder = embedder
        self._vectors: LRUCache[str, Vectors] = LRUCache(remembered)
        self._lock = threading.Lock()

    def similarities(self, question: str, sentences: Sequence[str]) -> list[float]:
        """Cosine similarity of each sentence to the question."""
        with self._lock:
            known = {s: self._vectors[s] for s in sentences if s in self._vectors}
        new = [s for s in dict.fromkeys(sentences) if s not in known]
        known |= dict(zip(new, self._embedder.embed_documents(new), strict=True))
        with self._lock:
            self._vectors.update(known)
        asked = self._embedder.embed_query(question)
        return [float(known[s] @ asked) for s in sentences]


def signals(
    question: str, places: Sequence[tuple[Hit, int, int]], vectors: SentenceVectors
) -> npt.NDArray[np.float64]:
    """What speaks for each sentence, of shape ``(len(places), len(WEIGHTS))``.

    Columns: cosine of question and sentence; share of the question's words in the sentence, and
    in its passage; share of the question's names and numbers missing from the passage; whether
    the sentence holds the kind of thing asked for (1, 0 if unknown, -1); cosine of question and
    passage. All are absolute: a score relative to the other hits would say nothing of support.
    """
    texts = [hit.chunk.document.text[start:end] for hit, start, end in places]
    cosines = vectors.similarities(question, texts)
    asked = terms(question)
    names = terms(" ".join(NAME.findall(question))) | {t for t in asked if t[0].isdigit()}
    passages = {id(hit): terms(_passage(hit)) for hit, _, _ in places}
    return np.array(
        [
            [
                cosine,
                held_share(asked, terms(text)),
                held_share(asked, passages[id(hit)]),
                1.0 - held_share(names, passages[id(hit)]),
                _kind_matches(question, text),
                hit.dense,
            ]
            for (hit, _, _), text, cosine in zip(places, texts, cosines, strict=True)
        ]
    )


def _passage(hit: Hit) -> str:
    return "\n".join((hit.chunk.document.title, *hit.chunk.headings, hit.text))


def _kind_matches(question: str, sentence: str) -> float:
    if _ASKS_NUMBER.search(question):
        return 1.0 if _NUMBER.search(sentence) or _NUMBER_WORD.search(sentence) else -1.0
    if _ASKS_NAME.search(question):
        asked = question.casefold()
        new = [name for name in NAME.findall(sentence) if name.casefold() not in asked]
        return 1.0 if new else -1.0
    return 0.0
