"""Which of several vectors stand for all: directed centrality, and a choice without repeats. Pure.

Centrality is PacSum's (Zheng and Lapata 2019, "Sentence Centrality Revisited for Unsupervised
Summarization"): what resembles the text that follows it says what that text will be about; what
resembles the text before it repeats. The choice is that of maximal marginal relevance (Carbonell
and Goldstein 1998). Weights: best on the papers of ACLSum's training part and on long Wikipedia
articles, see ``benchmarks/overviews.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rag.types import Vectors

FOLLOWING = 0.7
"""Weight of a likeness to what follows; the rest is that of a likeness to what stands before."""

RELEVANCE = 0.8
"""Weight of the score against that of being unlike what is chosen already."""

Scores = npt.NDArray[np.float64]


def centrality(vectors: Vectors, places: Sequence[int], parts: Vectors) -> Scores:
    """Return how much each of ``vectors`` stands for a text; ``parts`` are its vectors, in order.

    Shapes ``(n, dimension)`` and ``(m, dimension)``; vector ``i`` stands in part ``places[i]``,
    which does not count for it. Where there is no other part it is the likeness to that one.
    """
    if len(parts) == 1:
        return np.asarray(vectors @ parts[0], dtype=np.float64)
    sums = np.vstack([np.zeros_like(parts[:1]), np.cumsum(parts, axis=0, dtype=np.float64)])
    before = sums[list(places)]
    after = sums[-1] - sums[[place + 1 for place in places]]
    likeness = FOLLOWING * after + (1 - FOLLOWING) * before
    return np.asarray((vectors * likeness).sum(axis=1) / (len(parts) - 1), dtype=np.float64)


def choose(scores: Scores, vectors: Vectors, count: int, first: int | None = None) -> list[int]:
    """Return the indices of up to ``count`` good ones that are unlike each other, as chosen.

    Begins with ``first`` if one is given. Of equal ones the earlier is chosen.
    """
    if not len(scores):
        return []
    span = float(np.abs(scores).max()) or 1.0
    relevance = RELEVANCE * scores / span
    chosen: list[int] = [] if first is None else [first]
    likeness = np.full(len(scores), 0.0) if first is None else vectors @ vectors[first]
    while len(chosen) < min(count, len(scores)):
        worth = relevance - (1 - RELEVANCE) * likeness
        worth[chosen] = -np.inf
        chosen.append(int(np.argmax(worth)))
        to_newest = vectors @ vectors[chosen[-1]]
        likeness = np.maximum(likeness, to_newest) if len(chosen) > 1 else to_newest
    return chosen
