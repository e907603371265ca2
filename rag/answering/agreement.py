"""Whether documents agree: two sentences give the same answer, or another value for one fact.

Pure, and careful: what is not plainly about the same thing is taken to be about another one. A
citation too few costs little; "the documents do not agree" where they do costs trust.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from rag.answering.question import Question
from rag.answering.read.contrast import neighbours
from rag.text.calendar_names import DAYS, MONTHS
from rag.text.overlap import normalize, term_coverage, terms
from rag.text.sentences import sentence_spans
from rag.types import Span

MIN_SHARED_TERMS = 0.5
"""Share of a sentence's terms, its answer's left out, that the other sentence must hold."""

ROUNDING = 0.05
"""Two numbers are one number rounded if they differ by less than this share and one says so."""

_ONE_PERSON = re.compile(
    r"\bwho\s(?:(?:is|was)\s(?:the|its|their|our)\b|(?:leads?|led|heads?|headed|runs?|ran|chairs?"
    r"|chaired|directs?|directed|won|owns?|owned|succeeded|replaced)\b)",
    re.I,
)
"""Questions that one person answers. A place is never taken: one may lie in the other."""
_DATE = re.compile(rf"\b(?:1\d|20)\d\d\b|\b(?:{'|'.join(MONTHS + DAYS)})\b", re.I)
_MONEY = re.compile(
    r"[$€£¥]|\b(?:dollars?|euros?|pounds?|yen|yuan|usd|eur|gbp|francs?|cents)\b", re.I
)
_SHARE = re.compile(r"%|\bper ?cent\b|\bpercentage points?\b", re.I)
_NUMBER = re.compile(r"\d[\d,.\u00a0\u202f]*\d|\d")
_UNIT = re.compile(r"(?:\d|\b(?:hundred|thousand|million|billion|trillion))[\s-]*([^\W\d_]+)\W*$")
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SCALE = re.compile(rf"\b({'|'.join(_SCALES)})\b", re.I)
_ROUNDED = re.compile(
    r"\b(?:about|around|roughly|approximately|approx|nearly|almost|some|over|more than|up to|at "
    r"least|under|less than|circa|ca)\b|[~≈]",
    re.I,
)
_CAPITAL = re.compile(r"[^\W\d_a-z][\w’'-]*")
LIMITING = frozenset(
    """
    actual annual annually average combined daily domestic estimated expected first forecast former
    global globally gross half hourly initial initially international last local maximum minimum
    monthly national net new next old original originally overseas planned previous previously
    provisional quarter quarterly revised second target third total weekly worldwide yearly
    """.split()
)
"""Words that say which of several values is meant; what differs in them is another value."""


def same_words(one: str, other: str) -> bool:
    """Tell whether two answers are the same: one has all the words of the other, in order."""
    a, b = f" {normalize(one)} ", f" {normalize(other)} "
    return a in b or b in a


def supports(question: Question, sentence: Span, other: Span, answer: Span) -> bool:
    """Tell whether ``other``, which holds the answer too, states what ``sentence`` states.

    "Mass production of batteries begins by 2027" has the year of "Production begins in 2027", and
    is about something else.
    """
    wanted = terms(other.text) - terms(answer.text)
    held = terms(sentence.text) | question.terms
    return term_coverage(wanted, held) >= MIN_SHARED_TERMS


def contradict(question: Question, one: tuple[Span, Span], other: tuple[Span, Span]) -> bool:
    """Tell whether two ``(answer, sentence)`` give different values for the same thing.

    They must be of one kind, differ in more than rounding, and their sentences must be about the
    same names, times and scope. Definitions, lists and free wording never contradict.
    """
    if question.asks_for_several:
        return False
    (answer_a, sentence_a), (answer_b, sentence_b) = one, other
    if not _differ(question, answer_a, sentence_a, answer_b, sentence_b):
        return False
    asked = question.terms
    known = asked | terms(answer_a.text) | terms(answer_b.text)
    rest_a = terms(sentence_a.text) - terms(answer_a.text)
    rest_b = terms(sentence_b.text) - terms(answer_b.text)
    if _limits(answer_a, sentence_a) - asked != _limits(answer_b, sentence_b) - asked:
        return False
    shared = min(term_coverage(rest_a, rest_b | asked), term_coverage(rest_b, rest_a | asked))
    return (
        shared >= MIN_SHARED_TERMS
        and not _other_kind(known, sentence_a.text, sentence_b.text)
        and _same_subject(question, (answer_a, sentence_a), (answer_b, sentence_b))
    )


def value_kind(answer: str, question: str = "") -> str:
    """Return what kind of value an answer is: share, money, date, number, name; "" if none."""
    if _SHARE.search(answer):
        return "share"
    if _MONEY.search(answer):
        return "money"
    if _DATE.search(answer):
        return "date"
    if _NUMBER.search(answer):
        return "number"
    return "name" if _ONE_PERSON.search(question) and answer[:1].isupper() else ""


def _differ(question: Question, a: Span, in_a: Span, b: Span, in_b: Span) -> bool:
    """Whether two answers are different values of one kind."""
    kind = value_kind(a.text, question.text)
    if not kind or kind != value_kind(b.text, question.text) or same_words(a.text, b.text):
        return False
    if kind == "name":
        return not terms(a.text) & terms(b.text)
    if kind == "date":  # "5 March" and "2027" may both be right
        return len(normalize(a.text).split()) == len(normalize(b.text).split())
    units = {match[1].lower().rstrip("s") for s in (a, b) if (match := _UNIT.search(s.text))}
    if len(units - set(_SCALES)) > 1:
        return False
    low, high = sorted((_amount(a.text), _amount(b.text)))
    rounded = any(
        _ROUNDED.search(_before(span, sentence)) for span, sentence in ((a, in_a), (b, in_b))
    )
    return high - low > (ROUNDING * high if rounded else 0.0)


def _other_kind(known: AbstractSet[str], one: str, other: str) -> bool:
    """Whether different words stand before the same one: the *child* and the *adult* ticket.

    ``known`` are the terms of the question and of the answers, which may differ.
    """
    a, b = neighbours(one), neighbours(other)
    only_a, only_b = (
        {pair for word in x if word not in y and terms(word) - known for pair in x[word]}
        for x, y in ((a, b), (b, a))
    )
    return any(side == 1 for side, _ in only_a & only_b)


def _before(span: Span, sentence: Span) -> str:
    """What the sentence says just before the answer, and the answer."""
    text = span.hit.chunk.document.text
    return text[max(sentence.start, span.start - 12) : span.end]


def _amount(text: str) -> float:
    """The first number of a text, its scale counted."""
    match = _NUMBER.search(text)
    digits = re.sub(r"[,\u00a0\u202f](?=\d{3})", "", match[0]) if match else "0"
    try:
        value = float(digits.replace(",", "."))
    except ValueError:  # "1.2.3" is a version
        return 0.0
    scale = _SCALE.search(text)
    return value * (_SCALES[scale[1].lower()] if scale else 1.0)


def _limits(answer: Span, sentence: Span) -> set[str]:
    """The names, numbers and limiting words that say what a sentence's value is of."""
    told = terms(sentence.text)
    found = {word for word in told if word in LIMITING or word[0].isdigit()}
    return (found | _names(sentence)) - terms(answer.text)


