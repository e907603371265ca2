"""Whether a passage supports a claim of a language model, and by which of its sentences. Pure.

By words alone: what is said in quite other words counts as unsupported. A claim must share its
words with the sentence, have all its numbers and limiting words ("worldwide", "second") there and
its names in the passage, and neither deny what the sentence says nor put an opposite in its place.
"""

from __future__ import annotations

import re
from itertools import pairwise

from rag.answering.agreement import LIMITING
from rag.answering.read.contrast import NEGATION, stated_instead
from rag.text.overlap import term_coverage, terms
from rag.text.sentences import TextSpan, sentence_spans
from rag.types import Hit

MIN_SUPPORT = 0.5
"""Share of a claim's words that the sentence must hold."""

_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[^\W\d_a-z][\w’'-]+")
_WORD = re.compile(r"\d[\d.,]*\d|[\w’'-]+")
_FIRST_WORD = re.compile(r"\W*([^\W\d_a-z][\w’'-]*)")
_REFERS_BACK = re.compile(r"\W*(?:it|its|they|their|this|these|that|those|he|his|she|her)\b", re.I)

VERBATIM = 0.75
"""Share of a claim's words that the sentence holds from which on the claim repeats it."""

_NEGATED_TERMS = 2
"""Words that carry meaning after a "not" which it may deny."""


def supporting_quote(claim: str, hit: Hit) -> TextSpan | None:
    """Return the sentence of a hit, or two in a row, that supports a claim best; None if none."""
    document = hit.chunk.document
    context = terms(" ".join((document.title, *hit.chunk.headings)))
    wanted = terms(claim)
    names = terms(" ".join(_NAME.findall(claim)))
    if not wanted or term_coverage(names, terms(hit.text) | context) < 1.0:
        return None
    spans = sentence_spans(document.text, hit.start, hit.end)
    pairs = [(a[0], b[1]) for a, b in pairwise(spans) if _REFERS_BACK.match(document.text, b[0])]
    for candidates in (spans, pairs):
        found = [
            (share, -start, end)
            for start, end in candidates
            if (share := _support(claim, wanted, document.text[start:end], context)) is not None
        ]
        if found:
            _, negative_start, end = max(found)
            return -negative_start, end
    return None


def _support(claim: str, wanted: set[str], quote: str, context: set[str]) -> float | None:
    """The share of the claim's words that the quote holds; None where it does not support it."""
    held = terms(quote)
    exact = {word for word in wanted if word[0].isdigit() or word in LIMITING}
    share = term_coverage(wanted, held)
    if share < MIN_SUPPORT and (not held or term_coverage(wanted, held | context) < MIN_SUPPORT):
        return None
    first = _FIRST_WORD.match(claim)
    if first and share >= VERBATIM and term_coverage(terms(first[1]), held | context) < 1.0:
        return None  # the sentence, said of another subject
    if not exact <= held | context or denies(claim, quote) or stated_instead(claim, quote):
        return None
    return share


def denies(one: str, other: str) -> bool:
    """Tell whether one text denies a word that the other has undenied: "did not open", "opened"."""
    a, b = _negated(one), _negated(other)
    return any(
        (_stems(words) & _stems(held)) - _stems(denied)
        for words, held, denied in ((a, terms(other), b), (b, terms(one), a))
    )


def _stems(words: set[str]) -> set[str]:
    return {word[:4] for word in words}


def _negated(text: str) -> set[str]:
    """The terms that follow a "not" or the like."""
    found = set[str]()
    for match in NEGATION.finditer(text):
        rest = (terms(word[0]) for word in _WORD.finditer(text, match.end()))
        found |= set().union(*[term for term in rest if term][:_NEGATED_TERMS])
    return found
