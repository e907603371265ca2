"""Embedders: unit vectors, the bundled model's digest, and counting beside encoding."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag.answering.read import SpanReader
from rag.embed import (
    BundledEmbedder,
    HashingEmbedder,
    SentenceTransformerEmbedder,
    bundled,
    make_embedder,
    normalize,
)
from rag.errors import ModelError
from rag.types import Vectors


def test_normalize_scales_rows_to_length_one() -> None:
    rows = normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert rows.dtype == np.float32
    assert rows.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0]]


def test_hashing_says_which_text_is_nearest() -> None:
    embedder = HashingEmbedder()
    rows = embedder.embed_documents(["apples are red", "cars have wheels", ""])
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0)
    assert (rows @ embedder.embed_query("red apples")).argmax() == 0
    assert make_embedder("hashing").name == embedder.name


def test_the_bundled_model_gives_unit_vectors_in_order(model: BundledEmbedder) -> None:
    texts = ["A cat sleeps.", "Stock markets fell sharply today. " * 20, "A kitten naps."]
    rows = model.embed_documents(texts)
    assert rows.shape == (3, model.dimension) == (3, 384)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert rows[0] @ rows[2] > 0.6 > rows[0] @ rows[1]


def test_questions_are_embedded_as_documents_are(model: BundledEmbedder) -> None:
    texts = ["When does it start?", "kätzchen 猫 naïve", "Long. " * 400, "a", ""]
    rows = model.embed_documents(texts)
    for row, text in zip(rows, texts, strict=True):
        assert np.abs(row - model.embed_query(text)).max() < 1e-5


def test_a_question_is_embedded_without_torch() -> None:
    code = (
        "import sys; from rag.embed import BundledEmbedder; e = BundledEmbedder(); "
        "e.embed_query('a b'), e.count_tokens(['a b']), e.max_tokens, e.dimension; "
        "print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


def test_counting_is_right_while_others_encode(model: BundledEmbedder) -> None:
    long = "word " * 400
    with ThreadPoolExecutor(3) as pool:
        encoding = [pool.submit(model.embed_documents, [long] * 8) for _ in range(4)]
        counts = [model.count_tokens([long])[0] for _ in range(40)]
        assert all(future.result().shape == (8, 384) for future in encoding)
    assert set(counts) == {400}


def test_a_text_is_embedded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = bundled.ShortTextEncoder(bundled.bundled_folder())
    computed: list[str] = []
    compute = encoder._computed

    def counted(texts: Sequence[str]) -> Vectors:
        computed.extend(texts)
        return compute(texts)

    monkeypatch.setattr(encoder, "_computed", counted)
    first = encoder.encode(["Whales swim.", "Bees fly.", "Whales swim."])
    again = encoder.encode(["Bees fly.", "Ants walk.", "Whales swim."])
    assert computed == ["Whales swim.", "Bees fly.", "Ants walk."]
    assert first.shape == (3, 384)
    assert np.array_equal(first[[1, 0]], again[[0, 2]])
    again[:] = 0.0  # what is handed out is a copy
    assert np.array_equal(encoder.encode(["Bees fly."])[0], first[1])


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "damaged_model"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "model" / "model.safetensors").write_bytes(b"not the weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(bundled, "BUNDLED_PACKAGE", "damaged_model")
    with pytest.raises(ModelError, match="damaged"):
        BundledEmbedder().embed_query("a")


def test_a_damaged_tokenizer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "damaged_tokenizer"
    shutil.copytree(bundled.bundled_folder(), package / "model", copy_function=os.symlink)
    (package / "__init__.py").write_text("")
    tokenizer = package / "model" / "tokenizer.json"
    text = tokenizer.read_text(encoding="utf-8")
    tokenizer.unlink()
    tokenizer.write_text(text.replace('"whale"', '"whaIe"'), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(bundled, "BUNDLED_PACKAGE", "damaged_tokenizer")
    with pytest.raises(ModelError, match=r"tokenizer is damaged: tokenizer\.json"):
        BundledEmbedder().embed_query("a")
    with pytest.raises(ModelError, match=r"tokenizer is damaged: tokenizer\.json"):
        SpanReader().read("a", [])


def test_a_damaged_graph_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = tmp_path / "query_encoder.onnx"
    data = bytearray(bundled.QUERY_ENCODER.read_bytes())
    data[len(data) // 2] ^= 1
    graph.write_bytes(data)
    monkeypatch.setattr(bundled, "QUERY_ENCODER", graph)
    with pytest.raises(ModelError, match=r"questions is damaged: query_encoder\.onnx"):
        bundled.ShortTextEncoder(bundled.bundled_folder())


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        SentenceTransformerEmbedder(str(tmp_path / "nowhere")).embed_query("a")
