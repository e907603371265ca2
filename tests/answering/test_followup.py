"""Follow-up questions."""

import pytest

from rag.answering.followup import standalone_question
from rag.text.terms import MAX_QUESTION_TERMS, index_terms

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
        ("Is there a subsidy for electric cars in the city?",) * 2,
        ("Which permits does one need to open a bakery this year?",) * 2,
        ("Do all employees receive the same holiday allowance?",) * 2,
        ("How many people work there?", f"{SALES} How many people work there?"),
        ("And that one?", f"{SALES} And that one?"),
        ("What is it?", f"{SALES} What is it?"),
        ("How many of them were sold in China?", f"{SALES} How many of them were sold in China?"),
        ("When did Toyota say that it will open its plant?",) * 2,
        ("Why was Tesla founded?",) * 2,
        ("Why did sales fall?", f"{SALES} Why did sales fall?"),
        ("Who is Musk?",) * 2,
        ("Who are The Who?",) * 2,
        ("What is IT?",) * 2,
        ("Who is the CEO?", f"{SALES} Who is the CEO?"),
    ],
)
def test_what_a_follow_up_takes_from_the_question_before(question: str, expected: str) -> None:
    assert standalone_question(question, [(SALES, "851,200 [1]")]).text == expected


def test_a_chain_of_follow_ups() -> None:
    history = [(SALES, "851,200 [1]"), ("And in 2023?", "824,258 [1]")]
    assert (
        standalone_question("And in 2022?", history).text
        == "How many vehicles did Lexus sell in 2022?"
    )


def ask_all(*questions: str) -> str:
    *before, last = questions
    return standalone_question(last, [(asked, "[1]") for asked in before]).text


def test_a_long_conversation_does_not_pile_up() -> None:
    turns = ["And in China?", "Why?", "When did they start?", "How many people work there?"]
    assert ask_all(SALES, *turns, *turns, "And in India?") == f"{SALES} And in India?"
    assert ask_all(SALES, "And in China?", "And in 2023?", "Why?") == (
        "How many vehicles did Lexus sell in 2023? Why?"
    )


def test_only_the_latest_question_that_stood_alone_counts() -> None:
    assert ask_all(SALES, "Who founded Tesla in 2003?", "Thanks!", "And why?") == (
        "Who founded Tesla in 2003? And why?"
    )
    assert ask_all("Hello!", "What is it?") == "What is it?"


@pytest.mark.parametrize("words", [20, 500])
def test_a_long_question_before_leaves_room_for_the_new_one(words: int) -> None:
    before = " ".join(f"word{n}" for n in range(words)) + "?"
    asked = "How much do they cost in Shanghai?"
    joined = ask_all(before, asked)
    assert joined.startswith("word0 word1 ")
    assert joined.endswith(f" {asked}")
    assert len(index_terms(joined).split()) == min(words + 7, MAX_QUESTION_TERMS)


def test_a_question_that_fills_the_search_takes_nothing_along() -> None:
    asked = "when do they open " + " ".join(f"word{n}" for n in range(80))
    assert ask_all(SALES, asked) == asked


def test_without_history_nothing_changes() -> None:
    assert standalone_question("And in 2023?", []).text == "And in 2023?"
