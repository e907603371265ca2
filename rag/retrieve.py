"""Question -> hits: dense and lexical candidates, fused with a weight that fits the question.

The score is a weighted average of the cosine and of BM25 as a share of the best BM25 found. How
much BM25 counts depends on two things that the question itself shows: whether it was typed in
passing, then its words are seldom the documents' words; and whether the embedder knows its
language, for otherwise the cosine says little. ``docs/retrieval.md`` has the figures behind every
number here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from rag.store.lexical import count_words
from rag.types import Candidate, Embedder, Hit, Store

CANDIDATES = 50
"""Chunks asked for from each side. From 20 to 100 the measured figures stay the same."""

TYPED = 0.2
"""What BM25 counts, the cosine counting 1, in a question without capitals and question mark."""

WRITTEN = 0.7
"""What BM25 counts in a question with both; half-way with one of the two."""

FOREIGN = 1.5
"""What BM25 counts in a question whose language the embedder does not know."""

FAMILIAR_PIECES, FOREIGN_PIECES = 1.4, 1.8
"""The embedder's tokens a word: up to the first it knows the language, from the second it does
not. Medians with all-MiniLM-L6-v2: English 1.0 to 1.1, Spanish 1.8, Chinese 2.0, German 2.2."""

WEAK_BM25 = 5.0
"""BM25 at which even the best match by words is worth only half: about one rare word's."""

_QUESTION_MARKS = ("?", "？", "؟")
_TIE_DIGITS = 6
_READ = 1000
"""Characters of a question that tell how it was written."""


def retrieve(
    question: str, store: Store, embedder: Embedder, k: int, *, candidates: int = CANDIDATES
) -> list[Hit]:
    """The ``k`` best hits for ``question``, best first; fewer if fewer share anything with it."""
    if k < 1:
        raise ValueError(f"k is {k}: ask for at least 1")
    found = store.search(question, embedder.embed_query(question), max(candidates, k))
    return fuse(found, lexical_weight(question, embedder))[:k]


def fuse(found: Sequence[Candidate], weight: float) -> list[Hit]:
    """Candidates as hits, best first; equal ones by source and position.

    The score is ``(cosine + weight * words) / (1 + weight)``, where ``words`` is the BM25 divided
    by the best one plus :data:`WEAK_BM25`: a convex combination (Bruch et al. 2023, "An Analysis
    of Fusion Functions for Hybrid Retrieval"), in 0..1. The cosine is not stretched to the range
    of the candidates, so a clear winner stays one. What has neither a word of the question nor a
    positive cosine is no hit.
    """
    full = max((candidate.lexical for candidate in found), default=0.0) + WEAK_BM25
    hits = [
        Hit(
            candidate.chunk,
            (min(max(candidate.dense, 0.0), 1.0) + weight * candidate.lexical / full)
            / (1 + weight),
            candidate.dense,
            candidate.lexical,
        )
        for candidate in found
        if candidate.lexical > 0 or candidate.dense > 0
    ]
    # Rounded, so that the last bits of a sum never decide between equals.
    return sorted(hits, key=lambda h: (-round(h.score, _TIE_DIGITS), h.source, h.start, h.end))


def lexical_weight(question: str, embedder: Embedder) -> float:
    """What BM25 counts for ``question``, where the cosine counts 1."""
    question = question[:_READ]
    marked = question.rstrip().endswith(_QUESTION_MARKS)
    signs = (marked + any(character.isupper() for character in question)) / 2
    familiar = TYPED + (WRITTEN - TYPED) * signs
    share = (pieces_a_word(question, embedder) - FAMILIAR_PIECES) / (
        FOREIGN_PIECES - FAMILIAR_PIECES
    )
    return familiar + (FOREIGN - familiar) * min(max(share, 0.0), 1.0)


def pieces_a_word(text: str, embedder: Embedder) -> float:
    """The embedder's tokens a word: how far its vocabulary lacks the words of ``text``.

    Punctuation is left out. About 1 in the language it was made for; 1 without any word.
    """
    words = "".join(" " if unicodedata.category(c)[0] in "PS" else c for c in text)
    count = count_words(words)
    return embedder.count_tokens([words])[0] / count if count else 1.0
