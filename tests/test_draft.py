"""Drafted questions: exact evidence, near misses that are not stated, nothing silly, no repeats."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from helpers import SEED, SEEDS, write_folder

from rag.cli import main
from rag.draft import Draft, draft_questions
from rag.draft.facts import facts
from rag.draft.names import Names
from rag.draft.rewording import reworded
from rag.draft.statements import is_plain, statements
from rag.draft.wording import ask
from rag.errors import QuestionSetError
from rag.generate import ScriptedGenerator
from rag.questions.locate import Documents

TEXT = (SEEDS / SEED).read_text(encoding="utf-8")


def drafts_of(folder: dict[str, str], count: int = 40, seed: int = 0) -> list[Draft]:
    return draft_questions(Documents(list(folder), folder.__getitem__), count, seed)


def asked(sentence: str, *more: str) -> dict[str, str]:
    """Question -> answer, of one sentence; ``more`` are others of the documents."""
    names = Names()
    for one in (sentence, *more):
        names.add(one)
    found = {}
    for fact in facts(sentence, names):
        question = ask(sentence, fact, names)
        if question:
            found[question[0]] = sentence[fact.start : fact.end]
    return found


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        (
            "Lexus sold 851,200 vehicles worldwide in 2024, a 3.3% increase.",
            "How many vehicles did Lexus sell worldwide in 2024?",
            "851,200",
        ),
        (
            "Solid-state production at Toyota is expected to begin in 2027.",
            "When is Solid-state production at Toyota expected to begin?",
            "2027",
        ),
        (
            "On February 5, Toyota announced that Lexus will build a plant.",
            "When did Toyota announce that Lexus will build a plant?",
            "February 5",
        ),
        (
            "In 2024, the Lexus brand accounted for 10% of total sales.",
            "The Lexus brand accounted for what percentage of total sales in 2024?",
            "10%",
        ),
        (
            "The tower at Lund cost $5 million to build.",
            "How much did the tower at Lund cost to build?",
            "$5 million",
        ),
        (
            "The mill has 40 workers in the valley of the Drava.",
            "How many workers does the mill have in the valley of the Drava?",
            "40",
        ),
        ("Torque is a measure of any turn.", "What is Torque?", "a measure of any turn"),
        (
            "William Farel was a student of Lefevre, who lived there.",
            "Who was William Farel?",
            "a student of Lefevre",
        ),
        (
            "The fund supports every new energy vehicle (NEV) that is sold.",
            "What does NEV stand for?",
            "new energy vehicle",
        ),
        (
            "The old bridge at Lund was designed by Anna Berg in the end.",
            "By whom was the old bridge at Lund designed in the end?",
            "Anna Berg",
        ),
    ],
)  # fmt: skip
def test_a_statement_becomes_a_question(sentence: str, question: str, answer: str) -> None:
    names = ("We saw Lexus there.", "As Anna Berg said to the Lexus brand.", "It is at Lund.")
    assert (question, answer) in asked(sentence, *names).items()


@pytest.mark.parametrize(
    "sentence",
    [
        "The Lexus RX has been testing Level 3 autonomous driving in public.",  # no count
        "It sold 851,200 vehicles in the year before that.",  # who?
        "The company had 1,000 employees at the end of the year.",  # which company?
        "The plant, which Toyota built in 1998, has been closed since.",  # of a clause of its own
    ],
)
def test_what_would_be_silly_is_not_asked(sentence: str) -> None:
    assert not asked(sentence, "They saw the Toyota there.") or not is_plain(sentence)


@pytest.mark.parametrize(
    "line",
    ["| a | table | of the | year 2024 |.", "See https://x.example for the rest of the text.",
     "Chapter 3 . . . . . 17 of the book...", "Produktion beginnt 2027 an dem neuen Standort.",
     "of the half sentence that the page before began, in 1998"],
)  # fmt: skip
def test_messy_lines_are_no_statements(line: str) -> None:
    assert not list(statements("a.txt", line))


def test_the_seed_document() -> None:
    drafts = drafts_of({SEED: TEXT})
    questions = [draft.question for draft in drafts]
    assert "How many vehicles did Lexus sell worldwide in 2024?" in [q.question for q in questions]
    assert len(questions) >= 12
    misses = [draft for draft in drafts if not draft.question.answerable]
    assert misses
    folded = [re.sub(r"\W+", " ", q.question.casefold()) for q in questions]
    assert len(set(folded)) == len(folded)
    assert len({q.id for q in questions}) == len(questions)
    for question in questions:
        assert question.question.endswith("?")
        for place in question.evidence:
            assert TEXT[place.start : place.end] == question.answers[0]
            answer = re.escape(question.answers[0])
            assert not re.search(rf"\b{answer}\b", question.question)
    for draft in misses:
        assert draft.swapped
        old, new = draft.swapped
        assert new in draft.question.question
        assert new in TEXT
        assert draft.statement.replace(old, new) not in TEXT


FACTS = {
    f"{i}.txt": f"The town of Orsk{i} was founded in {1500 + i}. Its market is old.\n\n"
    f"In Orsk{i} there are {i + 3} mills. The river crosses Orsk{i} in the middle."
    for i in range(12)
} | {"abbey.txt": "The abbey of Melk sold 300 barrels to Orsk3 in 1711."}


def test_near_misses_are_not_stated() -> None:
    told = {f"Orsk{i}": str(1500 + i) for i in range(12)}
    misses = [d for d in drafts_of(FACTS, 60) if not d.question.answerable]
    assert "abbey.txt" in {draft.near.source for draft in misses}
    # Whatever town is put in, its own document says when it was founded: no such question.
    assert not [d for d in misses if d.question.question.startswith("When was the town of Orsk")]
    for draft in misses:
        town = re.search(r"Orsk\d+", draft.question.question)
        year = re.search(r"1\d\d\d", draft.question.question)
        assert not (town and year and told[town[0]] == year[0])


def test_count_and_seed_decide() -> None:
    first = [draft.to_dict() for draft in drafts_of(FACTS, 9, 1)]
    assert len(first) == 9
    assert first == [draft.to_dict() for draft in drafts_of(FACTS, 9, 1)]
    assert first != [draft.to_dict() for draft in drafts_of(FACTS, 9, 2)]
    assert len({line["near"]["source"] for line in first}) > 4


def test_nothing_to_ask_is_an_error() -> None:
    with pytest.raises(QuestionSetError, match="no question could be drafted"):
        drafts_of({"a.txt": "| 1 | 2 |\n\nja nein"})


def test_rewording_keeps_what_is_still_the_question() -> None:
    drafts = [
        draft
        for draft in drafts_of({SEED: TEXT})
        if "vehicles did Lexus sell" in draft.question.question and draft.question.answerable
    ]
    (draft,) = drafts
    replies = {
        "What number of vehicles did Lexus sell globally in 2024? [1]": True,
        "Lexus sold 851,200 vehicles in 2024, did it?": False,  # the answer
        "What number of vehicles did Lexus sell globally?": False,  # no year
        "What number did Lexus sell in 2024?\nSure!": False,
        "In 2024 Lexus sold many vehicles.": False,
    }
    for reply, kept in replies.items():
        generator = ScriptedGenerator()
        generator.enqueue(reply)
        (after,) = reworded(drafts, generator)
        assert (after.question.question == reply.removesuffix(" [1]")) is kept
        assert (after.question.id, after.question.evidence) == (
            draft.question.id,
            draft.question.evidence,
        )


def rag(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def drafted(*arguments: str) -> list[dict[str, Any]]:
    result = rag("questions", "draft", *arguments, "--out", "drafts.jsonl", "--json")
    assert result.exit_code == 0, result.output
    lines = Path("drafts.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(result.stdout)["questions"] == len(lines)
    return [json.loads(line) for line in lines]


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_EMBEDDER", "hashing")
    write_folder(tmp_path / "docs", {**FACTS, "broken.pdf": "%PDF-1.4 nothing", SEED: TEXT})
    rag("index", "docs")
    lines = drafted("docs", "--count", "24")
    assert len(lines) == 24
    assert {line["draft"] for line in lines} == {True}
    assert drafted("index", "--count", "24") == lines
    assert rag("questions", "check", "drafts.jsonl").exit_code == 0
    assert "review them" in rag("questions", "draft", "docs", "--out", "drafts.jsonl").stdout
    for arguments, said in (
        (["none"], "no folder 'none'"),
        (["docs", "--reword"], "RAG_LLM_MODEL"),
    ):
        result = rag("questions", "draft", *arguments, "--out", "x.jsonl")
        assert result.exit_code == 1
        assert said in result.stderr
    assert not Path("x.jsonl").exists()
