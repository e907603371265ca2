"""The FAISS side of the local store: exact inner product, derived from the vectors in SQLite."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.atomic_files import write_whole
from rag.digests import file_sha256
from rag.types import Vectors


class DenseIndex:
    """Vectors of length 1 by id. ``generation`` is the state of the database it equals."""

    def __init__(self, index: Any, generation: int) -> None:
        self._index = index
        self.generation = generation

    @classmethod
    def empty(cls, dimension: int) -> DenseIndex:
        """An index without vectors, older than any state of the database."""
        import faiss

        return cls(faiss.IndexIDMap2(faiss.IndexFlatIP(dimension)), -1)

    @classmethod
    def load(cls, path: Path, sha256: str, generation: int) -> DenseIndex | None:
        """The checkpoint at ``path``; None if it is missing or not the one that was saved."""
        import faiss

        try:
            data = path.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data).hexdigest() != sha256:
            return None
        return cls(faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8)), generation)

    @staticmethod
    def is_saved(path: Path, sha256: str) -> bool:
        """Whether the checkpoint at ``path`` is there and is the one of that digest."""
        try:
            return file_sha256(path) == sha256
        except OSError:
            return False

    def save(self, path: Path) -> str:
        """Replace the checkpoint at ``path`` in one step. Returns its SHA-256."""
        import faiss

        data = faiss.serialize_index(self._index).tobytes()
        write_whole(path, data)
        return hashlib.sha256(data).hexdigest()

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def ids(self) -> set[int]:
        """Ids of all vectors."""
        import faiss

        return set(faiss.vector_to_array(self._index.id_map).tolist())

    def update(self, remove: Collection[int], ids: Sequence[int], vectors: Vectors) -> None:
        """Drop the vectors ``remove``, then add ``vectors`` of shape ``(len(ids), dimension)``."""
        if remove:
            self._index.remove_ids(np.fromiter(remove, dtype=np.int64))
        if len(ids):
            self._index.add_with_ids(vectors, np.asarray(ids, dtype=np.int64))

    def search(self, vector: Vectors, n: int) -> list[int]:
        """Ids of the ``n`` nearest vectors and of all that are as near as the last of them."""

        def nearest(limit: int) -> tuple[list[int], list[float]]:
            scores, ids = self._index.search(vector[np.newaxis, :], limit)
            return ids[0].tolist(), scores[0].tolist()

        return with_ties(nearest, n, len(self))


def with_ties(
    best: Callable[[int], tuple[list[int], list[float]]], n: int, total: int
) -> list[int]:
    """The ``n`` best ids and those that tie with the last, so that no order of storage decides.

    ``best(limit)`` gives at most ``limit`` ids with their scores, best first; ``total`` is the
    most there can be. Scores within 1e-6 of each other tie.
    """
    limit = min(n + 1, total)
    while limit:
        ids, scores = best(limit)
        if len(ids) < limit or limit == total or scores[-1] < scores[n - 1] - 1e-6:
            cut = scores[n - 1] - 1e-6 if len(scores) >= n else -np.inf
            return [i for i, score in zip(ids, scores, strict=True) if score >= cut]
        limit = min(limit * 2, total)
    return []
