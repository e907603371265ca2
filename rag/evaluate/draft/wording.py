"""A statement and one of its facts -> a question that asks for the fact."""

from __future__ import annotations

import re

from rag.evaluate.draft import facts
from rag.evaluate.draft.facts import Fact
from rag.evaluate.draft.grammar import ENDS_WITH_VERB, NO_SUBJECT, invert, is_verb, verb_at
from rag.evaluate.draft.names import Names, find_names

FRONTED, IN_PLACE = 2, 1
"""How natural a wording is: "When will it begin?", or "It will begin in which year?"."""

_CUT = re.compile(r",(?!\d)(?! \d{4}\b)|;| [—–] |—|: ")
_MIN_WORDS = 4
_MANY_WORDS = 5
"""Longer words with which a question without a name tells well enough what it is about."""
_UNCLEAR = re.compile(r"\b(?:this|these|those|such|former|latter|it|I|we|our|my|you|your)\b", re.I)
_SUBORDINATE = re.compile(
    r"\b(?:that|which|who|whose|where|when|while|because|after|before|since|than|until|if|as|how|what"
    r"|whether)\b|\b(?:and|but) \w+ed\b"
)
_OWN = re.compile(r"\b(?:its|his|her|their|they|he|she|him|them)\b", re.I)
_VAGUE = re.compile(
    r"\b[Tt]he (?:company|firm|project|plant|brand|team|author|city|country|group|club|region"
    r"|following|move|building|film|book|band|game|area|population|term|word|name|event|war)\b"
)
_PERSON = re.compile(
    r"\b(?:physicist|chemist|biologist|scientist|mathematician|engineer|politician|president"
    r"|minister|founder|actor|actress|author|writer|poet|composer|painter|artist|singer|musician"
    r"|king|queen|emperor|general|philosopher|historian|lawyer|journalist|director|inventor|player"
    r"|coach|professor|explorer|economist|saint|monk|bishop|pope|student|leader|son|daughter|soldier"
    r"|officer|governor|chancellor|prince|princess|duke|captain|man|woman|person|champion|winner)\b"
)
_WHEN = {"in": "When", "on": "When", "by": "By when", "since": "Since when", "until": "Until when"}


def ask(text: str, fact: Fact, names: Names) -> tuple[str, int] | None:
    """Return the question and how natural it is; None where none would be sensible."""
    if fact.kind in (facts.DEFINITION, facts.ACRONYM):
        asked = _define(text, fact, names)
        found = (asked, FRONTED) if asked else None
    else:
        found = _ask_about(text, fact, names)
    if found is None or not _is_clear(found[0], fact, text):
        return None
    return found


def _define(text: str, fact: Fact, names: Names) -> str | None:
    if fact.kind == facts.ACRONYM:
        return f"What does {fact.subject} stand for?"
    parts = fact.subject.split()
    if not find_names(f"x {' '.join(parts[1:])}") and (len(parts) > 2 or parts[0] == "The"):
        return None
    if NO_SUBJECT.search(fact.subject):
        return None
    if _VAGUE.search(fact.subject) or re.search(r"(?:ing|ed|ly|s’|'s|’s)\b", fact.subject):
        return None
    first, _, others = fact.subject.partition(" ")
    subject = f"{names.uncapital(first)} {others}".strip()
    is_person = _PERSON.search(text[fact.start : fact.end]) or text[fact.end :].startswith(" who")
    word = "Who" if is_person else "What"
    return f"{word} {fact.lead} {subject}?"


def _ask_about(text: str, fact: Fact, names: Names) -> tuple[str, int] | None:
    clause, shift = _clause(text, fact)
    if clause is None:
        return None
    low, high = fact.low - shift, fact.high - shift
    if fact.kind == facts.SUBJECT:
        does = clause[high:].split(" ", 1)[0]
        return (f"Who or what {clause[high:]}?", IN_PLACE) if is_verb(does) else None
    if low < 0:  # the fact stands before the subject: "In 1998, ..."
        rest = invert(clause, names.uncapital)
        return (f"{_fronted(fact)} {rest}?", FRONTED) if rest else None
    before, after = clause[:low], clause[high:]
    if re.match(r" (?:which|who|whose|where|that)\b", after):
        return None
    return _front(fact, clause, before, after, names) or _place(fact, clause, before, after)


