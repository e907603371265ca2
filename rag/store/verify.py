"""Proof that a local index is whole: every offset, vector and derived index is checked."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from rag.store import schema
from rag.store.database import DATABASE
from rag.store.dense import DenseIndex
from rag.store.local import CHECKPOINT


def problems(path: Path) -> list[str]:
    """What is wrong with the index in ``path``, one line each; empty if all is well.

    Nothing may write to the index meanwhile (:func:`rag.sync.only_writer`).
    """
    try:
        with closing(schema.connect(path / DATABASE)) as database:
            return list(_problems(path, database))
    except sqlite3.DatabaseError as error:
        return [f"the database is damaged: {error}"]


def _problems(path: Path, database: sqlite3.Connection) -> Iterator[str]:
    for (line,) in database.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield f"the database is damaged: {line}"
    yield from (
        f"chunk {row[0]} of {row[1]} is outside its document"
        for row in database.execute(
            "SELECT c.id, d.source FROM chunks c JOIN documents d ON d.id = c.document_id "
            'WHERE c."start" < 0 OR c."start" >= c."end" OR c."end" > length(d.text)'
        )
    )
    for question, message in (
        (
            "SELECT count(*) FROM chunks WHERE document_id NOT IN (SELECT id FROM documents)",
            "chunks belong to no document",
        ),
        (
            "SELECT count(*) FROM chunks WHERE id NOT IN (SELECT rowid FROM words)",
            "chunks cannot be found by their words",
        ),
        (
            "SELECT count(*) FROM words WHERE rowid NOT IN (SELECT id FROM chunks)",
            "entries of the word index belong to no chunk",
        ),
    ):
        count = database.execute(question).fetchone()[0]
        if count:
            yield f"{count} {message}"
    database.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    yield from _vector_problems(path, database)


def _vector_problems(path: Path, database: sqlite3.Connection) -> Iterator[str]:
    vectors = {
        row[0]: np.frombuffer(row[1], dtype="<f4")
        for row in database.execute("SELECT id, embedding FROM vectors")
    }
    if len({vector.shape for vector in vectors.values()}) > 1:
        yield "vectors differ in dimension"
    crooked = sum(abs(float(np.linalg.norm(v)) - 1.0) > 1e-3 for v in vectors.values())
    if crooked:
        yield f"{crooked} vectors are not of length 1"
    saved = database.execute("SELECT value FROM meta WHERE key = 'checkpoint'").fetchone()
    generation = int(
        database.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()[0]
    )
    if saved is None:
        return
    saved_generation, sha256 = json.loads(saved[0])
    dense = DenseIndex.load(path / CHECKPOINT, sha256, saved_generation)
    if dense is None:
        yield "the dense index is missing or damaged; the next sync makes it again"
        return
    used = {row[0] for row in database.execute("SELECT vector_id FROM chunks")}
    if saved_generation == generation and dense.ids() != used:
        yield "the dense index does not hold the same vectors as the database"
