"""What a statement can be asked for: dates, numbers, shares, sums of money, places, definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.evaluate.draft.names import NAME, PLACE, Names
from rag.text.calendar_names import MONTHS

YEAR = r"(?:1\d|20)\d\d"
_MONTH = "|".join(MONTHS)
_DATE = (
    rf"(?:{_MONTH}) \d{{1,2}}(?:, {YEAR})?|\d{{1,2}} (?:{_MONTH})(?: {YEAR})?"
    rf"|(?:{_MONTH}) {YEAR}|{YEAR}"
)
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?: (?:thousand|million|billion|trillion))?"
_ABOUT = (
    r"(?i:(?:about|around|nearly|over|more than|less than|approximately|almost|up to|at least|some"
    r"|roughly|only|just) )?"
)
_UNITS = "km|kg|cm|mm|mph|MW|GW|kW|kWh|GB|MB|TB|Hz|people|men|women|children"
LEAD = rf"(?:In|On|By|Since) (?:{_DATE}|{NAME}), "
"""Words before the subject that say when or where."""

_PHRASE_ENDS = (
    r"(?=[.,;]|$| (?:and|in|at|for|to|with|as|when|after|before|on|from|by|but|because|while"
    r"|during|under|where|which|following)\b)"
)
_ONE_ENDS = _PHRASE_ENDS.replace("and|", "").replace("[.,;]", "[.;]|,(?! [A-Z])")
"""The same, after what is not one of several."""

_PLURAL = rf"(?:(?:[a-z][a-z-]+ ){{0,2}}?[a-z]{{2,}}[a-rt-z]s|{_UNITS})"
_NO_NOUN = re.compile(
    r"\b(?:is|was|has|as|its|this|thus|of|and|or|in|on|at|to|for|by|per|the|than|from|years? ago"
    r"|times)\b|(?:[uis]s)$"
)

DATE, COUNT, SHARE, MONEY, WHERE, BY, SUBJECT, DEFINITION, ACRONYM = (
    "date", "number", "share", "money", "place", "agent", "name", "definition", "acronym",
)  # fmt: skip

_PATTERNS = {
    DATE: re.compile(
        rf"\b(?P<lead>[Ii]n|[Oo]n|[Bb]y|[Ss]ince|[Uu]ntil) (?P<answer>{_DATE}){_PHRASE_ENDS}"
    ),
    SHARE: re.compile(
        rf"(?<![\w.-])(?P<lead>{_ABOUT})(?P<answer>{_NUMBER} ?(?:%|per ?cent))"
        r"(?=[.,;]|$| (?:of|in|by|from|to|and|on)\b)"
    ),
    COUNT: re.compile(
        rf"(?<![\w$€£¥.,%-])(?<!\ba )(?<!\ban )(?P<lead>{_ABOUT})(?P<answer>{_NUMBER}) "
        rf"(?P<noun>{_PLURAL})(?!\w)"
    ),
    MONEY: re.compile(rf"(?P<lead>{_ABOUT})(?P<answer>[$€£¥] ?{_NUMBER}){_PHRASE_ENDS}"),
    WHERE: re.compile(rf"\b(?P<lead>[Ii]n) (?P<answer>{NAME}){_ONE_ENDS}"),
    BY: re.compile(rf"(?<=ed) (?P<lead>by) (?P<answer>(?:the )?{NAME}){_ONE_ENDS}"),
    SUBJECT: re.compile(rf"^(?P<lead>(?:[Tt]he )?)(?P<answer>{NAME}) (?=[a-z])"),
}
_DEFINES = re.compile(
    r"(?P<subject>(?:(?:The|A|An) )?[A-Z][\w-]*(?: [\w-]+){0,3}) (?P<verb>is|are|was|were) "
    r"(?P<answer>(?:an?|the|one of the) [^,;:()]{12,120}?)"
    r"(?=[.,;]|$| (?:that|which|who|whose|and (?:this|it|is|was|has|\w+ly))\b)"
)
_STANDS_FOR = re.compile(r"(?P<words>(?:[A-Za-z][\w-]*[ ]){2,6})\((?P<acronym>[A-Z]{2,6})s?\)")


@dataclass(frozen=True, slots=True)
class Fact:
    """``text[start:end]`` is the answer; ``lead`` and ``noun`` are the words around that it takes
    with it when it is asked for ("in" 2027; 100,000 "units"). ``low`` and ``high`` bound all."""

    kind: str
    start: int
    end: int
    low: int
    high: int
    lead: str = ""
    noun: str = ""
    subject: str = ""


def facts(text: str, names: Names) -> Iterator[Fact]:
    """Yield the facts of a statement; some may overlap."""
    for kind, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            groups = match.groupdict()
            answer, noun = groups["answer"], groups.get("noun") or ""
            if kind == COUNT and (re.fullmatch(YEAR, answer) or _NO_NOUN.search(noun)):
                continue
            if kind == COUNT and re.search(r"\b[A-Z]\w* $", text[: match.start()]):
                continue  # "Level 3"
            if kind == SUBJECT and answer not in names:
                continue
            if kind == WHERE and (answer not in names or names.kind(answer) != PLACE):
                continue
            if kind == BY and answer.removeprefix("the ") not in names:
                continue
            lead = groups["lead"].strip()
            yield Fact(kind, *match.span("answer"), *match.span(), lead, noun)
    yield from _definitions(text)


def _definitions(text: str) -> Iterator[Fact]:
    match = _DEFINES.match(text)
    if match and not re.search(r"\b(?:and|or|of|there|here|not|only)\b", match["subject"]):
        yield Fact(
            DEFINITION, *match.span("answer"), *match.span(), match["verb"],
            subject=match["subject"],
        )  # fmt: skip
    for match in _STANDS_FOR.finditer(text):
        letters = match["acronym"].lower()
        words = match["words"].split()[-len(letters) :]
        if "".join(word[0].lower() for word in words) == letters:
            end = match.end("words") - 1
            start = end - len(" ".join(words))
            yield Fact(ACRONYM, start, end, *match.span(), subject=match["acronym"])