def _front(
    fact: Fact, clause: str, before: str, after: str, names: Names
) -> tuple[str, int] | None:
    """``"When did it begin?"``"""
    front, verb = _fronted(fact), verb_at(clause)
    if not front or not verb or verb.end() > len(before):
        return None
    if fact.kind in (facts.COUNT, facts.MONEY) and not ENDS_WITH_VERB.search(before):
        return None
    rest = invert(_join(before, after), names.uncapital)
    fits = rest and _belongs(fact, verb[0], before[verb.end() :])
    return (f"{front} {rest}?", FRONTED) if fits else None


def _place(fact: Fact, clause: str, before: str, after: str) -> tuple[str, int] | None:
    """``"It employs how many people?"``, or at the beginning, ``"How many people work there?"``"""
    placed = _in_place(fact)
    if placed is None or not re.search(r"\w\s*$", before + "x"):
        return None
    if not before:
        return f"{placed[:1].upper()}{placed[1:]}{after}?", FRONTED
    if verb_at(clause) is None or re.search(r"\b(?:an?|the|its|their) $", before):
        return None
    return f"{before[:1].upper()}{before[1:]}{placed}{after}?", IN_PLACE


def _clause(text: str, fact: Fact) -> tuple[str | None, int]:
    """The main clause that the fact belongs to, and where it starts; (None, 0) if there is none.

    What stands before its subject is put behind it.
    """
    text = re.sub(r"[.\s\"”’']+$", "", text)
    start = 0
    lead = re.match(facts.LEAD, text)
    if lead:
        start = lead.end()
    cuts = [match.start() for match in _CUT.finditer(text, start)]
    if any(cut < fact.low for cut in cuts):
        return None, 0
    end = next((cut for cut in cuts if cut >= fact.high), len(text))
    clause = text[start:end]
    if end < len(text) and " that " in clause:  # the rest may be what it is about
        return None, 0
    moved = lead is not None and fact.low >= start
    when = f" {text[:1].lower()}{text[1 : start - 2]}" if moved else ""
    return clause + when, start


def _fronted(fact: Fact) -> str | None:
    if fact.kind == facts.DATE:
        return _WHEN[fact.lead.lower()]
    return {
        facts.COUNT: f"How many {fact.noun}",
        facts.MONEY: "How much",
        facts.WHERE: "Where",
        facts.BY: "By whom",
    }.get(fact.kind)


def _in_place(fact: Fact) -> str | None:
    return {
        facts.COUNT: f"how many {fact.noun}",
        facts.SHARE: "what percentage",
        facts.MONEY: "how much",
    }.get(fact.kind)


def _belongs(fact: Fact, verb: str, between: str) -> bool:
    """Whether the fact belongs to the main verb and not to a clause or a noun of its own."""
    if _SUBORDINATE.search(between):
        return False
    if fact.kind == facts.BY:
        return len(between.split()) <= 2
    is_noun = verb in ("is", "are", "was", "were") and re.match(r" (?:an?|the|one)\b", between)
    return fact.kind not in (facts.DATE, facts.WHERE) or not is_noun


def _join(before: str, after: str) -> str:
    return f"{before.strip()} {after.strip()}".strip()


def _is_clear(question: str, fact: Fact, text: str) -> bool:
    """Whether the question can be understood alone, and does not give its answer away."""
    answer = text[fact.start : fact.end]
    if re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", question, re.I):
        return False
    if question.count("(") != question.count(")") or re.search(r".\bwhen\b", question):
        return False
    if _UNCLEAR.search(question) or len(question.split()) < 3 or "  " in question:
        return False
    if fact.kind in (facts.DEFINITION, facts.ACRONYM):
        return True
    named = find_names(f"x {question.partition(' ')[2]}")
    if len(question.split()) < _MIN_WORDS or (_VAGUE.search(question) and not named):
        return False
    if _OWN.search(question):  # "its" is clear where a name stands before it
        own = _OWN.search(question)
        return own is not None and any(start < own.start() for start, _ in named)
    return bool(named) or len(re.findall(r"[a-z]{4,}", question)) >= _MANY_WORDS
