"""Drafted questions: exact evidence, near misses that are not stated, nothing silly, no repeats."""

from __future__ import annotations

import hashlib
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fakes_llm import ScriptedServer, failure, free_port, sse
from places import GATE, SEEDS
from samples import SEED, write_folder

from rag.answering.generate import ScriptedGenerator
from rag.cli import main
from rag.errors import QuestionSetError
from rag.evaluate.draft import Draft, draft_questions
from rag.evaluate.draft.facts import facts
from rag.evaluate.draft.names import Names
from rag.evaluate.draft.near_miss import QuestionParts, swaps, unstated, years_in
from rag.evaluate.draft.opposites import COUNTRIES
from rag.evaluate.draft.rewording import reworded
from rag.evaluate.draft.statements import is_plain, statements
from rag.evaluate.draft.wording import ask
from rag.question_sets.locate import Documents

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
    normalize = [re.sub(r"\W+", " ", q.question.casefold()) for q in questions]
    assert len(set(normalize)) == len(normalize)
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
        assert (new in TEXT) is (len(draft.origins) == 2)
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


@pytest.mark.parametrize("folder", [SEEDS, GATE / "docs"], ids=["seeds", "gate"])
def test_a_third_are_near_misses_also_of_few_documents(folder: Path) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.txt")}
    drafts = drafts_of(texts, 50)
    misses = [draft for draft in drafts if not draft.question.answerable]
    assert len(misses) == (len(drafts) - len(misses)) // 2 >= 2
    for draft in misses:
        assert draft.swapped
        told = [sentence for text in texts.values() for sentence in re.split(r"[.\n]", text)]
        assert not [s for s in told if draft.swapped[1] in s and said(draft, s) > 0.5]


def said(draft: Draft, sentence: str) -> float:
    """The share of a near miss's longer words that stand in a sentence."""
    words = set(re.findall(r"\w{4,}", draft.question.question))
    return sum(word in sentence for word in words) / len(words)


def near_misses(question: str, statement: str, *told: str, share: bool = False) -> set[str]:
    """The questions that are made of one, where another document says what is ``told``."""
    names, text = Names(), " ".join(told)
    for sentence in (statement, *told):
        names.add(sentence)
    folder = {"a.txt": statement, "b.txt": text}
    asked = QuestionParts(question, statement, statement, statement, share)
    found = list(swaps(asked, names, years_in(told), random.Random(0)))
    documents = Documents(list(folder), folder.__getitem__)
    return {swap.question for swap in unstated(found, documents)}


BRIDGE = "The first bridge at Lund was opened in 1901."


def test_where_no_name_fits_another_word_does() -> None:
    when = "When was the {} bridge opened?".format
    assert near_misses(when("first"), BRIDGE) == {when("second"), when("third")}
    # Not what another document says after all.
    second = "The second bridge at Lund was opened later."
    assert near_misses(when("first"), BRIDGE, second) == {when("third")}
    opened = "They are opening the second of the bridges."  # in other forms of the words
    assert near_misses(when("first"), BRIDGE, opened) == {when("third")}
    adverb = "The abbey of Melk was first named in 1901."
    assert near_misses("When was the abbey of Melk first named?", adverb) == set()
    share = "About 40% of the senior workers live in Lund."
    asked = "What percentage of the senior workers live in Lund?"
    assert near_misses(asked, share)
    assert near_misses(asked, share, share=True) == set()  # the juniors are the others


def test_a_year_is_one_of_the_documents_or_one_near() -> None:
    bells = "The tower had 40 bells in 1901."
    how = "How many bells did the tower have in {}?".format
    found = near_misses(how(1901), bells, "The mill was sold in 1640.", "It burnt in 1977.")
    assert how(1640) in found
    assert found - {how(1640)} < {how(year) for year in range(1892, 1901)}  # the tense still fits
    ahead = "The tower will have 40 bells in 2031."
    ask = "How many bells will the tower have in {}?".format
    assert near_misses(ask(2031), ahead) < {ask(year) for year in range(2032, 2041)}


