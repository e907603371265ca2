"""The part of a passage to show first: around the words that matter for the question."""

from __future__ import annotations

from rag.answering.question import analysed
from rag.text.overlap import term_coverage, terms
from rag.text.sentences import sentence_spans
from rag.types import Hit

MAX_SNIPPET_CHARS = 240


def snippet(question: str, hit: Hit, limit: int = MAX_SNIPPET_CHARS) -> str:
    """Return up to ``limit`` characters of a hit, from the sentences with most of the question.

    White space is made blanks; what was left out before or after is marked by an ellipsis.
    """
    text, (start, end) = hit.chunk.document.text, _around(question, hit, limit)
    words = " ".join(text[start:end].split())
    if len(words) > limit:
        words, end = words[:limit].rsplit(" ", 1)[0], start
    before = "… " if text[hit.start : start].strip() else ""
    after = " …" if end == start or text[end : hit.end].strip() else ""
    return f"{before}{words}{after}"


def _around(question: str, hit: Hit, limit: int) -> tuple[int, int]:
    """The best sentence, with those that follow and then those before it while they fit."""
    text, asked = hit.chunk.document.text, analysed(question).terms
    spans = sentence_spans(text, hit.start, hit.end)
    if not spans:
        return hit.start, hit.end
    shares = [term_coverage(asked, terms(text[start:end])) for start, end in spans]
    first = last = shares.index(max(shares))
    while last + 1 < len(spans) and spans[last + 1][1] - spans[first][0] <= limit:
        last += 1
    while first and spans[last][1] - spans[first - 1][0] <= limit:
        first -= 1
    if spans[last][1] - spans[first][0] > limit:
        return _densest(asked, text, *spans[first], limit)
    return spans[first][0], spans[last][1]


def _densest(asked: frozenset[str], text: str, start: int, end: int, limit: int) -> tuple[int, int]:
    """The stretch of a long sentence that begins at a word and holds the most that is asked."""
    step = limit // 4
    begins = [start]
    for at in range(start + step, max(end - limit, start) + step, step):
        blank = text.find(" ", at, end)
        if blank >= 0:
            begins.append(blank + 1)
    shares = [term_coverage(asked, terms(text[at : min(at + limit, end)])) for at in begins]
    return begins[shares.index(max(shares))], end
