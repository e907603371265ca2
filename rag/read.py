"""Question x hits -> the sentences that answer it, with the probability that they do.

:class:`SentenceReader` weighs a few signals of support (see :func:`_signals`) by a logistic
regression fitted by ``training/sentence_reader.py``, which prints the weights below.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.cite import held_share, terms
from rag.sentences import sentence_spans
from rag.types import Embedder, Hit, Span

WEIGHTS = (4.0, 2.5, 1.5, -2.0, 1.0, 0.5, 2.0)
INTERCEPT = -5.0

_ASKS_NUMBER = re.compile(
    r"\b(?:how (?:many|much|old|long|far|tall|high|large|big|fast|often)|"
    r"what (?:percent|share|range|number|amount|year|date|age|price|cost)|"
    r"when|which year|in what year)\b",
    re.I,
)
_ASKS_NAME = re.compile(r"\b(?:who|whom|whose)\b", re.I)
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w’'-]+")
_NUMBER = re.compile(r"\d")
_NUMBER_WORD = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|hundred|thousand|million|"
    r"billion|century|decade|half|quarter|third|annual|monday|tuesday|wednesday|thursday|friday|"
    r"saturday|sunday|january|february|march|april|may|june|july|august|september|october|"
    r"november|december)\w*\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class SentenceReader:
    """Reads sentence by sentence; a span is a whole sentence."""

    embedder: Embedder
    name: str = "extractive"

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        """Every sentence of the hits once, most probable first."""
        places = sentences_of(hits)
        if not places:
            return []
        rows = signals(question, places, self.embedder)
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


def signals(
    question: str, places: Sequence[tuple[Hit, int, int]], embedder: Embedder
) -> npt.NDArray[np.float64]:
    """What speaks for each sentence, of shape ``(len(places), len(WEIGHTS))``.

    Columns: cosine of question and sentence; share of the question's words in the sentence, and
    in its passage; share of the question's names and numbers missing from the passage; whether
    the sentence holds the kind of thing asked for (1, 0 if unknown, -1); the hit's fused score
    and its cosine.
    """
    texts = [hit.chunk.document.text[start:end] for hit, start, end in places]
    cosines = embedder.embed_documents(texts) @ embedder.embed_query(question)
    asked = terms(question)
    names = terms(" ".join(_NAME.findall(question))) | {t for t in asked if t[0].isdigit()}
    passages = {id(hit): terms(_passage(hit)) for hit, _, _ in places}
    return np.array(
        [
            [
                cosine,
                held_share(asked, terms(text)),
                held_share(asked, passages[id(hit)]),
                1.0 - held_share(names, passages[id(hit)]),
                _kind_matches(question, text),
                hit.score,
                hit.dense,
            ]
            for (hit, _, _), text, cosine in zip(places, texts, cosines.tolist(), strict=True)
        ]
    )


def _passage(hit: Hit) -> str:
    return "\n".join((hit.chunk.document.title, *hit.chunk.headings, hit.text))


def _kind_matches(question: str, sentence: str) -> float:
    if _ASKS_NUMBER.search(question):
        return 1.0 if _NUMBER.search(sentence) or _NUMBER_WORD.search(sentence) else -1.0
    if _ASKS_NAME.search(question):
        asked = question.casefold()
        new = [name for name in _NAME.findall(sentence) if name.casefold() not in asked]
        return 1.0 if new else -1.0
    return 0.0
