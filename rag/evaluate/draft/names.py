"""The names that documents use, and of which kind each is, told by the words around it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from rag.evaluate.draft.grammar import is_verb
from rag.text.calendar_names import DAYS, MONTHS

_NO_NAMES = frozenset(
    """
I The A An It He She They We You This That These Those In On At By For From Level Figure Table
Section Chapter Page Part Step Version No Nos However Although While When After Before Since During
With Without Following According Nearly Most Many Some All Each Every Both If As But And Or So St Mr
Mrs Ms Dr Prof Sir Lord Inc Ltd Co Corp Jr Sr
""".split()
) | frozenset((*MONTHS, *DAYS, *(f"{day}s" for day in DAYS)))
NAME = r"[A-Z][\w-]*[A-Za-z0-9](?: (?:(?:of|de|van|von|der|la|du|del) )?[A-Z][\w-]*[A-Za-z0-9])*+"
_NAME = re.compile(rf"(?<![\w“\"'‘.-])(?:{NAME})(?!\w)")
_ADJECTIVE = re.compile(r"(?:ese|ish|ian|ean|ican|rench|utch|erman|reek|wiss|Arab|Iraqi|ern)$")
_NO_NOUN = frozenset(
    "and or but in on at by for from to of with as is are was were has have had will would can "
    "could should may might must that which who whose when where while than into over under after "
    "before during since until through between against also then not never did does do whereby "
    "whereas whether among within without around across because although though".split()
)
_PREPOSITION = re.compile(r"\b(?:in|of|at|to|from|by|for|with|on|near|under|over|between) $", re.I)
PLACE, ACRONYM, ADJECTIVE, ATTRIBUTE, OTHER = (
    "place", "acronym", "adjective", "attribute", "other",
)  # fmt: skip
KINDS = (PLACE, ACRONYM, ADJECTIVE, ATTRIBUTE, OTHER)
"""Of an attribute it is known only that it stands before nouns: "the Xbox series"."""


@dataclass(slots=True)
class Names:
    """Names seen within sentences, and the words that the documents write in lower case.

    ``places``, ``definite``, ``attributive`` and ``agents`` count how often a name stands after
    "in", after "the", before a noun and before a verb; ``after`` has the words that it stands
    after.
    """

    seen: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    definite: Counter[str] = field(default_factory=Counter)
    attributive: Counter[str] = field(default_factory=Counter)
    agents: Counter[str] = field(default_factory=Counter)
    after: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    lower: set[str] = field(default_factory=set)

    def add(self, sentence: str) -> None:
        """Take up the names of one sentence; its first word may be capital for no reason."""
        self.lower.update(re.findall(r"(?<![\w.])[a-z][a-z-]+", sentence))
        for match in _NAME.finditer(sentence):
            name = match[0]
            if match.start() > 0 and is_name(name):
                self.seen[name] += 1
                before = sentence[: match.start()]
                self.after[name] |= word_before(sentence, match.start())
                self.places[name] += bool(re.search(r"\b[Ii]n $", before))
                self.definite[name] += bool(re.search(r"\b[Tt]he $", before))
                next_word = re.match(r" ([a-z][a-z-]+)", sentence[match.end() :])
                if next_word and is_verb(next_word[1]):
                    self.agents[name] += not _PREPOSITION.search(before)
                elif next_word and next_word[1] not in _NO_NOUN:
                    self.attributive[name] += 1

    def __contains__(self, name: object) -> bool:
        return name in self.seen

    def kind(self, name: str) -> str:
        """One of :data:`KINDS`; names of one kind can be swapped."""
        if _ADJECTIVE.search(name):
            return ADJECTIVE
        if 2 * self.attributive[name] > self.seen[name]:
            return ATTRIBUTE
        if 2 * self.places[name] >= self.seen[name] > 0:
            return PLACE
        return ACRONYM if re.fullmatch(r"[A-Z]{2,}s?", name) else OTHER

    def like(self, name: str, sentence: str) -> list[str]:
        """Return the names that can stand where ``name`` does in a sentence, sorted."""
        wanted, places = self._manner(name), re.finditer(rf"\b{re.escape(name)}\b", sentence)
        words = set().union(*(word_before(sentence, match.start()) for match in places))
        return sorted(
            one
            for one in self.seen
            if one != name and self._manner(one) == wanted and words <= self.after[one]
        )

    def _manner(self, name: str) -> tuple[str, bool, bool, bool]:
        """Kind; whether "the" stands before it, it looks like a plural, and it does things."""
        definite = 2 * self.definite[name] > self.seen[name]
        return self.kind(name), definite, name.endswith("s"), self.agents[name] > 0

    def uncapital(self, word: str) -> str:
        """Return a sentence's first word as it is written within one."""
        plain = re.sub(r"[’']s?$", "", word)
        if plain in self.seen or any(c.isupper() for c in word[1:]):
            return word
        low = word[:1].lower() + word[1:]
        return low if plain.lower() in self.lower or plain in _NO_NAMES - set(MONTHS) else word


def word_before(sentence: str, place: int) -> set[str]:
    """Return the word before a place, in lower case.

    None at the beginning and after punctuation.
    """
    return set(map(str.lower, re.findall(r"[\w’'-]+(?= $)", sentence[:place])))


def is_name(words: str) -> bool:
    """Tell whether capital words can be a name: not a month, a weekday or a word of function."""
    return not any(word in _NO_NAMES for word in words.split())


def find_names(sentence: str) -> list[tuple[int, int]]:
    """Tell where names stand in a sentence; the first word is one only if it looks like one."""
    return [match.span() for match in _NAME.finditer(sentence) if is_name(match[0])]
