"""Whether a sentence supports a claim: words, numbers, names, negation, opposites."""

from __future__ import annotations

import pytest

from rag.answering.support import denies, supporting_quote
from rag.types import Chunk, Document, Hit

TEXT = (
    "Lexus sold 851,200 vehicles worldwide in 2024. In China, Lexus sold 181,900 units. "
    "The plant in Shanghai did not open in 2026. It has a workforce of 1,000 employees. "
    "Prices rose in the second half."
)
HIT = Hit(Chunk(Document("a.txt", TEXT, title="Report of Toyota"), 0, len(TEXT)), 1.0, 0.5, 3.0)


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        ("Lexus sold 851,200 vehicles in 2024.", "Lexus sold 851,200 vehicles worldwide in 2024."),
        ("Toyota's Lexus sold 181,900 units.", "In China, Lexus sold 181,900 units."),
        ("The plant did not open in 2026.", "The plant in Shanghai did not open in 2026."),
        ("It employs 1,000 employees.", "It has a workforce of 1,000 employees."),
        # a number of another sentence, another name, denied, its opposite, said of nothing
        ("Lexus sold 181,900 vehicles worldwide.", None),
        ("Acura sold 851,200 vehicles worldwide in 2024.", None),
        ("Vehicles that Acura sold worldwide: 851,200.", None),
        ("Lexus did not sell 851,200 vehicles worldwide in 2024.", None),
        ("The plant in Shanghai opened in 2026.", None),
        ("Prices fell in the second half.", None),
        ("Prices rose in the first half.", None),
        ("The chairman resigned.", None),
    ],
)  # fmt: skip
def test_what_supports_a_claim(claim: str, quote: str | None) -> None:
    found = supporting_quote(claim, HIT)
    assert (TEXT[slice(*found)] if found else None) == quote


def test_denial_in_either_text() -> None:
    assert denies("It did not open.", "It opened.")
    assert denies("It opened.", "It never opened.")
    assert not denies("It did not open.", "It never opened.")
    assert not denies("It opened in May, not counting the test.", "It opened in May.")
