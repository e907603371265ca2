"""Fusion: one score of a candidate's two, its cosine and its BM25.

:data:`FUSIONS` is the registry: a row there is a value that the setting ``fusion`` may have.
``docs/retrieval.md`` has the figures behind every number here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rag.types import Candidate, Hit

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

Fusion = Callable[[Sequence[Candidate], float], list[float]]
"""Scores in 0..1 of a question's candidates, given the weight that fits it; 0: no hit."""


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


FUSIONS: Mapping[str, Fusion] = {
    "adaptive": weighted,
    "average": lambda found, weight: weighted(found, WRITTEN),
    "rrf": reciprocal_ranks,
    "dense": dense,
    "lexical": lexical,
}
"""By the names that the setting ``fusion`` may have; ``average`` weighs every question alike."""


def ranked(found: Sequence[Candidate], scores: Sequence[float]) -> list[Hit]:
    """Return the candidates with a score as hits, best first; equal ones by source and position."""
    hits = [
        Hit(candidate.chunk, score, candidate.dense, candidate.lexical)
        for candidate, score in zip(found, scores, strict=True)
        if score > 0
    ]
    return sorted(hits, key=lambda h: (-_rounded(h.score), h.source, h.start, h.end))


def _rounded(score: float) -> float:
    """So that the last bits of a sum never decide between equals."""
    return round(score, _TIE_DIGITS)
