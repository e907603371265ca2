"""Which words two texts share: normalized as they are indexed, in any ending. Pure."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from rag.text.terms import STOP_WORDS, index_terms


def normalize(text: str) -> str:
    """The words of ``text`` without case and punctuation: equal for answers that say the same."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def terms(text: str) -> set[str]:
    """Return the words of ``text`` that carry meaning, normalized as they are indexed."""
    return set(index_terms(text).split()) - STOP_WORDS


def term_coverage(wanted: AbstractSet[str], held: AbstractSet[str]) -> float:
    """Share of the words ``wanted`` that are among ``held``, in any ending; 1 if none is wanted."""
    return sum(_is_held(term, held) for term in wanted) / len(wanted) if wanted else 1.0


def _is_held(term: str, held: AbstractSet[str]) -> bool:
    """Whether a word is there in some form: "produced" is held by "produces"."""
    if term in held:
        return True
    stem = term[: max(4, len(term) - 3)]
    return len(term) > 4 and any(other.startswith(stem) for other in held)
