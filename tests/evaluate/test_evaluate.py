"""Question sets and metrics; the floors of the seed question set."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from places import DATA
from samples import SEED, write_folder

from rag import Answer, Citation, Hit, KnowledgeBase
from rag.answering.generate import ScriptedGenerator
from rag.embed import HashingEmbedder
from rag.evaluate import Outcome, evaluate, normalize_answer, summarize, token_f1
from rag.question_sets import Evidence, GoldQuestion, read_questions
from rag.store.schema import DATABASE
from rag.types import Chunk, Document, Span

DOCUMENT = Document("a.txt", "Lexus sold 851,200 vehicles. Production begins in 2027.")


def hit(start: int, end: int) -> Hit:
    return Hit(Chunk(DOCUMENT, start, end), 1.0, 0.5, 1.0)


RIGHT, WRONG = hit(0, 28), hit(29, 55)
QUESTION = GoldQuestion("q", "How many?", ("851,200",), (Evidence("a.txt", 11, 18),))
NOT_STATED = GoldQuestion("n", "Who?", (), ())


def outcome(
    question: GoldQuestion = QUESTION,
    hits: tuple[Hit, ...] = (RIGHT, WRONG),
    cited: tuple[Hit, ...] = (RIGHT,),
    short: str = "851,200",
    confidence: float = 0.9,
    refused: bool = False,
) -> Outcome:
    citations = tuple(Citation(n, h, h.start, h.end) for n, h in enumerate(cited, start=1))
    answer = Answer(
        question.question,
        short,
        short=None if refused else short,
        refused=refused,
        confidence=confidence,
        citations=() if refused else citations,
        hits=hits,
        seconds={"total": 0.5},
    )
    return Outcome(question, hits, answer, (True,) * len(answer.citations))


def test_squad_normalisation_and_f1() -> None:
    assert normalize_answer("The  Quick, brown (fox)!") == "quick brown fox"
    assert token_f1("the quick fox", "quick brown fox") == pytest.approx(0.8)
    assert token_f1("cat", "dog") == 0.0
    assert token_f1("北京市", "北京") == pytest.approx(0.8)
    assert token_f1("", "dog") == 0.0


def test_ranking_counts_the_first_right_hit() -> None:
    second = outcome(
        GoldQuestion("q2", "How many?", ("x",), QUESTION.evidence), hits=(WRONG, RIGHT)
    )
    missed = outcome(GoldQuestion("q3", "How many?", ("x",), QUESTION.evidence), hits=(WRONG,))
    found = summarize([outcome(), second, missed])["retrieval"]
    assert found["recall@1"] == pytest.approx(1 / 3)
    assert found["recall@5"] == found["recall@10"] == pytest.approx(2 / 3)
    assert found["mrr@10"] == pytest.approx((1 + 1 / 2) / 3)
    assert found["ndcg@10"] == pytest.approx((1 + 0.6309297) / 3, abs=1e-6)


def test_recall_counts_each_span_of_the_evidence() -> None:
    elsewhere = Evidence("c.txt", 0, 5)
    question = GoldQuestion("q", "How many?", ("x",), (*QUESTION.evidence, elsewhere))
    found = summarize([outcome(question, hits=(WRONG, RIGHT))])["retrieval"]
    assert (found["success@1"], found["success@5"]) == (0.0, 1.0)
    assert (found["recall@1"], found["recall@5"], found["mrr@10"]) == (0.0, 0.5, 0.5)


def test_answers_and_citations() -> None:
    wordy = outcome(GoldQuestion("q2", "Q?", ("851,200",), QUESTION.evidence), short="sold 851,200")
    refused = outcome(GoldQuestion("q3", "Q?", ("x",), QUESTION.evidence), refused=True)
    wrong = outcome(NOT_STATED, cited=(WRONG,))
    metrics = summarize([outcome(cited=(RIGHT, WRONG)), wordy, refused, wrong])
    assert metrics["answer"]["em"] == pytest.approx(1 / 3)
    assert metrics["answer"]["f1"] == pytest.approx((1 + 2 / 3) / 3)
    assert metrics["citation"] == {
        "valid": 1.0,
        "precision": pytest.approx(2 / 4),
        "recall": pytest.approx(2 / 3),
    }


def test_refusals_and_calibration() -> None:
    second = GoldQuestion("q2", "Q?", ("851,200",), QUESTION.evidence)
    fourth = GoldQuestion("n2", "Q?", (), ())
    metrics = summarize(
        [
            outcome(confidence=0.9),
            outcome(second, refused=True, confidence=0.2),
            outcome(NOT_STATED, refused=True, confidence=0.1),
            outcome(fourth, cited=(WRONG,), confidence=0.6),
        ]
    )
    assert metrics["refusal"] == {
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
        "auroc": pytest.approx(0.75),
    }
    # Answered: one right at 0.9, one wrong at 0.6, in two bins of half the answers each.
    assert metrics["calibration"]["ece"] == pytest.approx(0.5 * 0.1 + 0.5 * 0.6)


def test_a_set_without_unanswerable_questions_has_no_refusal_figures() -> None:
    metrics = summarize([outcome()])
    assert set(metrics["refusal"].values()) == {None}
    json.dumps(metrics, allow_nan=False)


class WholeReader:
    """Cites each hit as a whole, from ``text`` in place of what the hit's document says."""

    name = "whole"
    version = "1"

    def __init__(self, text: str | None = None) -> None:
        self.text = text

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        text = self.text or hits[0].chunk.document.text
        document = Document(hits[0].source, text)
        return [Span(Hit(Chunk(document, 0, len(text)), 1.0, 1.0, 1.0), 0, len(text), 0.9)]

    def threshold(self, precision: float) -> float:
        return 0.0