def test_a_country_takes_the_place_of_a_country() -> None:
    fjord = "The fjord in Norway has 40 farms."
    ask = "How many farms does the fjord in {} have?".format
    found = near_misses(ask("Norway"), fjord, "They live in Spain.", "We sail in Sweden.")
    assert {ask("Spain"), ask("Sweden")} < found
    assert found <= {ask(country) for country in COUNTRIES - {"Norway"}}


def test_a_name_is_put_only_where_it_can_stand() -> None:
    names = Names()
    names.add("We saw the power that is reserved to Westminster and to Lund, at last.")
    names.add("The power of Harold Wilson, and of Lund, ended.")
    assert names.like("Westminster", "The power reserved to Westminster is great.") == ["Lund"]


def test_a_draft_tells_where_all_its_words_are_from() -> None:
    for draft in drafts_of(FACTS, 60):
        texts = [FACTS[o.source][o.start : o.end] for o in draft.origins]
        assert draft.statement in texts[0]
        if draft.swapped:
            assert any(draft.swapped[1] in text for text in texts) or draft.swapped[1] not in str(
                FACTS
            )
        line = draft.to_dict()
        assert [one["sha256"] for one in line["from"]] == [
            hashlib.sha256(text.encode()).hexdigest() for text in texts
        ]


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
        "What number of vehicles did Lexus sell globally in 2024?": True,
        "“In 2024, how many vehicles did Lexus sell?”": True,
        "Lexus sold 851,200 vehicles in 2024, did it?": False,  # the answer
        "What number of vehicles did Lexus sell globally?": False,  # no year
        "What number of vehicles did Lexus sell in 20240?": False,
        "What number did Lexus sell in 2024?\nSure!": False,
        "In 2024 Lexus sold many vehicles.": False,
    }
    for reply, kept in replies.items():
        generator = ScriptedGenerator()
        generator.enqueue(reply)
        (after,) = reworded(drafts, generator)
        assert (after.question.question == reply.strip("“”")) is kept
        assert (after.question.id, after.question.evidence) == (
            draft.question.id,
            draft.question.evidence,
        )
        ((request, passages),) = generator.history
        assert request.endswith(draft.question.question)
        assert passages == ()


def test_the_command_words_drafts_with_the_configured_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "docs", {SEED: TEXT})
    plain = drafted("docs")
    command = ("questions", "draft", "docs", "--out", "drafts.jsonl", "--reword")
    with ScriptedServer() as server:
        monkeypatch.setenv("RAG_LLM_BASE_URL", server.url)
        monkeypatch.setenv("RAG_LLM_MODEL", "m")
        monkeypatch.setenv("RAG_LLM_TIMEOUT", "5")
        for line in plain:
            words = line["question"].removesuffix("?")
            server.enqueue(sse(f"Tell me: {words[:5]}", f"{words[5:]}?"))
        lines = drafted("docs", "--reword")
        assert [line["question"] for line in lines] == [
            f"Tell me: {line['question']}" for line in plain
        ]
        assert [line | {"question": ""} for line in lines] == [
            line | {"question": ""} for line in plain
        ]
        (message,) = server.requests[0].body["messages"]
        assert (message["role"], plain[0]["question"] in message["content"]) == ("user", True)
        before = Path("drafts.jsonl").read_bytes()
        server.enqueue(sse("Tell me: what?"), failure(401, "wrong key"))
        result = rag(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"rag: rewording {plain[1]['question']!r}: ")
    assert result.stderr.count("\n") == 1
    assert "RAG_LLM_API_KEY" in result.stderr
    assert Path("drafts.jsonl").read_bytes() == before
    monkeypatch.setenv("RAG_LLM_BASE_URL", f"http://127.0.0.1:{free_port()}/v1")
    result = rag(*command)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert Path("drafts.jsonl").read_bytes() == before


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
    accepted = {key: lines[0][key] for key in ("id", "question", "answers", "evidence")}
    Path("drafts.jsonl").write_text(json.dumps(accepted), encoding="utf-8")
    result = rag("questions", "draft", "docs", "--out", "drafts.jsonl")
    assert result.exit_code == 1
    assert "'drafts.jsonl' holds 1 questions that are no drafts any more" in result.stderr
    assert json.loads(Path("drafts.jsonl").read_text(encoding="utf-8")) == accepted
