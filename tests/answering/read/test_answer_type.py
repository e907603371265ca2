"""Which type of answer a question asks for, and whether an answer is of it."""

from __future__ import annotations

import pytest

from rag.answering.read.answer_type import answer_type, fits_type


@pytest.mark.parametrize(
    ("question", "fitting", "other"),
    [
        ("When did Lexus first consider it?", "in 2006", "851,200"),
        ("Which year was it?", "the summer of 1969", "52%"),
        ("When was the quarter closed?", "the third quarter", "Shanghai"),
        ("How many cars were sold in 2024?", "181,900 units", "2024"),
        ("how many brothers has she", "three", "Anna"),
        ("What share of the sales was electric?", "52%", "851,200"),
        ("What percentage voted?", "one in four", "1987"),
        ("How long does the charge take?", "10-minute", "Level"),
        ("Who built the bridge?", "Gustave Eiffel", "the bridge"),
        ("Where will the plant stand?", "Jinshan District", "2027"),
        ("Which country was first?", "India", "a country"),
    ],
)
def test_an_answer_is_of_the_type_asked_for(question: str, fitting: str, other: str) -> None:
    assert fits_type(question, fitting) == 1.0
    assert fits_type(question, other) == -1.0


@pytest.mark.parametrize(
    "question", ["What did they build?", "Why was it closed?", "How did it end?", "Which bill?"]
)
def test_any_answer_may_do(question: str) -> None:
    assert answer_type(question) is None
    assert fits_type(question, "anything") == 0.0