def _names(sentence: Span) -> set[str]:
    """The capitalised words; one that begins a sentence only if it is capitalised elsewhere too."""
    hit = sentence.hit
    text = hit.chunk.document.text
    starts = {start for start, _ in sentence_spans(text, hit.start, hit.end)}
    found = list(_CAPITAL.finditer(text, hit.start, hit.end))
    inner = set().union(*(terms(m[0]) for m in found if m.start() not in starts))
    own = (m for m in found if sentence.start <= m.start() < sentence.end)
    return set().union(*(terms(m[0]) for m in own)) & inner


def _same_subject(question: Question, one: tuple[Span, Span], other: tuple[Span, Span]) -> bool:
    """Whether both sentences name what they are about, or stand in documents of one title.

    "The battery lasts 8 hours" in two manuals is about two batteries.
    """
    (answer_a, in_a), (answer_b, in_b) = one, other
    named = (_names(in_a) - terms(answer_a.text)) & (_names(in_b) - terms(answer_b.text))
    asked = terms(" ".join(m[0] for m in _CAPITAL.finditer(question.text) if m.start()))
    if named or (asked and asked <= terms(in_a.text) & terms(in_b.text)):
        return True
    titles = [normalize(s.hit.chunk.document.title) for s in (in_a, in_b)]
    return titles[0] == titles[1] or not all(titles)
