"""Question -> hits: dense and lexical candidates, fused with a weight that fits the question.

The score is a weighted average of the cosine and of BM25 as a share of the best BM25 found. How
much BM25 counts depends on two things that the question itself shows: whether it was typed in
passing, then its words are seldom the documents' words; and whether the embedder knows its
language, for otherwise the cosine says little. What an embedder's cosine means, and when it knows a
language, is in :mod:`rag.answering.scales`. ``docs/retrieval.md`` has the figures behind every
number here. :data:`FUSIONS` has other ways to fuse, to compare it with.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence

from rag.answering.question import Question
from rag.answering.scales import scale_of
from rag.text.terms import count_words
from rag.types import Candidate, Embedder, Hit, Store

CANDIDATES = 50
"""Chunks asked for from each side. From 20 to 100 the measured figures stay the same."""

TYPED = 0.2
"""What BM25 counts, the cosine counting 1, in a question without capitals and question mark."""

WRITTEN = 0.7
"""What BM25 counts in a question with both; half-way with one of the two."""

FOREIGN = 1.5
"""What BM25 counts in a question whose language the embedder does not know."""

WEAK_BM25 = 5.0
"""BM25 at which even the best match by words is worth only half: about one rare word's."""

RRF_K = 60
"""The constant of reciprocal-rank fusion (Cormack et al. 2009)."""

_TIE_DIGITS = 6

MAX_SAMPLE_LENGTH = 1000
"""Characters of a question that tell its language."""

Fusion = Callable[[Sequence[Candidate], float], list[float]]
"""Scores in 0..1 of a question's candidates, given the weight that fits it; 0: no hit."""


def retrieve(
    question: Question,
    store: Store,
    embedder: Embedder,
    k: int,
    *,
    fusion: str = "adaptive",
    candidates: int = CANDIDATES,
) -> list[Hit]:
    """The ``k`` best hits for ``question``, best first; fewer if fewer share anything with it.

    ``fusion`` is a key of :data:`FUSIONS`.
    """
    if k < 1:
        raise ValueError(f"k is {k}: ask for at least 1")
    found = store.search(question.text, embedder.embed_query(question.text), max(candidates, k))
    scaled = scale_of(embedder).apply(found)
    scores = FUSIONS[fusion](scaled, lexical_weight(question, embedder))
    return ranked(found, scores)[:k]


def ranked(found: Sequence[Candidate], scores: Sequence[float]) -> list[Hit]:
    """The candidates with a score as hits, best first; equal ones by source and position."""
    hits = [
        Hit(candidate.chunk, score, candidate.dense, candidate.lexical)
        for candidate, score in zip(found, scores, strict=True)
        if score > 0
    ]
    return sorted(hits, key=lambda h: (-_rounded(h.score), h.source, h.start, h.end))


def weighted(found: Sequence[Candidate], weight: float) -> list[float]:
    """``(cosine + weight * words) / (1 + weight)``.

    ``words`` is the BM25 divided by the best one plus :data:`WEAK_BM25`: a convex combination
    (Bruch et al. 2023, "An Analysis of Fusion Functions for Hybrid Retrieval"). The cosine is not
    stretched to the range of the candidates, so a clear winner stays one. What has neither a word
    of the question nor a positive cosine is no hit.
    """
    meanings, words = dense(found), lexical(found)
    return [(m + weight * w) / (1 + weight) for m, w in zip(meanings, words, strict=True)]


def dense(found: Sequence[Candidate], weight: float = 0.0) -> list[float]:
    """The cosine alone."""
    return [min(max(candidate.dense, 0.0), 1.0) for candidate in found]


def lexical(found: Sequence[Candidate], weight: float = 0.0) -> list[float]:
    """BM25 alone, as a share of the best one plus :data:`WEAK_BM25`."""
    full = max((candidate.lexical for candidate in found), default=0.0) + WEAK_BM25
    return [candidate.lexical / full for candidate in found]


def reciprocal_ranks(found: Sequence[Candidate], weight: float = 0.0) -> list[float]:
    """Reciprocal-rank fusion of both rankings, 1 for what leads both; equal ones rank alike."""
    best = 2 / (RRF_K + 1)
    sides = [_reciprocal(dense(found)), _reciprocal([candidate.lexical for candidate in found])]
    return [sum(pair) / best for pair in zip(*sides, strict=True)]


def _reciprocal(scores: Sequence[float]) -> list[float]:
    ordered = sorted(map(_rounded, scores), reverse=True)
    rank = {score: place for place, score in reversed(list(enumerate(ordered, start=1)))}
    return [1 / (RRF_K + rank[_rounded(score)]) if score > 0 else 0.0 for score in scores]


def _rounded(score: float) -> float:
    """So that the last bits of a sum never decide between equals."""
    return round(score, _TIE_DIGITS)


FUSIONS: Mapping[str, Fusion] = {
    "adaptive": weighted,
    "average": lambda found, weight: weighted(found, WRITTEN),
    "rrf": reciprocal_ranks,
    "dense": dense,
    "lexical": lexical,
}
"""By the names of :data:`rag.settings.FUSIONS`; ``average`` weighs every question alike."""


def lexical_weight(question: Question, embedder: Embedder) -> float:
    """What BM25 counts for ``question``, where the cosine counts 1."""
    familiar = TYPED + (WRITTEN - TYPED) * question.care
    tokens = tokens_per_word(question.text[:MAX_SAMPLE_LENGTH], embedder)
    return familiar + (FOREIGN - familiar) * scale_of(embedder).foreignness(tokens)


def tokens_per_word(text: str, embedder: Embedder) -> float:
    """The embedder's tokens a word: how far its vocabulary lacks the words of ``text``.

    Punctuation is left out. About 1 in the language it was made for; 1 without any word.
    """
    words = "".join(" " if unicodedata.category(c)[0] in "PS" else c for c in text)
    count = count_words(words)
    return embedder.count_tokens([words])[0] / count if count else 1.0
