"""Made-up passages dense with facts, and questions whose answers are known for certain.

Reports hold several numbers, names and years in a sentence, and a question is about one of them.
`facts.toml` says how facts are told and asked about; here several facts that differ in little are
told, and one is asked for. As all facts of a passage are known, so is whether it answers: a near
miss asks for a fact that is told of another company, place or year, or for one that is not told.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from training.data import FACTS, Example
from training.values import Values

RELATIONS = Path(__file__).with_name("facts.toml")
DENIED, MISSED = 0.13, 0.27
"""Shares of the questions drawn that ask for what is not told, or is told of something else."""

_SLOT = re.compile(r"\{(\w)(2?)\}")
_HINTS = ("about ", "some ", "nearly ", "more than ", "roughly ")
_PRONOUNS = {"company": "It", "person": "She"}
_THERE = {"place": "there", "city": "there", "year": "that year"}
_SAME_SCENE, _SHORTENED = 0.4, 0.6
"""Shares of the facts that keep the place and year of the last, and of those then left out."""

Fact = dict[str, str]
"""The value of each role."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A kind of fact: how it is told and asked about; see `facts.toml`."""

    name: str
    roles: dict[str, str]
    told: list[str]
    asked: dict[str, list[str]]
    denied: list[str]
    same: list[str] = field(default_factory=list)
    two: list[str] = field(default_factory=list)

    @property
    def templates(self) -> list[str]:
        """All of its templates."""
        asked = [template for templates in self.asked.values() for template in templates]
        return [*self.told, *self.two, *asked, *self.denied]


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of a sentence; where it is a fact's value, of which fact, role and kind."""

    text: str
    fact: Fact | None = None
    role: str = ""
    kind: str = ""


Sentence = list[Piece]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a passage; `start` and `end` of the answer are both 0 where it has none."""

    passage: str
    question: str
    start: int
    end: int


class Facts:
    """Draws passages and questions; the same for the same seed."""

    def __init__(self, fillers: Sequence[str] = (), path: Path = RELATIONS) -> None:
        """Read the relations; `fillers` are sentences that may stand between those with facts.

        Raises `ValueError` if a template names a role that its relation lacks, or a role has a
        kind that nobody makes.
        """
        given = tomllib.loads(path.read_text("utf-8"))
        self._values = Values(given["words"], given["kinds"])
        self.relations = [Relation(**relation) for relation in given["relation"]]
        self._fillers = fillers
        for relation in self.relations:
            self._check(relation)

    def _check(self, relation: Relation) -> None:
        for template in relation.templates:
            for role in _roles(template):
                if role not in relation.roles:
                    raise ValueError(f"{relation.name}: no role {role} as in {template!r}")
        for kind in relation.roles.values():
            if not self._values.knows(kind):
                raise ValueError(f"{relation.name}: nothing makes a {kind}")

    def asked(self, rng: random.Random) -> Iterator[Asked]:
        """Yield questions without end."""
        while True:
            found = self._ask(rng)
            if found is not None:
                yield found

    def _ask(self, rng: random.Random) -> Asked | None:
        """Return a question; None where what was drawn is ambiguous or does not fit together."""
        relation = rng.choice(self.relations)
        told = self._tell(relation, rng)
        facts = [fact for sentence in told for fact in facts_of(sentence)]
        fact = rng.choice(facts)
        denied = rng.random() < DENIED
        role = rng.choice(sorted(relation.asked))
        template = rng.choice(relation.denied if denied else relation.asked[role])
        named = _roles(template)
        if not named <= fact.keys() or (not denied and role not in fact):
            return None
        asked = {r: fact[r] for r in sorted(named)}
        missed = bool(named) and not denied and rng.random() < MISSED
        if missed:
            asked = self._missed(relation, facts, asked, rng)
        answers = {f.get(role) for f in facts if _agrees(f, asked)}
        if not denied and len(answers) != (0 if missed else 1):
            return None  # told of several, or perhaps
        used = {value for f in facts for value in f.values()}
        told += self._others(relation, used, rng)
        rng.shuffle(told)
        answerable = not (denied or missed)
        passage, place = _written(told, fact if answerable else {}, role, rng)
        if answerable and place == (0, 0):
            return None
        names = {r: self._values.short(v, relation.roles[r], rng) for r, v in asked.items()}
        question = _SLOT.sub(lambda slot: names[slot[1]], template)
        return Asked(passage, question[0].upper() + question[1:], *place)

    def _missed(
        self, relation: Relation, facts: list[Fact], asked: Fact, rng: random.Random
    ) -> Fact:
        """Return what is asked with one value exchanged, mostly for one that stands there too."""
        role = rng.choice(sorted(asked))
        kind = relation.roles[role]
        near = {v for f in facts for r, v in f.items() if relation.roles[r] == kind}
        near -= {asked[role]}
        if near and rng.random() < 0.7:
            return asked | {role: rng.choice(sorted(near))}
        return asked | {role: self._values.other(kind, near | {asked[role]}, rng)}

    def _tell(self, relation: Relation, rng: random.Random) -> list[Sentence]:
        """Return one to three sentences of facts that differ in some of their values."""
        told = []
        fact = self._varied(relation, {}, set(relation.roles), rng)
        for _ in range(rng.choice([1, 2, 2, 3])):
            if relation.two and rng.random() < 0.6:
                template = rng.choice(relation.two)
                other = self._varied(relation, fact, _roles(template, second=True), rng)
            else:
                template, other = rng.choice(relation.told), fact
            told.append(_sentence(template, relation, fact, other))
            vary = set(relation.roles)
            if relation.two:
                vary = _roles(rng.choice(relation.two), second=True)
            if rng.random() < _SAME_SCENE:
                vary -= {role for role, kind in relation.roles.items() if kind in _THERE}
            fact = self._varied(relation, fact, vary - set(relation.same), rng)
        return told

    def _varied(self, relation: Relation, fact: Fact, roles: set[str], rng: random.Random) -> Fact:
        """Return a copy of a fact with other values for some roles."""
        new = dict(fact)
        for role, kind in relation.roles.items():
            if role in roles:
                taken = set(fact.values()) if fact else set(new.values())
                new[role] = self._values.other(kind, taken, rng)
        return new

    def _others(self, relation: Relation, used: set[str], rng: random.Random) -> list[Sentence]:
        """Return sentences of other relations and fillers, which answer nothing."""
        told: list[Sentence] = []
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            other = rng.choice(self.relations)
            if other.name.split()[0] != relation.name.split()[0]:
                fact = self._varied(other, {}, set(other.roles), rng)
                if not used & set(fact.values()):
                    told.append(_sentence(rng.choice(other.told), other, fact, fact))
        for _ in range(rng.choice([0, 0, 1, 2])):
            if self._fillers:
                told.append([Piece(rng.choice(self._fillers))])
        return told


def facts_of(sentence: Sentence) -> list[Fact]:
    """Return the facts that a sentence tells, each with the roles that it gives."""
    found: list[Fact] = []
    for piece in sentence:
        if piece.fact is not None and piece.fact not in found:
            found.append(piece.fact)
    return found


def _roles(template: str, *, second: bool = False) -> set[str]:
    """Return the roles that a template names; with `second` those of the other fact alone."""
    return {role for role, two in _SLOT.findall(template) if two or not second}


def _sentence(template: str, relation: Relation, one: Fact, other: Fact) -> Sentence:
    """Fill in a template; a slot with a 2 takes the other fact's value."""
    named = _roles(template)
    first, second = ({r: v for r, v in fact.items() if r in named} for fact in (one, other))
    pieces = []
    done = 0
    for slot in _SLOT.finditer(template):
        fact = second if slot[2] else first
        value = Piece(fact[slot[1]], fact, slot[1], relation.roles[slot[1]])
        pieces += [Piece(template[done : slot.start()]), value]
        done = slot.end()
    pieces.append(Piece(template[done:]))
    return [piece for piece in pieces if piece.text]


