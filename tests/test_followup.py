"""Follow-up questions."""

import pytest

from rag.followup import has_question, standalone_question

SALES = "How many vehicles did Lexus sell in 2024?"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("And in 2023?", "How many vehicles did Lexus sell in 2023?"),
        ("what about 2022", "How many vehicles did Lexus sell in 2022?"),
        ("And in China?", f"{SALES} And in China?"),
        ("Why?", f"{SALES} Why?"),
        (
            "When did they start to build electric cars?",
            f"{SALES} When did they start to build electric cars?",
        ),
        ("Who founded Tesla?", "Who founded Tesla?"),
        ("When does production of the new model start in Shanghai?",) * 2,
        ("Is there a plant that Toyota runs in India?",) * 2,
    ],
)
def test_what_a_follow_up_takes_from_the_question_before(question: str, expected: str) -> None:
    assert standalone_question(question, [(SALES, "851,200 [1]")]) == expected


def test_a_chain_of_follow_ups() -> None:
    history = [(SALES, "851,200 [1]"), ("And in 2023?", "824,258 [1]")]
    assert (
        standalone_question("And in 2022?", history) == "How many vehicles did Lexus sell in 2022?"
    )


def test_without_history_nothing_changes() -> None:
    assert standalone_question("And in 2023?", []) == "And in 2023?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi", False),
        ("hello!", False),
        ("Thank you", False),
        ("???", False),
        ("What is it?", False),
        ("Lexus", True),
        ("when does it start", True),
        ("销量是多少？", True),
    ],
)
def test_what_is_a_question(text: str, expected: bool) -> None:
    assert has_question(text) is expected
