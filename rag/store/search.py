"""Searching the database: exact scores from both sides, ties broken by source and position."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.store.database import Database
from rag.store.dense import with_ties
from rag.store.vector_index import VectorIndex
from rag.text.terms import match_expression
from rag.types import Vectors


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk that a search found, under the first of its content's names."""

    id: int
    content_id: int
    start: int
    end: int
    vector_id: int
    source: str
    dense: float = 0.0
    lexical: float = 0.0


def search(db: Database, index: VectorIndex, question: str, vector: Vectors, n: int) -> list[Found]:
    """The ``n`` best chunks by vector and the ``n`` best by words, each once, in no order.

    ``vector`` has shape ``(dimension,)`` and length 1. To be called within a transaction.
    """
    match = match_expression(question)
    by_vector = _nearest(db, index, vector, n)
    by_words = _best_by_words(db, match, n) if match else {}
    rows = _chunks(db, by_vector | set(by_words))
    dense = _similarities(index, {row.id: row.vector_id for row in rows}, vector)
    kept = _best(rows, dense, n) | _best(rows, by_words, n)
    lexical = dict.fromkeys(kept, 0.0) | {i: by_words[i] for i in kept if i in by_words}
    if match:
        lexical |= _word_scores(db, match, kept - set(by_words))
    return [
        Found(
            row.id,
            row.content_id,
            row.start,
            row.end,
            row.vector_id,
            row.source,
            dense[row.id],
            lexical[row.id],
        )
        for row in rows
        if row.id in kept
    ]


def _nearest(db: Database, index: VectorIndex, vector: Vectors, n: int) -> set[int]:
    """Ids of the chunks with the ``n`` nearest vectors."""
    dense = index.current()
    if not len(dense):
        return set()
    nearest = dense.search(vector, n)
    return {row[0] for row in db.select_in("SELECT id FROM chunks WHERE vector_id IN", nearest)}


def _best_by_words(db: Database, match: str, n: int) -> dict[int, float]:
    """BM25 of the ``n`` best chunks by words, and of those that tie with the last."""
    scores: dict[int, float] = {}

    def best(limit: int) -> tuple[list[int], list[float]]:
        rows = db.execute(
            "SELECT rowid, -rank FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?",
            (match, limit),
        ).fetchall()
        scores.update(rows)
        return [row[0] for row in rows], [row[1] for row in rows]

    total = db.execute("SELECT count(*) FROM chunks").fetchone()[0]
    return {i: scores[i] for i in with_ties(best, n, total)}


def _word_scores(db: Database, match: str, ids: Iterable[int]) -> dict[int, float]:
    """BM25 of those of the chunks ``ids`` that share a word with the question."""
    return dict(
        db.select_in("SELECT rowid, -rank FROM words WHERE words MATCH ? AND rowid IN", ids, match)
    )


def _chunks(db: Database, ids: Iterable[int]) -> list[Found]:
    rows = db.select_in(
        'SELECT c.id, c.content_id, c."start", c."end", c.vector_id, '
        "(SELECT min(source) FROM documents d WHERE d.content_id = c.content_id) "
        "FROM chunks c WHERE c.id IN",
        ids,
    )
    return [Found(*row) for row in rows]


def _similarities(
    index: VectorIndex, vector_ids: Mapping[int, int], vector: Vectors
) -> dict[int, float]:
    """Cosine similarity of each chunk to ``vector``, independent of the order of storage."""
    if not vector_ids:
        return {}
    ids = sorted(set(vector_ids.values()))
    # float64: a chunk's score does not depend on which others it is computed with.
    rows = index.vectors(ids).astype(np.float64)
    scores = dict(zip(ids, (rows @ vector.astype(np.float64)).tolist(), strict=True))
    return {chunk_id: scores[vector_id] for chunk_id, vector_id in vector_ids.items()}


def _best(rows: Sequence[Found], scores: Mapping[int, float], n: int) -> set[int]:
    """The ``n`` best scored chunks; of equal ones, those first by source and position."""
    scored = [row for row in rows if row.id in scores]
    scored.sort(key=lambda row: (-round(scores[row.id], 6), row.source, row.start))
    return {row.id for row in scored[:n]}