def _written(
    told: Sequence[Sentence], fact: Fact, role: str, rng: random.Random
) -> tuple[str, tuple[int, int]]:
    """Return the text, and where the value of the fact's role stands in it, else (0, 0)."""
    text, place = "", (0, 0)
    before: Sentence = []
    for sentence in told:
        if text:
            text += rng.choice([" ", " ", " ", "\n"])
        begun = len(text)
        asked = next((p for p in sentence if p.role == role and p.fact == fact), None)
        for piece in _shortened(sentence, before, asked, rng):
            shown = piece.text
            if piece.kind == "count":
                text += rng.choice(_HINTS) if rng.random() < 0.08 else ""
            if len(text) == begun:
                shown = shown[0].upper() + shown[1:]
            if piece is asked:
                place = (len(text), len(text) + len(shown))
            text += shown
        before = sentence
        text += "" if text.endswith((".", "!", "?")) else "."
    return text, place


def _shortened(
    sentence: Sentence, before: Sentence, asked: Piece | None, rng: random.Random
) -> Sentence:
    """Leave out or stand for what the sentence before has told: "It sold ... there".

    The piece that is asked for stays.
    """
    pieces = list(sentence)
    first = pieces[0]
    again = bool(before) and first.fact is not None and before[0].text == first.text
    if again and first is not asked and rng.random() < 0.6:
        pieces[0] = replace(first, text=_PRONOUNS.get(first.kind, first.text))
    for i in range(len(pieces) - 1, 0, -1):
        piece, lead = pieces[i], pieces[i - 1]
        short = _THERE.get(piece.kind)
        if short is None or piece is asked or rng.random() > _SHORTENED:
            continue
        if any(
            {p.text for p in s if p.kind == piece.kind} != {piece.text} for s in (before, pieces)
        ):
            continue
        if i == 1 and lead.text == "In ":
            after = pieces[2].text if len(pieces) > 2 else ""
            if after.startswith(", "):  # "In 2024, sales were" becomes "Sales were"
                pieces[:3] = [Piece(after[2:])] if after[2:] else []
        elif lead.text.endswith(" in "):
            stands = f" {short}" if rng.random() < 0.3 else ""
            pieces[i - 1 : i + 1] = [Piece(lead.text.removesuffix(" in ") + stands)]
    return [piece for piece in pieces if piece.text]


def _agrees(fact: Fact, asked: Fact) -> bool:
    """Whether a fact may be the one asked for: what it does not tell may be as asked."""
    return all(fact.get(role, value) == value for role, value in asked.items())


def fillers_of(examples: Sequence[Example], limit: int = 20_000) -> list[str]:
    """Return plain sentences of middle length from the examples' passages."""
    found: dict[str, None] = {}
    for example in examples:
        for sentence in re.split(r"(?<=[a-z][.])\s+(?=[A-Z])", example.context)[1:3]:
            if 40 < len(sentence) < 160 and sentence[0].isupper() and "\n" not in sentence:
                found[sentence] = None
        if len(found) >= limit:
            break
    return list(found)


def make_examples(count: int, seed: int, fillers: Sequence[str] = ()) -> list[Example]:
    """Return `count` examples of source `facts`; `start == end == 0` where there is no answer."""
    drawn = Facts(fillers).asked(random.Random(seed))
    return [
        Example(FACTS, FACTS, asked.passage, asked.question, asked.start, asked.end)
        for asked, _ in zip(drawn, range(count), strict=False)
    ]
