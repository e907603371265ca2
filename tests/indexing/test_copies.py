"""Copies are stored and found once, and cited under each of their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from samples import write_folder

from rag import KnowledgeBase
from rag.answering.answer import MAX_NAMES
from rag.answering.generate import ScriptedGenerator
from rag.embed import HashingEmbedder
from rag.evaluate import evaluate, summarize
from rag.question_sets import Evidence, GoldQuestion
from rag.types import Hit, Span

TEXT = "Apples grow on trees."


class FirstHit:
    """Believes the whole of the best hit."""

    name = "first hit"
    version = "1"

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        return [Span(hits[0], hits[0].start, hits[0].end, 0.9)]

    def threshold(self, precision: float) -> float:
        return 0.5


@pytest.fixture
def generator() -> ScriptedGenerator:
    return ScriptedGenerator()


@pytest.fixture
def kb(tmp_path: Path, generator: ScriptedGenerator) -> Iterator[KnowledgeBase]:
    files = {"z.txt": TEXT, "a/x.txt": TEXT, "m.txt": f"{TEXT}\n", "pears.txt": "Pears are sweet."}
    folder = write_folder(tmp_path / "docs", files)
    with KnowledgeBase(
        tmp_path / "kb", embedder=HashingEmbedder(), reader=FirstHit(), generator=generator
    ) as kb:
        kb.sync(folder)
        yield kb


def test_copies_are_stored_once(kb: KnowledgeBase) -> None:
    status = kb.status()
    assert (status["documents"], status["chunks"]) == (4, 3)
    assert kb.names("z.txt") == ["a/x.txt", "z.txt"]
    assert kb.names("m.txt") == ["m.txt"]  # one character more: another document
    assert kb.document("z.txt").source == "z.txt"


def test_copies_are_found_once_and_cited_under_each_name(kb: KnowledgeBase) -> None:
    hits = kb.search("apples grow trees")
    assert [hit.source for hit in hits] == ["a/x.txt", "m.txt"]
    answer = kb.ask("Where do apples grow?")
    assert answer.text == f"{TEXT} [1][2]"
    assert [(c.number, c.source) for c in answer.citations] == [(1, "a/x.txt"), (2, "z.txt")]
    for citation in answer.citations:
        document = kb.document(citation.source)
        assert document.text[citation.start : citation.end] == citation.quote == TEXT
        assert citation.sha256 == document.sha256


def test_a_language_models_marker_becomes_one_for_each_name(
    kb: KnowledgeBase, generator: ScriptedGenerator
) -> None:
    generator.enqueue("Apples grow on trees [1].")
    answer = kb.ask("Where do apples grow?", answerer="llm")
    assert answer.text == "Apples grow on trees [1][2]."
    assert [c.source for c in answer.citations] == ["a/x.txt", "z.txt"]
    assert len(generator.history[0][1]) == 2  # the passages, each once


def test_one_name_less_is_one_citation_less(kb: KnowledgeBase) -> None:
    kb.remove("a/x.txt")
    answer = kb.ask("Where do apples grow?")
    assert [c.source for c in answer.citations] == ["m.txt"]
    assert kb.document("z.txt").text == TEXT
    assert kb.verify() == []


def test_many_copies_are_cited_under_some_names(kb: KnowledgeBase, tmp_path: Path) -> None:
    write_folder(tmp_path / "docs", {f"copies/{i:02}.txt": TEXT for i in range(20)})
    kb.sync()
    answer = kb.ask("Where do apples grow?")
    names = ["a/x.txt", "copies/00.txt", "copies/01.txt", "copies/02.txt"]
    assert [c.source for c in answer.citations] == names
    assert len(names) == MAX_NAMES


def test_evidence_in_a_copy_counts(kb: KnowledgeBase) -> None:
    question = GoldQuestion("q", "Where do apples grow?", ("trees",), (Evidence("z.txt", 15, 20),))
    metrics = summarize(evaluate(kb, [question]))
    assert metrics["retrieval"]["recall@1"] == 1.0
    assert metrics["citation"] == {"valid": 1.0, "precision": 1.0, "recall": 1.0}
