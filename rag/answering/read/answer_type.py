"""The type of answer that a question asks for: a time, a share, a count, a person, a place."""

from __future__ import annotations

import re
from typing import NamedTuple

from rag.text.calendar_names import DAYS, MONTHS

_DATES = "|".join(MONTHS + DAYS)
_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fifteen|twenty|thirty|"
    "forty|fifty|sixty|seventy|eighty|ninety|dozen|hundred|thousand|million|billion|trillion|"
    "half|quarter|third|once|twice|both|no|none|zero|several|annual|daily|weekly|monthly"
)

_TIME = re.compile(
    rf"\b(?:1\d|20)\d\d(?:s|\b)|\b(?:{_DATES}|century|centuries|decade|year|month|week|day|"
    r"hour|minute|second|annual|spring|summer|autumn|fall|winter|night|morning|evening|noon|midnight|"
    r"quarter|today|now|since|until|before|after|during|when|ago|era|age|period|season|war|bc|bce|ad|ce|"
    r"am|pm|a\.m|p\.m)(?:s|ly)?\b|\d:\d\d|\b\d{1,2}(?:st|nd|rd|th)\b",
    re.I,
)
_YEAR_ALONE = re.compile(r"^\W*(?:1\d|20)\d\d\W*$")
_SHARE = re.compile(
    r"%|\b(?:per ?cent|half|third|quarter|fifth|fraction|majority|one in)\w*\b", re.I
)
_NUMBER = re.compile(rf"\d|\b(?:{_WORDS}|{_DATES}|century|decade)(?:s|ly)?\b", re.I)
_NAME = re.compile(r"\b[A-Z]")


class AnswerType(NamedTuple):
    """How a question asks for a type of answer, what such answers hold, and what speaks against."""

    name: str
    asked: re.Pattern[str]
    holds: re.Pattern[str]
    never: re.Pattern[str] | None = None


_TYPES = (
    AnswerType(
        "share",
        re.compile(r"\b(?:what|which|how (?:much|many)) (?:percent\w*|share|proportion)\b", re.I),
        _SHARE,
    ),
    AnswerType(
        "time",
        re.compile(
            r"\b(?:when|(?:what|which) (?:year|date|day|month|decade|century|time)|how long ago)\b",
            re.I,
        ),
        _TIME,
        re.compile(r"%|[$€£¥]"),
    ),
    AnswerType(
        "count",
        re.compile(r"\bhow many\b|\bwhat (?:is the |was the )?number\b", re.I),
        _NUMBER,
        _YEAR_ALONE,
    ),
    AnswerType(
        "amount",
        re.compile(
            r"\bhow (?:much|old|long|far|tall|high|large|big|fast|often|wide|deep|heavy)\b|"
            r"\bwhat (?:is the |was the )?(?:range|amount|age|price|cost|speed|population)\b",
            re.I,
        ),
        _NUMBER,
    ),
    AnswerType("person", re.compile(r"\b(?:who|whom|whose)\b", re.I), _NAME, _YEAR_ALONE),
    AnswerType(
        "place",
        re.compile(r"\bwhere\b|\b(?:what|which) (?:country|city|state|town|continent)\b", re.I),
        _NAME,
        _YEAR_ALONE,
    ),
)


def answer_type(question: str) -> AnswerType | None:
    """The type that a question asks for; None for one that may be answered by anything."""
    return next((kind for kind in _TYPES if kind.asked.search(question)), None)


def fits_type(question: str, answer: str) -> float:
    """1 if an answer is of the type that the question asks for, -1 if not, 0 if any would do."""
    kind = answer_type(question)
    if kind is None:
        return 0.0
    refuted = kind.never is not None and kind.never.search(answer) is not None
    return 1.0 if kind.holds.search(answer) and not refuted else -1.0
