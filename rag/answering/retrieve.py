"""Question -> hits: dense and lexical candidates, fused with a weight that fits the question.

The score is a weighted average of the cosine and of BM25 as a share of the best BM25 found, unless
the settings name another of :data:`rag.fusion.FUSIONS`. How much BM25 counts depends on two things
that the question itself shows: whether it was typed in passing, then its words are seldom the
documents' words; and whether the embedder knows its language, for otherwise the cosine says little.
What an embedder's cosine means, and when it knows a language, stands in
:mod:`rag.answering.scales`. ``docs/retrieval.md`` has the figures behind every number here.
"""

from __future__ import annotations

import unicodedata

from rag.answering.question import Question
from rag.answering.scales import scale_of
from rag.fusion import FOREIGN, FUSIONS, TYPED, ranked
from rag.text.terms import count_words
from rag.types import Embedder, Hit, Store

CANDIDATES = 50
"""Chunks asked for from each side. From 20 to 100 the measured figures stay the same."""

MAX_SAMPLE_LENGTH = 1000
"""Characters of a question that tell its language."""


def retrieve(
    question: Question,
    store: Store,
    embedder: Embedder,
    k: int,
    *,
    fusion: str = "adaptive",
    candidates: int = CANDIDATES,
) -> list[Hit]:
    """Return the ``k`` best hits for ``question``, best first.

    Fewer if fewer share anything with it.

    ``fusion`` is a key of :data:`rag.fusion.FUSIONS`.
    """
    if k < 1:
        raise ValueError(f"k is {k}: ask for at least 1")
    found = store.search(question.text, embedder.embed_query(question.text), max(candidates, k))
    scaled = scale_of(embedder).apply(found)
    scores = FUSIONS[fusion](scaled, lexical_weight(question, embedder))
    return ranked(found, scores)[:k]


def lexical_weight(question: Question, embedder: Embedder) -> float:
    """Return what BM25 counts for ``question``, where the cosine counts 1."""
    scale = scale_of(embedder)
    familiar = TYPED + (scale.written - TYPED) * question.care
    tokens = tokens_per_word(question.text[:MAX_SAMPLE_LENGTH], embedder)
    return familiar + (FOREIGN - familiar) * scale.foreignness(tokens)


def tokens_per_word(text: str, embedder: Embedder) -> float:
    """Return the embedder's tokens a word: how far its vocabulary lacks the words of ``text``.

    Punctuation is left out. About 1 in the language it was made for; 1 without any word.
    """
    words = "".join(" " if unicodedata.category(c)[0] in "PS" else c for c in text)
    count = count_words(words)
    return embedder.count_tokens([words])[0] / count if count else 1.0
