"""What is seen of a question by itself."""

from __future__ import annotations

import pytest

from rag.answering.question import Question, analysed


def test_the_parts_of_a_question() -> None:
    question = Question("When did Lexus sell 851,200 cars in the USA?")
    assert question.terms == {"lexus", "sell", "851200", "cars", "usa"}
    assert question.names == {"lexus", "usa"}
    assert question.numbers == {"851200"}
    assert question.words_of(question.names | question.numbers) == ["Lexus", "851,200", "USA"]


@pytest.mark.parametrize(
    ("text", "care"),
    [("when does it start", 0.0), ("When does it start", 0.5), ("when?", 0.5), ("When?", 1.0)],
)
def test_how_carefully_it_was_typed(text: str, care: float) -> None:
    assert Question(text).care == care


def test_a_question_is_analysed_once() -> None:
    assert analysed("Who leads Acura?") is analysed("Who leads Acura?")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi", False),
        ("hello!", False),
        ("Thank you", False),
        ("???", False),
        ("What is it?", False),
        ("Hello, what is it?", False),
        ("Lexus", True),
        ("Who are The Who?", True),
        ("What is IT?", True),
        ("WHAT IS IT?", False),
        ("What can I do?", False),
        ("when does it start", True),
        ("销量是多少？", True),
    ],
)
def test_what_is_a_question(text: str, expected: bool) -> None:
    assert Question(text).has_subject is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thanks!", True),
        ("Thank you very much for your help!", True),
        ("Good morning", True),
        ("ok, great", True),
        ("???", True),
        ("What is it?", False),
        ("Ok, why?", False),
        ("Is it good?", False),
        ("Thanks, and in 2023?", False),
        ("Help", False),
    ],
)
def test_what_asks_nothing_whatever_was_said_before(text: str, expected: bool) -> None:
    assert Question(text).is_small_talk is expected


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("Which boxes are red?", True),
        ("Which brands failed in China?", True),
        ("List the suppliers", True),
        ("Name three reasons", True),
        ("When does production start?", False),
        ("What is the notice period?", False),
        ("How many vehicles did Lexus sell?", False),
        ("What was the loss?", False),
    ],
)
def test_questions_that_a_list_may_answer(question: str, several: bool) -> None:
    assert Question(question).asks_for_several is several
