"""Spans -> what is said: the sentences that hold them, equal answers once, others side by side.

Pure. A span is the shortest exact answer; people want the sentence that it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.cite import folded
from rag.sentences import sentence_spans, spans_over
from rag.types import Span

MOST_STATEMENTS = 3
MOST_CITATIONS = 3
"""Of one statement: further documents that say the same add little."""

NEAR_BEST = 0.8
"""A further statement is made if its probability is this share of the best one's."""

ALSO_ASKED = 0.25
"""The same share where the question asks for several things."""

SAME_ANSWER = 0.4
"""A span with the words of the answer is cited beside it from this share on: a number that stands
by chance in a passage on something else is no support."""

LONGEST_EXPLANATION = 500
"""Characters up to which the sentence that follows is added, where an explanation is asked for."""

_ASKS_SEVERAL = re.compile(
    r"^(?:list|name|enumerate|give)\b|\b(?:which|what|who|where) (?:\w+ )?(?:are|were)\b"
    r"|\b(?:two|three|four|five|six|several|examples|types|kinds|reasons|members|features)\b",
    re.I,
)
_ASKS_EXPLANATION = re.compile(
    r"^\W*(?:why|explain|describe|tell me|what happen\w*|summari[sz]e"
    r"|how(?! (?:many|much|old|long|far|tall|high|large|big|fast|often|wide|deep|heavy)\b))\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """Sentences that say the same, the one to show first; ``answer`` is the span inside it."""

    answer: Span
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Composition:
    """The statements of an answer; ``differ``: documents give different answers to one question."""

    statements: tuple[Statement, ...]
    differ: bool = False


def compose(question: str, spans: Sequence[Span], sure: float) -> Composition:
    """What to say, from spans sorted by probability, of which the first is the answer.

    ``sure`` is the probability from which on a span would be an answer by itself.
    """
    best = spans[0]
    rivals = _rivals(best, spans, sure)
    if rivals:
        chosen = [best, *rivals]
    else:
        share = ALSO_ASKED if _ASKS_SEVERAL.search(question) else NEAR_BEST
        chosen = [best, *_further(best, spans, share)]
    explain = bool(_ASKS_EXPLANATION.search(question))
    statements = [_statement(span, spans, explain=explain) for span in chosen[:MOST_STATEMENTS]]
    if not rivals:
        statements.sort(key=_reading_order(best))
    return Composition(tuple(_without_repeats(statements)), differ=bool(rivals))


def sentence_of(span: Span, *, explain: bool = False) -> Span:
    """The whole sentences that hold a span; with ``explain`` the one after them too, if short."""
    text, hit = span.hit.chunk.document.text, span.hit
    borders = sentence_spans(text, hit.start, hit.end)
    inside = spans_over(borders, span.start, span.end)
    if not inside:
        return span
    first, last = inside[0], inside[-1]
    if explain and last + 1 < len(borders):
        after = borders[last + 1]
        same_paragraph = "\n" not in text[borders[last][1] : after[0]]
        if same_paragraph and after[1] - borders[first][0] <= LONGEST_EXPLANATION:
            last += 1
    start, end = min(borders[first][0], span.start), max(borders[last][1], span.end)
    return replace(span, start=start, end=end)


def _same(one: Span, other: Span) -> bool:
    """Whether two spans give the same answer: one says all the words of the other."""
    a, b = f" {folded(one.text)} ", f" {folded(other.text)} "
    return a in b or b in a


def _rivals(best: Span, spans: Sequence[Span], sure: float) -> list[Span]:
    """Sure spans of other documents with another number or name where the best one has one."""
    found: list[Span] = []
    for span in spans[1:]:
        if span.probability < max(sure, NEAR_BEST * best.probability):
            break
        told = [best, *found]
        other_document = all(span.hit.source != known.hit.source for known in told)
        if other_document and _comparable(best, span) and not any(_same(span, s) for s in told):
            found.append(span)
    return found


def _comparable(one: Span, other: Span) -> bool:
    """Whether two spans could be values of one thing: both with a number, or both without."""
    return any(c.isdigit() for c in one.text) == any(c.isdigit() for c in other.text)


def _further(best: Span, spans: Sequence[Span], share: float) -> list[Span]:
    found: list[Span] = []
    for span in spans[1:]:
        if span.probability < share * best.probability:
            break
        if not any(_same(span, known) for known in [best, *found]):
            found.append(span)
    return found


def _statement(span: Span, spans: Sequence[Span], *, explain: bool) -> Statement:
    equal = [
        other
        for other in spans
        if other is not span
        and other.probability >= SAME_ANSWER * span.probability
        and _same(span, other)
    ]
    sentences: dict[tuple[str, int, int], Span] = {}
    for told in (span, *equal):
        sentence = sentence_of(told, explain=explain and told is span)
        sentences.setdefault((sentence.hit.source, sentence.start, sentence.end), sentence)
    return Statement(span, tuple(sentences.values())[:MOST_CITATIONS])


def _without_repeats(statements: Sequence[Statement]) -> list[Statement]:
    """Statements but those whose sentence another one shows already."""
    kept: list[Statement] = []
    for statement in statements:
        shown = [known.sentences[0] for known in kept]
        if not any(_overlap(statement.sentences[0], sentence) for sentence in shown):
            kept.append(statement)
    return kept


def _overlap(one: Span, other: Span) -> bool:
    return one.hit.source == other.hit.source and one.start < other.end and other.start < one.end


def _reading_order(best: Span) -> Callable[[Statement], tuple[bool, str, int]]:
    """Key that puts the document of the best span first, and each document in its own order."""

    def key(statement: Statement) -> tuple[bool, str, int]:
        span = statement.answer
        return span.hit.source != best.hit.source, span.hit.source, span.start

    return key
