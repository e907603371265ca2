"""An embedder without a model, for tests."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from rag.embed.vectors import normalize
from rag.types import Progress, Vectors


class HashingEmbedder:
    """Hashed bags of words: no model, no download, the same vectors everywhere.

    Similarity is word overlap, so tests can say which chunk comes first. Not for real use.
    """

    dimension = 256
    max_tokens = 512
    name = "hashing-256"

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the number of words of each text."""
        return [len(_words(text)) for text in texts]

    def embed_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Return vectors of shape ``(len(texts), 256)``."""
        rows = np.zeros((len(texts), self.dimension))
        for row, text in zip(rows, texts, strict=True):
            for word in _words(text) or [""]:
                digest = hashlib.blake2b(word.encode(), digest_size=4).digest()
                row[int.from_bytes(digest) % self.dimension] += 1.0
        if progress:
            progress("Embedding", len(texts), len(texts))
        return normalize(rows)

    def embed_query(self, text: str) -> Vectors:
        """Return the vector of one question."""
        vector: Vectors = self.embed_documents([text])[0]
        return vector


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())
