"""Embedders that need no model and can be looked into."""

from __future__ import annotations

from collections.abc import Sequence

from rag.embed import HashingEmbedder
from rag.types import Progress, Vectors


class CountingEmbedder(HashingEmbedder):
    """Remembers what it embedded."""

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self.embedded.extend(texts)
        return super().embed_documents(texts, progress)
