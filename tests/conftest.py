"""Shared fixtures."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import hypothesis
import pytest
from places import SEEDS, TESTS
from samples import MakeKb, write_folder

from rag import KnowledgeBase
from rag.answering.read import SpanReader
from rag.embed import BundledEmbedder, HashingEmbedder
from rag.load import ocr
from rag.load.registry import load_file

pytest_plugins = ["network_guard"]

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("rag", deadline=None)
hypothesis.settings.load_profile("rag")


SLOW = (
    "faults", "sandbox", "security", "training", "test_make.py", "test_gate.py",
    "test_plain_questions.py", "evaluate/test_compare.py",
    "web/test_serving.py", "indexing/test_watch.py", "indexing/test_writer.py",
    "evaluate/test_sweep.py", "evaluate/test_evaluate.py", "evaluate/report",
    "evaluate/draft/test_drafting.py", "indexing/test_turns.py", "indexing/test_purge.py",
    "question_sets/test_importing.py", "embed",
)  # fmt: skip
"""Tests that start processes, kill, or ask real models many questions, below ``tests/``.

Single ones of other files are marked where they stand."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what ``make test-quick`` leaves out."""
    slow = tuple(str(TESTS / name) for name in SLOW)
    for item in items:
        if str(item.path).startswith(slow):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def default_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see none of the user's settings."""
    for name in [name for name in os.environ if name.startswith("RAG_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_ocr() -> Iterator[None]:
    """Tests do the same whether Tesseract is installed or not."""
    with ocr.using(None):
        yield


@pytest.fixture(scope="session")
def model() -> BundledEmbedder:
    """The bundled model, loaded once."""
    return BundledEmbedder()


@pytest.fixture(scope="session")
def seed_kb(
    model: BundledEmbedder, reader: SpanReader, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KnowledgeBase]:
    """The default knowledge base: the seed document and the bundled model."""
    with KnowledgeBase(tmp_path_factory.mktemp("index"), embedder=model, reader=reader) as kb:
        kb.sync(SEEDS)
        yield kb


@pytest.fixture(scope="session")
def reader() -> SpanReader:
    """The default reader, loaded once."""
    return SpanReader()


@pytest.fixture
def make_kb(tmp_path: Path, reader: SpanReader) -> Iterator[MakeKb]:
    """Knowledge bases over hashed bags of words; ``folder`` maps file names to texts."""
    made: list[KnowledgeBase] = []

    def make(folder: Mapping[str, str | bytes] | None = None, name: str = "kb") -> KnowledgeBase:
        path = tmp_path / name
        kb = KnowledgeBase(path, embedder=HashingEmbedder(), reader=reader, load=load_file)
        made.append(kb)
        if folder is not None:
            write_folder(tmp_path / f"{name}-docs", folder)
            kb.sync(tmp_path / f"{name}-docs")
        return kb

    yield make
    for kb in made:
        kb.close()
