"""Spans -> what is said: the sentences that hold them, equal answers once, others side by side.

Pure. A span is the shortest exact answer; people want the sentence that it stands in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.answering.agreement import contradict, same_words, supports
from rag.answering.question import Question
from rag.text.sentences import sentence_spans, spans_over
from rag.types import Span

MAX_STATEMENTS = 3
MAX_CITATIONS = 3
"""Of one statement: further documents that say the same add little."""

NEAR_BEST = 0.8
"""A further statement is made if its probability is this share of the best one's."""

ALSO_ASKED = 0.25
"""The same share where the question asks for several things."""

MAX_EXPLANATION_CHARS = 500
"""Characters up to which the sentence that follows is added, where an explanation is asked for."""


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


def compose(question: Question, spans: Sequence[Span], threshold: float) -> Composition:
    """Return what to say, from spans sorted by probability, of which the first is the answer.

    ``threshold`` is the probability from which on a span would be an answer by itself.
    """
    best = spans[0]
    sure = [span for span in spans if span.probability >= threshold]
    rivals = _rivals(question, best, sure)
    if rivals:
        chosen = [best, *rivals]
    else:
        share = ALSO_ASKED if question.asks_for_several else NEAR_BEST
        chosen = [best, *_further(best, spans, share)]
    explain = question.asks_for_explanation
    statements = [
        _statement(question, span, sure, explain=explain) for span in chosen[:MAX_STATEMENTS]
    ]
    if not rivals:
        statements.sort(key=_reading_order(best))
    return Composition(tuple(_without_repeats(statements)), differ=bool(rivals))


def sentence_of(span: Span, *, explain: bool = False) -> Span:
    """Return the whole sentences that hold a span.

    With ``explain`` the one after them too, if short.
    """
    text, hit = span.hit.chunk.document.text, span.hit
    borders = sentence_spans(text, hit.start, hit.end)
    inside = spans_over(borders, span.start, span.end)
    if not inside:
        return span
    first, last = inside[0], inside[-1]
    if explain and last + 1 < len(borders):
        after = borders[last + 1]
        same_paragraph = "\n" not in text[borders[last][1] : after[0]]
        if same_paragraph and after[1] - borders[first][0] <= MAX_EXPLANATION_CHARS:
            last += 1
    start, end = min(borders[first][0], span.start), max(borders[last][1], span.end)
    return replace(span, start=start, end=end)


def _rivals(question: Question, best: Span, sure: Sequence[Span]) -> list[Span]:
    """Sure spans of other documents that give another value for what the best one tells."""
    found: list[Span] = []
    for span in sure[1:]:
        told = [best, *found]
        if all(
            span.hit.source != known.hit.source
            and contradict(question, (known, sentence_of(known)), (span, sentence_of(span)))
            for known in told
        ):
            found.append(span)
    return found


def _further(best: Span, spans: Sequence[Span], share: float) -> list[Span]:
    found: list[Span] = []
    for span in spans[1:]:
        if span.probability < share * best.probability:
            break
        if not any(same_words(span.text, known.text) for known in [best, *found]):
            found.append(span)
    return found


def _statement(question: Question, span: Span, sure: Sequence[Span], *, explain: bool) -> Statement:
    """The span's sentence, and those that state the same and would answer by themselves."""
    first = sentence_of(span)
    sentences = [sentence_of(span, explain=explain)]
    seen = {(first.hit.source, first.start, first.end)}
    for other in sure:
        sentence = sentence_of(other)
        place = (sentence.hit.source, sentence.start, sentence.end)
        if place not in seen and same_words(span.text, other.text):
            seen.add(place)
            if supports(question, first, sentence, other):
                sentences.append(sentence)
    return Statement(span, tuple(sentences[:MAX_CITATIONS]))


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
