"""Deleted means gone: kept questions and the indexes of sweeps follow the documents."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from formats import FORMATS
from samples import write_folder

from rag import KnowledgeBase, Settings
from rag.embed import HashingEmbedder
from rag.errors import NotFoundError, QuestionSetError
from rag.evaluate.combinations import combine, parse_sweep
from rag.evaluate.draft import draft_questions
from rag.evaluate.outcomes import Options
from rag.evaluate.sweep import run_sweep
from rag.indexing.purge import sweep_cache
from rag.question_sets import Evidence, GoldQuestion, read_questions
from rag.question_sets.feedback import FILE, Feedback, save_feedback
from rag.question_sets.kept import follow
from rag.question_sets.locate import Documents
from rag.question_sets.origin import Origin
from rag.question_sets.reviewing import accept, waiting

CANARY = "Zanzibaru"
SECRET = (
    f"The harbour of {CANARY} was opened by settlers in 1888. It was deep.\n\n"
    f"The mill at Lund sold 300 barrels to {CANARY} in 1901. In {CANARY} there are 40 mills.\n"
)
KNOWN = (
    "The harbour of Orsk was opened by settlers in 1777. It was shallow.\n\n"
    "The abbey of Melk sold 900 barrels to Orsk in 1790. In Orsk there are 12 mills.\n"
)


@pytest.fixture
def kb(tmp_path: Path) -> Any:
    write_folder(tmp_path / "docs", {"secret.txt": SECRET, "known.txt": KNOWN})
    with KnowledgeBase(tmp_path / "index", embedder=HashingEmbedder()) as kb:
        kb.sync(tmp_path / "docs")
        yield kb


def text_of(kb: KnowledgeBase, source: str) -> str:
    return kb.document(source).text


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def holding(kb: KnowledgeBase, word: str) -> set[str]:
    """Names of the files below and beside the index that hold a word, in any case."""
    found = set()
    for folder in (kb.path, sweep_cache(kb.path)):
        for path in folder.rglob("*"):
            if path.is_file() and word.lower().encode() in path.read_bytes().lower():
                found.add(path.name)
    return found


def keep_questions(kb: KnowledgeBase) -> None:
    """Drafts, a third of them accepted; feedback on each document; and the indexes of a sweep."""
    documents = Documents(kb.sources(), lambda source: text_of(kb, source))
    drafts = draft_questions(documents, 40)
    misses = [draft for draft in drafts if not draft.question.answerable]
    # A near miss of the document that stays has its name from the one that goes.
    assert any(CANARY in d.question.question and d.near.source == "known.txt" for d in misses)
    path = kb.path / "drafts.jsonl"
    path.write_text("".join(json.dumps(draft.to_dict()) + "\n" for draft in drafts), "utf-8")
    for draft in waiting(path)[::3]:
        answers = draft.question.answers
        accept(path, draft, draft.question.question, answers, lambda source: text_of(kb, source))
    for source, words in (("secret.txt", CANARY), ("known.txt", "Orsk")):
        text = text_of(kb, source)
        passage = Evidence(source, 0, text.index("It was"))
        for asked, given in ((f"Which of {source}?", words), (f"Where in {source}?", "")):
            feedback = Feedback(asked, passage, given, said={"refused": False})
            save_feedback(kb.path, feedback.line(lambda source: text_of(kb, source)))
    combinations = combine(parse_sweep(["chunk_tokens=32"], ["chunk_tokens"]), Settings())
    first = read_questions(path)[:1]
    run_sweep(kb, first, combinations, Options(retrieval_only=True), sweep_cache(kb.path))


@pytest.mark.parametrize("change", ["deleted", "edited"])
def test_no_byte_of_what_went_remains(
    kb: KnowledgeBase, tmp_path: Path, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    keep_questions(kb)
    kept = {"knowledge.sqlite", "drafts.jsonl", FILE}
    assert kept <= holding(kb, CANARY)
    before = {line["id"]: line for line in lines_of(kb.path / "drafts.jsonl")}
    if change == "deleted":
        (tmp_path / "docs" / "secret.txt").unlink()
    else:
        write_folder(tmp_path / "docs", {"secret.txt": "The harbour is closed.\n"})
    with caplog.at_level(logging.WARNING):
        kb.sync(tmp_path / "docs")
    assert holding(kb, CANARY) == set()
    assert "questions dropped" in caplog.text
    after = lines_of(kb.path / "drafts.jsonl")
    assert 0 < len(after) < len(before)
    assert all(line == before[line["id"]] for line in after)  # what stays is as it was
    assert {line["question"] for line in lines_of(kb.path / FILE)} == {
        "Which of known.txt?", "Where in known.txt?",
    }  # fmt: skip
    (index,) = (path for path in sweep_cache(kb.path).iterdir() if path.is_dir())
    with kb.variant(index, Settings(chunk_tokens=32)) as swept:
        assert swept.file_digests().keys() == kb.file_digests().keys() - {"secret.txt"}


def test_questions_follow_a_passage_that_moves(kb: KnowledgeBase, tmp_path: Path) -> None:
    keep_questions(kb)
    before = {path: lines_of(path) for path in kb.path.glob("*.jsonl")}
    write_folder(tmp_path / "docs", {"secret.txt": f"A new beginning.\n\n{SECRET}"})
    kb.sync(tmp_path / "docs")
    for path, lines in before.items():
        after = lines_of(path)
        assert [line["question"] for line in after] == [line["question"] for line in lines]
        assert after != lines
        for line in after:
            for place in line["evidence"]:
                text = text_of(kb, place["source"])[place["start"] : place["end"]]
                assert line["answers"] is None or text in line["answers"]
    again = {path: path.read_bytes() for path in before}
    kb.sync(tmp_path / "docs")
    assert {path: path.read_bytes() for path in before} == again


def test_a_line_stays_only_while_all_it_is_made_from_stands(tmp_path: Path) -> None:
    texts = {"a.txt": "One fact. Two facts. Three.", "b.txt": "A name."}

    def known(source: str) -> str:
        if source not in texts:
            raise NotFoundError(source)
        return texts[source]

    passages = [Origin.at("a.txt", 10, 20, texts["a.txt"]), Origin.at("b.txt", 0, 7, "A name.")]
    line = {
        "id": "1", "question": "Q?", "answers": ["Two"], "draft": True,
        "evidence": [{"source": "a.txt", "start": 10, "end": 13}],
        "near": {"source": "a.txt", "start": 14, "end": 19},
        "from": [passage.to_dict() for passage in passages],
    }  # fmt: skip
    hand_made = {"id": "2", "question": "Q?", "answers": ["One"], "evidence": [
        {"source": "c.txt", "start": 0, "end": 3}]}  # fmt: skip
    other: object = ["no question"]
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(map(json.dumps, (line, hand_made, other))), encoding="utf-8")
    assert follow(path, known) == 1  # nothing tells where the words of c.txt's come from
    assert lines_of(path) == [line, other]
    texts["a.txt"] = "Zero. Two facts. Three."
    assert follow(path, known) == 0
    moved = lines_of(path)[0]
    assert moved["evidence"] == [{"source": "a.txt", "start": 6, "end": 9}]
    assert moved["near"] == {"source": "a.txt", "start": 10, "end": 15}
    assert [(p["source"], p["start"], p["end"]) for p in moved["from"]] == [
        ("a.txt", 6, 16), ("b.txt", 0, 7),
    ]  # fmt: skip
    texts["b.txt"] = "Another name."
    assert follow(path, known) == 1
    assert lines_of(path) == [other]


def test_what_is_no_question_set_is_left_alone(
    kb: KnowledgeBase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (kb.path / "mine.jsonl").write_text("{not JSON", encoding="utf-8")
    (kb.path / ".drafts.jsonl.partial").write_text(CANARY, encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        kb.sync(tmp_path / "docs")
    assert (kb.path / "mine.jsonl").read_text(encoding="utf-8") == "{not JSON"
    assert "mine.jsonl" in caplog.text
    assert not (kb.path / ".drafts.jsonl.partial").exists()


def test_a_cached_index_that_cannot_be_opened_is_dropped(kb: KnowledgeBase, tmp_path: Path) -> None:
    broken = sweep_cache(kb.path) / "32-tokens"
    write_folder(broken, {"knowledge.sqlite": f"no database: {CANARY}"})
    kb.sync(tmp_path / "docs")
    assert not broken.exists()


def test_a_passage_that_changed_since_cannot_be_marked(kb: KnowledgeBase, tmp_path: Path) -> None:
    pytest.importorskip("gradio")
    from rag.web.curate import FeedbackForm

    form = FeedbackForm(kb)
    answer = kb.ask("Who opened the harbour of Orsk?")
    hit = next(i for i, hit in enumerate(answer.hits) if hit.source == "known.txt")
    place = form._passage(answer, "Q?", str(hit), "")
    assert place == Evidence("known.txt", answer.hits[hit].start, answer.hits[hit].end)
    write_folder(tmp_path / "docs", {"known.txt": f"New. {KNOWN}"})
    kb.sync(tmp_path / "docs")
    with pytest.raises(QuestionSetError, match="has changed since"):
        form._passage(answer, "Q?", str(hit), "")


def test_what_an_archive_held_is_gone_from_the_indexes_of_sweeps(
    kb: KnowledgeBase, tmp_path: Path
) -> None:
    archive = tmp_path / "docs" / "kept.zip"
    archive.write_bytes(FORMATS[".zip"](f"The {CANARY} sings in the morning."))
    (tmp_path / "docs" / "secret.txt").unlink()
    kb.sync(tmp_path / "docs")
    place = kb.document("kept.zip/a/note.txt").text.index("morning")
    evidence = Evidence("kept.zip/a/note.txt", place, place + 7)
    asked = [GoldQuestion("q", "When does it sing?", ("morning",), (evidence,))]
    combinations = combine(parse_sweep(["chunk_tokens=64"], ["chunk_tokens"]), Settings())
    run_sweep(kb, asked, combinations, Options(retrieval_only=True), sweep_cache(kb.path))
    (cached,) = sweep_cache(kb.path).iterdir()
    assert CANARY.lower().encode() in (cached / "knowledge.sqlite").read_bytes().lower()
    archive.unlink()
    kb.sync(tmp_path / "docs")
    assert holding(kb, CANARY) == set()
