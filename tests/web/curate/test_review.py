"""Reviewing drafts, and feedback that becomes a question set."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock
from samples import write_folder

from rag.cli import main
from rag.errors import QuestionSetError
from rag.question_sets import Evidence, GoldQuestion, read_questions
from rag.question_sets.feedback import FILE, Feedback, save_feedback
from rag.question_sets.kept import LOCK
from rag.question_sets.reviewing import Waiting, accept, drop, waiting

TEXT = "Lexus sold 851,200 vehicles worldwide in 2024. Production is expected to begin in 2027."
SOLD = Evidence("lexus.txt", TEXT.index("851,200"), TEXT.index("851,200") + 7)
DRAFTS: list[dict[str, Any]] = [
    {"id": "a", "question": "A?", "answers": ["851,200"], "evidence": [SOLD.to_dict()],
     "draft": True, "kind": "number", "near": SOLD.to_dict()},
    {"id": "b", "question": "B?", "answers": [], "evidence": [], "draft": True,
     "kind": "near miss", "near": SOLD.to_dict()},
    {"id": "c", "question": "C?", "answers": [], "evidence": [], "note": "mine"},
]  # fmt: skip


def text_of(source: str) -> str:
    return {"lexus.txt": TEXT, "gone.txt": "Gone."}[source]


def digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


@pytest.fixture
def drafts(tmp_path: Path) -> Path:
    path = tmp_path / "drafts.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in DRAFTS), encoding="utf-8")
    return path


def test_drafts_wait_until_they_are_decided_on(drafts: Path) -> None:
    first, second = waiting(drafts)
    assert first == Waiting(GoldQuestion("a", "A?", ("851,200",), (SOLD,)), "number", SOLD)
    accept(drafts, first, " How many? ", ["851,200 vehicles", ""], text_of)
    passage = {"source": "lexus.txt", "start": 0, "end": 46, "sha256": digest(TEXT[:46])}
    assert [one.question.id for one in waiting(drafts)] == ["b"]
    drop(drafts, second)
    assert waiting(drafts) == []
    lines = [json.loads(line) for line in drafts.read_text(encoding="utf-8").splitlines()]
    assert lines[1] == DRAFTS[2]
    (place,) = lines[0]["evidence"]
    assert TEXT[place["start"] : place["end"]] == "851,200 vehicles"
    assert lines[0] == {
        "id": "a", "question": "How many?", "answers": ["851,200 vehicles"], "evidence": [place],
        "from": [passage],
    }  # fmt: skip
    read_questions(drafts)


def test_a_near_miss_can_get_an_answer_and_a_question_lose_it(drafts: Path) -> None:
    first, second = waiting(drafts)
    assert accept(drafts, first, "A?", [], text_of) == GoldQuestion("a", "A?", (), ())
    place = Evidence("lexus.txt", TEXT.index("2027"), TEXT.index("2027") + 4)
    assert accept(drafts, second, "B?", ["2027"], text_of).evidence == (place,)


def test_what_cannot_be_accepted_changes_nothing(drafts: Path) -> None:
    before = drafts.read_bytes()
    first, _ = waiting(drafts)
    for question, answers, said in (
        ("A?", ["900"], "'900' does not stand within"),
        (" ", ["851,200"], "the question is blank"),
    ):
        with pytest.raises(QuestionSetError, match=said):
            accept(drafts, first, question, answers, text_of)
    assert drafts.read_bytes() == before
    drop(drafts, first)
    with pytest.raises(QuestionSetError, match="no draft 'a' any more"):
        drop(drafts, first)
    assert {path.name for path in drafts.parent.iterdir()} <= {"drafts.jsonl", LOCK}


PASSAGE = Evidence("lexus.txt", 0, 46)


def test_feedback_becomes_a_line() -> None:
    def line(**values: Any) -> tuple[Any, Any, Any]:
        found = Feedback("How many?", **values).line(text_of)
        return found["answers"], found["evidence"], found["complete"]

    assert line(passage=PASSAGE, words="851,200") == (["851,200"], [SOLD.to_dict()], True)
    assert line(passage=PASSAGE) == (None, [PASSAGE.to_dict()], True)
    assert line(not_stated=True, passage=PASSAGE) == ([], [], True)
    assert line(words="851,200") == (None, [], False)
    with pytest.raises(QuestionSetError, match="does not stand in the marked passage"):
        line(passage=PASSAGE, words="2027")


def rag(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_feedback_is_exported_and_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_EMBEDDER", "hashing")
    write_folder(tmp_path / "docs", {"lexus.txt": TEXT})
    rag("index", "docs")
    refused = rag("questions", "export", "--out", "set.jsonl")
    assert (refused.exit_code, Path("set.jsonl").exists()) == (1, False)
    assert "no feedback in 'index'" in refused.stderr
    gone = Evidence("gone.txt", 0, 3)
    for feedback in (
        Feedback("How many?", PASSAGE),
        Feedback("how many?", PASSAGE, "851,200", said={"refused": True}),  # the same question
        Feedback("Why?", not_stated=True),
        Feedback("Who?"),
        Feedback("Where?", gone),
    ):
        save_feedback(Path("index"), feedback.line(text_of))
    assert len(Path("index", FILE).read_text(encoding="utf-8").splitlines()) == 4
    report = json.loads(rag("questions", "export", "--out", "set.jsonl", "--json").stdout)
    assert (report["imported"], report["answerable"]) == (2, 1)
    assert [remark["reason"][:30] for remark in report["skipped"]] == [
        "not complete: nobody marked th",
        "the index holds no document 'g",
    ]
    first, second = read_questions(Path("set.jsonl"))
    assert (first.question, first.answers, first.evidence) == ("how many?", ("851,200",), (SOLD,))
    assert (second.question, second.answerable) == ("Why?", False)
    assert rag("questions", "check", "set.jsonl").exit_code == 0
    over = rag("questions", "export", "--out", str(Path("index", FILE)))
    assert (over.exit_code, "it is read; name another file" in over.stderr) == (1, True)
    for source in ("set.jsonl", str(Path("index", FILE))):
        assert rag("questions", "import", source, "--out", "again.jsonl").exit_code == 0
        assert Path("again.jsonl").read_bytes() == Path("set.jsonl").read_bytes()


def test_the_page_opens_no_file_but_those_of_the_index(tmp_path: Path) -> None:
    pytest.importorskip("gradio")
    from rag import KnowledgeBase, Settings
    from rag.errors import NotFoundError
    from rag.web.curate import DraftReview

    with KnowledgeBase(tmp_path / "index", Settings(embedder="hashing")) as kb:
        review = DraftReview(kb)
        assert review.files() == []
        kb.path.mkdir()
        for name in ("drafts.jsonl", FILE, "knowledge.txt"):
            (kb.path / name).write_text("", encoding="utf-8")
        (tmp_path / "secret.jsonl").write_text("", encoding="utf-8")
        assert review.files() == ["drafts.jsonl"]
        # A draft whose document is gone is shown with the reason, and can be dropped.
        assert "no document" in review._context(Evidence("gone.txt", 0, 3))
        with pytest.raises(NotFoundError):
            review._path("../secret.jsonl")


def test_one_who_rewrites_the_file_waits_for_the_other(drafts: Path) -> None:
    first, second = waiting(drafts)
    threads = [
        threading.Thread(target=accept, args=(drafts, draft, "Q?", [], text_of))
        for draft in (first, second)
    ]
    with FileLock(drafts.parent / LOCK):
        for thread in threads:
            thread.start()
        threads[0].join(0.2)
        assert len(waiting(drafts)) == 2
    for thread in threads:
        thread.join()
    assert waiting(drafts) == []
    assert [question.question for question in read_questions(drafts)] == ["Q?", "Q?", "C?"]
