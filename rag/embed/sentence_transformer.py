"""Any sentence-transformers model. torch is loaded at first use."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag.embed.vectors import normalize
from rag.errors import ModelError
from rag.types import Progress, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_BATCH = 32
"""Texts embedded at a time, and between two reports of progress; a question waits for one."""


class SentenceTransformerEmbedder:
    """A sentence-transformers model: a local folder, or a hub's name.

    Raises :class:`ModelError` at first use when the model is missing.
    """

    def __init__(self, model: str) -> None:
        self.name = model
        self._loaded: SentenceTransformer | None = None
        self._loading = threading.Lock()
        self._using = threading.Lock()

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        size = self._model().get_embedding_dimension()
        if size is None:
            raise ModelError(f"model {self.name!r} does not tell its dimension")
        return size

    @property
    def max_tokens(self) -> int:
        """Word pieces that the model reads of an input, without the special ones it adds."""
        model = self._model()
        limit = model.max_seq_length or model.tokenizer.model_max_length
        return int(limit) - int(model.tokenizer.num_special_tokens_to_add())

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the word pieces of each text, without special ones."""
        if not texts:
            return []
        tokenizer = self._model().tokenizer
        # Encoding and counting set the tokenizer's truncation differently: one at a time.
        with self._using:
            encoded = tokenizer(
                list(texts), add_special_tokens=False, truncation=False, verbose=False
            )
        return [len(ids) for ids in encoded["input_ids"]]

    def embed_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Return vectors of shape ``(len(texts), dimension)``.

        Like lengths are embedded together.
        """
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
        for begin in range(0, len(order), _BATCH):
            step = order[begin : begin + _BATCH]
            rows[step] = self._encode([texts[i] for i in step])
            if progress:
                progress("Embedding", begin + len(step), len(order))
        return rows

    def embed_query(self, text: str) -> Vectors:
        """Return the vector of one question."""
        vector: Vectors = self._encode([text])[0]
        return vector

    def _encode(self, texts: list[str]) -> Vectors:
        model = self._model()
        try:
            with self._using:
                encoded = model.encode(
                    texts, batch_size=_BATCH, convert_to_numpy=True, show_progress_bar=False
                )
        except RuntimeError as error:  # torch has no error of its own for it
            if "allocate memory" in str(error):
                raise MemoryError(str(error)) from error
            raise
        return normalize(np.asarray(encoded))

    def _model(self) -> SentenceTransformer:
        with self._loading:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> SentenceTransformer:
        return load(self.name)


def load(model: str, *, local_files_only: bool = False) -> SentenceTransformer:
    """Return the model on the CPU. Raises :class:`ModelError` when it cannot be loaded."""
    import transformers
    from sentence_transformers import SentenceTransformer

    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return SentenceTransformer(model, device="cpu", local_files_only=local_files_only)
    except (OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ModelError(
            f"cannot load the embedder {model!r}: {reason}; set RAG_EMBEDDER to a model's folder, "
            "or leave it unset for the bundled model"
        ) from error
