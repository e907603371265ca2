"""The dense index in memory and on disk, which follows the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag.store.database import Database
from rag.store.dense import DenseIndex
from rag.types import Vectors

CHECKPOINT = "dense.faiss"


class VectorIndex:
    """The dense index of the database in the folder ``path``. Not safe by itself: call it within
    one of the database's transactions."""

    def __init__(self, path: Path, database: Database) -> None:
        self._path = path / CHECKPOINT
        self._db = database
        self._dense: DenseIndex | None = None

    def forget(self) -> None:
        """What is in memory no longer holds."""
        self._dense = None

    def current(self) -> DenseIndex:
        """The dense index, brought to the state that the current transaction sees."""
        generation = self._db.generation()
        dense = self._dense or self._checkpoint() or DenseIndex.empty(1)
        if dense.generation != generation:
            stored = {row[0] for row in self._db.execute("SELECT vector_id FROM chunks")}
            held = dense.ids()
            added = sorted(stored - held)
            vectors = self.vectors(added)
            if not held and added:
                dense = DenseIndex.empty(vectors.shape[1])
            self._dense = None  # half changed if what follows is interrupted
            dense.update(held - stored, added, vectors)
            dense.generation = generation
        self._dense = dense
        return dense

    def save(self) -> None:
        """Write the checkpoint, unless the one on disk is the current state's already."""
        with self._db.reading():
            generation = self._db.generation()
            saved = self._saved()
            if saved and saved[0] == generation and DenseIndex.is_saved(self._path, saved[1]):
                return
            dense = self.current()
        sha256 = dense.save(self._path)
        self._db.set_meta("checkpoint", json.dumps([dense.generation, sha256]))

    def vectors(self, ids: Sequence[int]) -> Vectors:
        """The stored vectors of ``ids``, in that order, of shape ``(len(ids), dimension)``."""
        blobs = dict(self._db.select_in("SELECT id, embedding FROM vectors WHERE id IN", ids))
        rows = np.frombuffer(b"".join(blobs[i] for i in ids), dtype="<f4")
        return rows.reshape(len(ids), rows.size // len(ids) if ids else 0)

    def _checkpoint(self) -> DenseIndex | None:
        saved = self._saved()
        if saved is None:
            return None
        generation, sha256 = saved
        return DenseIndex.load(self._path, sha256, generation)

    def _saved(self) -> tuple[int, str] | None:
        """Generation and SHA-256 of the checkpoint; None if there is none that is known."""
        try:
            generation, sha256 = json.loads(self._db.meta("checkpoint") or "")
            return int(generation), str(sha256)
        except (ValueError, TypeError):
            return None
