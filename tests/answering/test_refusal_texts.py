"""What tells a user why there is no answer stands in one module."""

from __future__ import annotations

from pathlib import Path

import pytest

import rag
from rag.answering import refusal_texts
from rag.answering.refusal_texts import (
    DETAILS,
    REASONS,
    REFUSAL_TEXT,
    TITLES,
    UNSURE_TEXT,
    WARNINGS,
)

ALL = [REFUSAL_TEXT, UNSURE_TEXT]
ALL += [text for texts in (REASONS, DETAILS, TITLES, WARNINGS) for text in texts.values()]


@pytest.fixture(scope="module")
def others() -> str:
    """The code of every module but that of the texts."""
    files = sorted(Path(rag.__file__).parent.rglob("*.py"))
    return "\n".join(f.read_text() for f in files if f != Path(refusal_texts.__file__))


@pytest.mark.parametrize("text", ALL)
def test_no_other_module_words_it_again(text: str, others: str) -> None:
    assert text.partition("{")[0].strip() not in others


def test_titles_and_warnings_are_of_reasons() -> None:
    assert {*TITLES, *WARNINGS} <= REASONS.keys()
