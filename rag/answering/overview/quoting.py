"""The sentences of one document, or of the passages on a topic, that stand for the whole."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rag.answering.overview.candidates import candidates, leans_on_another
from rag.answering.overview.centrality import Scores, centrality, choose
from rag.answering.overview.subject import naming_the_subject
from rag.text.overlap import term_coverage, terms
from rag.text.sentences import TextSpan
from rag.types import Document, Vectors

Embed = Callable[[Sequence[str]], Vectors]
"""Vectors of shape ``(n, dimension)`` and length 1, from the embedder of the chunks' vectors."""

MAX_EMBEDDED = 32
"""Sentences of one document that are embedded for an overview of it."""

MIN_SENTENCES, MAX_SENTENCES = 3, 7
"""Quoted of one document, as far as it has them."""

CANDIDATES_PER_SENTENCE = 12
"""Sentences of a document for each that is quoted."""


MIN_COVERAGE = 0.5
"""Share of a topic's words that a sentence on it has."""


LEANING = 0.1
"""Share of its score that a sentence loses which is not understood without the one before it."""


@dataclass(frozen=True, slots=True)
class Quote:
    """``text[start:end]`` of a document, in the chunk ``text[chunk_start:chunk_end]``."""

    start: int
    end: int
    chunk_start: int
    chunk_end: int


def quotes(
    document: Document,
    chunks: Sequence[TextSpan],
    vectors: Vectors,
    embed: Embed,
    *,
    count: int | None = None,
    max_embedded: int = MAX_EMBEDDED,
) -> list[Quote]:
    """Return the sentences that stand for a document, in reading order; empty without any.

    ``chunks`` are its chunks in order, of which ``vectors`` are the vectors. Those of the chunks
    that stand for the whole are embedded, ``max_embedded`` at most; one names the document's
    subject if any does. Without ``count`` there are more of a longer document.
    """
    spans = candidates(document)
    if not spans or not chunks:
        return []
    if count is None:
        count = min(max(len(spans) // CANDIDATES_PER_SENTENCE, MIN_SENTENCES), MAX_SENTENCES)
    places = [_chunk_of(span, chunks) for span in spans]
    text = document.text
    naming = naming_the_subject(text, [text[a:b] for a, b in spans])
    kept = _within(places, vectors, max_embedded, naming)
    rows = embed([text[slice(*spans[i])] for i in kept])
    leaning = np.array([leans_on_another(text[slice(*spans[i])]) for i in kept])
    scores = centrality(rows, [places[i] for i in kept], vectors)
    scores -= LEANING * np.abs(scores) * leaning
    first = _best(scores, [row for row, i in enumerate(kept) if i in set(naming)])
    chosen = sorted(kept[row] for row in choose(scores, rows, count, first))
    return [Quote(*spans[i], *chunks[places[i]]) for i in chosen]


def quotes_on(
    passages: Sequence[tuple[Document, TextSpan]], topic: str, embed: Embed, count: int
) -> list[tuple[int, Quote]]:
    """Return sentences of ``passages``, best first, on a topic, each with its passage's index.

    They have at least half of the topic's words. Passages may overlap.
    """
    found: dict[tuple[str, TextSpan], int] = {}
    for index, (document, place) in enumerate(passages):
        for span in candidates(document, [place]):
            found.setdefault((document.source, span), index)
    wanted = terms(topic)
    texts = {key: passages[i][0].text[slice(*key[1])] for key, i in found.items()}
    coverage = {key: term_coverage(wanted, terms(text)) for key, text in texts.items()}
    on_topic = [key for key in found if coverage[key] >= MIN_COVERAGE][:MAX_EMBEDDED]
    if not on_topic:
        return []
    topic_vector, *rows = embed([topic, *(texts[key] for key in on_topic)])
    vectors = np.stack(rows)
    scores = np.asarray(vectors @ (topic_vector + vectors.mean(axis=0)), dtype=np.float64)
    chosen = sorted(choose(scores, vectors, count))
    kept = [(found[on_topic[row]], on_topic[row][1]) for row in chosen]
    return [(index, Quote(*span, *passages[index][1])) for index, span in kept]


def _chunk_of(span: TextSpan, chunks: Sequence[TextSpan]) -> int:
    """Index of the chunk that a sentence begins in, of overlapping ones the last."""
    return max(bisect_right(chunks, span[0], key=lambda chunk: chunk[0]) - 1, 0)


def _within(
    places: Sequence[int], vectors: Vectors, limit: int, naming: Sequence[int]
) -> list[int]:
    """Up to ``limit`` sentences, in order: those of the most central chunks.

    One of ``naming`` is among them, if there is any.
    """
    if len(places) <= limit:
        return list(range(len(places)))
    central = centrality(vectors, range(len(vectors)), vectors)
    by_rank = sorted(range(len(places)), key=lambda i: (-central[places[i]], i))
    kept = set(by_rank[:limit])
    if naming and kept.isdisjoint(naming):
        kept = {*by_rank[: limit - 1], next(i for i in by_rank if i in set(naming))}
    return sorted(kept)


def _best(scores: Scores, among: Sequence[int]) -> int | None:
    return max(among, key=lambda row: float(scores[row])) if among else None
