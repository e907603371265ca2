"""Question sets: what is read, and how what is wrong is explained."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from samples import MakeKb

from rag.errors import QuestionSetError
from rag.evaluate import evaluate
from rag.question_sets import Evidence, GoldQuestion, QuestionFile, check_evidence, read_questions

GOOD = {"id": "a", "question": "Q?", "answers": [], "evidence": []}


def line(**values: Any) -> str:
    return json.dumps(GOOD | {"id": "b"} | values)


def evidence(*spans: tuple[str, int, int]) -> list[dict[str, Any]]:
    return [{"source": source, "start": start, "end": end} for source, start, end in spans]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: not an object"),
        ("[" * 100_000, "line 2: n"),
        ('{"id": "b", "question": "Q?", "answers": []}', "'evidence' is missing"),
        (line(id=None), "'id' is not a text"),
        (line(question=" "), "'question' is blank"),
        (line(answers="x"), "'answers' is not a list"),
        (line(answers=[" "]), "'answers' is not a list"),
        (line(id="a"), "id 'a' stands in line 1 already"),
        (line(answers=["x"]), "'evidence' is empty, but there are answers"),
        (line(answers=None), "'evidence' is empty, but there are answers"),
        (line(evidence=evidence(("a.txt", 0, 1))), "'answers' is empty, but there is evidence"),
        (line(evidence={}), "'evidence' is not a list"),
        (line(evidence=["a.txt"]), "'evidence[0]' is not an object"),
        (line(evidence=[{"source": "a.txt", "start": 0}]), "'evidence[0]' lacks 'end'"),
        (line(evidence=evidence(("a.txt", 0, True))), "whole numbers 'start' and 'end'"),
        (line(evidence=evidence(("a.txt", 5, 5))), "from 5 to 5 is no span"),
        (line(question="Q" * 1_000_000), "longer than 1,000,000 characters"),
        ('{"id": "\\ud83d"}', "holds \\ud83d, which is half a character"),
        ('{"id": %s}' % ("9" * 5000), "not JSON: "),
    ],
)
def test_a_malformed_line_is_explained(tmp_path: Path, bad: str, said: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n{bad}\n", encoding="utf-8")
    with pytest.raises(QuestionSetError, match=r"set\.jsonl, line 2") as error:
        read_questions(path)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no questions: write one JSON object a line"),
        (b"\n \n", "holds no questions"),
        (b'{"id": "\xff"}', "is not UTF-8"),
        (None, "No such file"),
    ],
)
def test_a_file_without_questions_is_explained(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "set.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(QuestionSetError, match=r"set\.jsonl") as error:
        QuestionFile(path)
    assert said in str(error.value)


def test_lines_become_questions(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    spans = evidence(("a.txt", 0, 3), ("b.txt", 5, 9))
    lines = [
        json.dumps(GOOD),
        "",
        line(answers=["x"], evidence=spans, draft=True),
        line(id=7, answers=None, evidence=spans[:1]),
    ]
    path.write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    first, second, third = questions = read_questions(path)
    assert first == GoldQuestion("a", "Q?", (), ())
    assert (first.answerable, first.answers_known) == (False, True)
    places = (Evidence("a.txt", 0, 3), Evidence("b.txt", 5, 9))
    assert second == GoldQuestion("b", "Q?", ("x",), places)
    assert second.sources == ("a.txt", "b.txt")
    assert (third.id, third.answerable, third.answers_known) == ("7", True, False)
    assert [question.to_dict() for question in questions] == [
        {name: value for name, value in json.loads(line).items() if name != "draft"} | {"id": name}
        for line, name in zip(filter(None, lines), ("a", "b", "7"), strict=True)
    ]


TEXTS = {"a.txt": "Apples cost 5 € in “May”."}


@pytest.mark.parametrize(
    ("answers", "span", "said"),
    [
        (("5 €",), ("b.txt", 0, 3), "holds no document 'b.txt'; index the folder"),
        (("5 €",), ("a.txt", 0, 99), "ends at 99, but 'a.txt' has 25 characters"),
        (("pears", "6 €"), ("a.txt", 0, 6), "reads 'Apples', which holds none of the answers"),
        (("$",), ("a.txt", 0, 6), "reads 'Apples', which holds none of the answers"),
    ],
)
def test_evidence_that_the_documents_do_not_bear_out(
    make_kb: MakeKb, tmp_path: Path, answers: tuple[str, ...], span: tuple[str, int, int], said: str
) -> None:
    kb = make_kb(TEXTS)
    question = GoldQuestion("q", "What?", answers, (Evidence("a.txt", 12, 15), Evidence(*span)))
    if "none of" in said:
        question = GoldQuestion("q", "What?", answers, (Evidence(*span),))
    with pytest.raises(QuestionSetError, match="question 'q', 'evidence") as error:
        evaluate(kb, [question])
    assert said in str(error.value)
    path = tmp_path / "set.jsonl"
    path.write_text("\n" + json.dumps(question.to_dict()), encoding="utf-8")
    with pytest.raises(QuestionSetError, match=r"set\.jsonl, line 2, question 'q'"):
        evaluate(kb, QuestionFile(path))


@pytest.mark.parametrize(
    ("answer", "span"),
    [("5€", (12, 15)), ("may", (16, 24)), ("in May", (20, 23)), ("5 €", (0, 25)), ("€", (14, 15))],
)
def test_evidence_may_differ_in_case_spacing_and_length(answer: str, span: tuple[int, int]) -> None:
    question = GoldQuestion("q", "What?", (answer,), (Evidence("a.txt", *span),))
    check_evidence([question], TEXTS.__getitem__)


def test_answers_in_other_words_are_allowed_on_request() -> None:
    question = GoldQuestion("q", "Are apples dear?", ("no",), (Evidence("a.txt", 0, 15),))
    with pytest.raises(QuestionSetError, match="--reworded"):
        check_evidence([question], TEXTS.__getitem__)
    check_evidence([question], TEXTS.__getitem__, reworded=True)


@pytest.mark.slow
def test_a_hundred_thousand_lines_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    filler = "what is the colour of " * 40
    with path.open("w", encoding="utf-8") as file:
        for number in range(100_000):
            file.write(line(id=str(number), question=filler) + "\n")
    assert path.stat().st_size > 90e6
    tracemalloc.start()
    try:
        questions = QuestionFile(path)
        assert sum(question.question == filler for question in questions) == 100_000
        assert len(questions) == 100_000
        assert tracemalloc.get_traced_memory()[1] < 30e6  # the ids, and one line at a time
    finally:
        tracemalloc.stop()
