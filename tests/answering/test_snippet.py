"""What is shown of a passage: the words around what was asked for."""

from __future__ import annotations

import pytest

from rag.answering.snippet import snippet
from rag.types import Chunk, Document, Hit

FILLER = "Nothing of note happened in the valley that day. " * 8
ASKED = "The Lexus plant in Shanghai opens in 2027."


def shown(text: str, question: str = "When does the Lexus plant open?", limit: int = 120) -> str:
    return snippet(
        question, Hit(Chunk(Document("a.txt", text), 0, len(text)), 1.0, 0.5, 1.0), limit
    )


def test_the_sentence_with_the_question_s_words_is_shown_wherever_it_stands() -> None:
    seen = shown(FILLER + ASKED + " " + FILLER)
    assert seen.startswith(f"… {ASKED}")
    assert seen.endswith(" …")


def test_a_short_passage_is_shown_whole() -> None:
    assert shown(f"Before.\n{ASKED}") == f"Before. {ASKED}"


def test_a_long_sentence_is_cut_around_the_words_asked_for() -> None:
    words = "and so on " * 60
    seen = shown(
        f"It began long ago {words}when the Lexus plant in Shanghai opened {words}at last."
    )
    assert "Lexus plant" in seen
    assert seen.startswith("… ")
    assert len(seen) <= 124


@pytest.mark.parametrize("text", ["x" * 500, "- - -", "x " * 300])
def test_any_text_is_cut_at_the_limit(text: str) -> None:
    assert len(shown(text, limit=100)) <= 104
