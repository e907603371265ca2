"""What a question says otherwise than a sentence: an opposite word, another number, a "not" more.

A near miss often differs from what the documents say in one word alone, and a model of the
sentence as a whole hardly sees it. Pairs of opposites are those of WordNet 3.0
(``rag/assets/opposites.txt``, written by ``training/opposites.py``).
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_left
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.text.calendar_names import DAYS, MONTHS
from rag.text.overlap import terms

OPPOSITES = Path(__file__).parents[2] / "assets" / "opposites.txt"

_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*|\d[\d,.]*\d|\d")
NEGATION = re.compile(
    r"\b(?:not|never|no|none|neither|nor|without|cannot|lacks?|lacked|lacking|except|"
    r"fail(?:s|ed)?|refus(?:e|es|ed)|instead|rather)\b|n['’]t\b",
    re.I,
)
_AFFIXED = re.compile(
    r"(?:un|in|im|il|ir|non|dis|mis|de|anti|pre|post)-?(?P<stem>[a-z]{4,})|(?P<whole>[a-z]{4,})less"
)

# Words of which a sentence that has another of the same group says something else.
_GROUPS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen twenty thirty forty fifty sixty seventy eighty ninety",
    "hundred thousand million billion trillion",
    "first second third fourth fifth sixth seventh eighth ninth tenth last",
    " ".join(MONTHS).lower(),
    " ".join(DAYS).lower(),
    "north south east west",
    "northern southern eastern western",
    "spring summer autumn winter",
    "all most some",
    "am pm",
    "ii iii iv v vi vii viii ix x",
    "daily weekly monthly quarterly yearly annually",
)

Pair = tuple[str, str]
"""A word of the question and the word that stands in its place, both in lower case."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """What a sentence says otherwise than a question, by kind.

    ``opposites``: a word and its opposite; ``others``: another month, direction or the like;
    ``numbers``: another number; ``negated``: the question says "not" and the sentence does not.
    """

    opposites: tuple[Pair, ...]
    others: tuple[Pair, ...]
    numbers: tuple[Pair, ...]
    negated: bool

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The words of all kinds."""
        return self.opposites + self.others + self.numbers


def contrast(question: str, sentence: str, answer: str = "") -> Contrast:
    """Compare a question with the sentence that holds its ``answer``.

    What the question and the sentence share contradicts nothing, and numbers of the answer are
    what was asked for. Each word of the question is in one pair of a kind at most.
    """
    asked, told = _words(question), _words(sentence)
    only_asked = [word for word in asked if word not in told]
    only_told = [word for word in told if word not in asked]
    beside_answer = [word for word in only_told if word not in _words(answer)]
    turned = {stem: word for word in only_told if (stem := _stem(word))}
    numbers = [word for word in beside_answer if word[0].isdigit()]
    return Contrast(
        opposites=_pairs(only_asked, only_told, lambda one: _opposed(one, turned)),
        others=_pairs(only_asked, beside_answer, others_of),
        numbers=_pairs(only_asked, numbers, lambda one: _alike(one, numbers)),
        negated=bool(NEGATION.search(question)) and not NEGATION.search(sentence),
    )


def stated_instead(question: str, sentence: str, answer: str = "") -> Pair | None:
    """Return a word of the question that the sentence has another word in place of, and that one.

    Only a pair that stands beside the same word in both: "*early* Medieval ideas", "the *late*
    Medieval idea". Of the 69 found in refusals on SQuAD 2.0 and XQuAD 64 were right; of opposites
    and other numbers wherever they stand, 40 of 52 (``docs/quality.md``). Numbers are left out:
    those of two sentences are mostly of different things.
    """
    found = contrast(question, sentence, answer)
    asked, told = neighbours(question), neighbours(sentence)
    for one, other in found.opposites + found.others:
        if asked[one] & told[other]:
            return one, other
    return None


def neighbours(text: str) -> dict[str, set[tuple[int, str]]]:
    """Return for each word the terms next to it that carry meaning, with the side: -1 or 1."""
    words = [match.group().casefold() for match in _WORD.finditer(text)]
    carrying = [i for i, word in enumerate(words) if terms(word)]
    found: dict[str, set[tuple[int, str]]] = {word: set() for word in words}
    for i, word in enumerate(words):
        place = bisect_left(carrying, i)
        sides = ((-1, carrying[:place][-1:]), (1, [j for j in carrying[place:] if j != i][:1]))
        found[word] |= {(side, term) for side, at in sides for j in at for term in terms(words[j])}
    return found


def _pairs(
    asked: Sequence[str], told: Sequence[str], rivals: Callable[[str], Container[str]]
) -> tuple[Pair, ...]:
    """Each word with the first one told that is among its rivals, if any is."""
    found = []
    for one in asked:
        against = rivals(one)
        found += [(one, other) for other in told if against and other in against][:1]
    return tuple(found)


def opposites_of(word: str) -> frozenset[str]:
    """Words of the opposite meaning, in the same form and in lower case."""
    return _table().get(word.lower(), frozenset())


def others_of(word: str) -> frozenset[str]:
    """The other months, weekdays, directions, ordinals or numbers, if a word is one of them."""
    word = word.lower()
    return next((group - {word} for group in _groups() if word in group), frozenset())


def _words(text: str) -> dict[str, None]:
    """The words in their order, each once."""
    return dict.fromkeys(match.group().casefold() for match in _WORD.finditer(text))


def _opposed(word: str, turned: Mapping[str, str]) -> frozenset[str]:
    """Opposites of a word; ``turned`` are words that an affix turns round, by what is left."""
    more = {other for other in (_stem(word), turned.get(word)) if other}
    return opposites_of(word) | more


def _stem(word: str) -> str | None:
    """The word less a prefix or ending that turns its meaning round."""
    match = _AFFIXED.fullmatch(word)
    return match and (match["stem"] or match["whole"])


def _alike(word: str, numbers: Sequence[str]) -> list[str]:
    """Those of ``numbers`` that are years if the word is one, or none if it is another number."""
    if not word[0].isdigit():
        return []
    return [number for number in numbers if _is_year(number) == _is_year(word)]


def _is_year(number: str) -> bool:
    return re.fullmatch(r"(?:1\d|20)\d\d", number) is not None


@functools.cache
def _groups() -> tuple[frozenset[str], ...]:
    return tuple(frozenset(group.split()) for group in _GROUPS)


@functools.cache
def _table() -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for line in OPPOSITES.read_text("utf-8").splitlines():
        one, other = line.split()
        table.setdefault(one, set()).add(other)
        table.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in table.items()}