@pytest.mark.parametrize(("cited", "valid"), [(None, 1), ("Apples lie in the cellar.", 0)])
def test_only_a_quote_that_stands_in_the_stored_document_is_valid(
    tmp_path: Path, cited: str | None, valid: int
) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": "Apples grow on trees."})
    question = GoldQuestion("q", "Where do apples grow?", ("trees",), (Evidence("a.txt", 15, 20),))
    reader = WholeReader(cited)
    with KnowledgeBase(tmp_path / "index", embedder=HashingEmbedder(), reader=reader) as kb:
        kb.sync(folder)
        (result,) = evaluate(kb, [question])
    assert result.answer is not None
    assert len(result.answer.citations) == 1
    assert result.valid_citations == valid


def test_citations_are_checked_against_the_file_on_disk(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": "Apples grow on trees."})
    question = GoldQuestion("q", "Where do apples grow?", ("trees",), (Evidence("a.txt", 15, 20),))
    reader = WholeReader()
    with KnowledgeBase(tmp_path / "index", embedder=HashingEmbedder(), reader=reader) as kb:
        kb.sync(folder)
        (before,) = evaluate(kb, [question])
        with closing(sqlite3.connect(tmp_path / "index" / DATABASE)) as database:
            database.execute("UPDATE contents SET text = 'Apples grow on shelves.'")
            database.commit()
        (after,) = evaluate(kb, [question])
        assert kb.document("a.txt").text == "Apples grow on trees."  # it is remembered
    assert (before.valid, after.valid) == ((True,), (False,))


def test_what_a_language_model_wrote_is_judged_without_its_markers(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": "Apples grow on trees."})
    question = GoldQuestion(
        "q", "Where do apples grow?", ("on trees",), (Evidence("a.txt", 12, 20),)
    )
    generator = ScriptedGenerator()
    generator.enqueue("On trees [1].")
    embedder = HashingEmbedder()
    with KnowledgeBase(tmp_path / "index", embedder=embedder, generator=generator) as kb:
        kb.sync(folder)
        metrics = summarize(evaluate(kb, [question], answerer="llm"))
    assert metrics["answer"] == {"em": 1.0, "f1": 1.0}
    assert metrics["citation"] == {"valid": 1.0, "precision": 1.0, "recall": 1.0}


def test_the_seed_questions_evidence_holds_an_answer(seed_kb: KnowledgeBase) -> None:
    text = seed_kb.document(SEED).text
    questions = read_questions(DATA / "seed_questions.jsonl")
    assert len(questions) == 30
    assert sum(not question.answerable for question in questions) == 10
    for question in questions:
        for evidence in question.evidence:
            assert text[evidence.start : evidence.end] in question.answers


def test_the_floors_of_the_seed_questions(seed_kb: KnowledgeBase) -> None:
    metrics = summarize(evaluate(seed_kb, read_questions(DATA / "seed_questions.jsonl")))
    assert metrics["citation"]["valid"] == 1.0
    assert metrics["retrieval"]["recall@5"] >= 0.95
    assert metrics["answer"]["f1"] >= 0.7
    assert metrics["citation"]["recall"] >= 0.8
    assert metrics["refusal"]["precision"] >= 0.75
    assert metrics["refusal"]["recall"] >= 0.9
    assert metrics["refusal"]["auroc"] >= 0.97
    assert metrics["calibration"]["ece"] <= 0.22  # of 19 answers


def test_a_near_miss_is_refused(seed_kb: KnowledgeBase) -> None:
    answer = seed_kb.ask("How many cars did BMW sell in China in 2024?")
    assert (answer.refused, answer.reason) == (True, "not_stated")
    answer = seed_kb.ask("How many vehicles did Lexus sell worldwide in 2019?")
    assert (answer.refused, answer.reason) == (True, "not_mentioned")
    assert answer.text.endswith("No document mentions “2019”.")


@pytest.mark.parametrize(
    "question",
    [
        "How many vehicles did Lexus sell worldwide in 2024?",
        "lexus vehicles sold worldwide 2024",
        "how many vehicels did lexus sell worldwide in 2024",
    ],
)
def test_the_short_answer_is_the_exact_words(seed_kb: KnowledgeBase, question: str) -> None:
    answer = seed_kb.ask(question)
    assert not answer.refused
    assert answer.short is not None
    assert "851,200" in answer.short
    [citation, *_] = answer.citations
    assert answer.short in citation.quote
