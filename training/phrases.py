"""Near misses made of phrases: a question takes one of its passage or of another question to it.

A phrase is a run of words that carry meaning, between words that do not.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from training.edits import QUESTION_WORDS, WORD, Edit, Neighbours, ending
from training.exchanges import may_be_told

_LITTLE = QUESTION_WORDS | frozenset(
    "about above across against along among around because before below beneath between but during"
    " if like near no off only or over per since so through under until up upon very via while"
    " within without also more most less least such same other some any all both each"
    " i we you me us my our your him himself itself themselves them said says may might must"
    " shall do doing done having".split()
)
_HEADS = "the a an of in from by for with at on during between".split()
_LEFT = re.compile(rf"\b({'|'.join(_HEADS)}) ", re.I)
_RUN = re.compile(r"[\w'’-]+(?: [\w'’-]+)*")
_MAX_LENGTH = 3
_GENERIC = frozenset(
    "product device item thing user reviewer author writer narrator customer person people speaker"
    " buyer first last one ones way name game book story text passage".split()
)
_LIKE, _SYNONYM = 0.12, 0.36
"""Cosines of word embeddings between which last words of phrases are of a kind, not the same."""


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A run of words after a little one, and whether the text, or a clause of it, ends there."""

    left: str
    text: str
    closes: bool

    def fits(self, other: _Phrase) -> bool:
        """Whether the other phrase can stand in this one's place."""
        return (
            self.left == other.left
            and self.closes == other.closes
            and abs(len(self.text.split()) - len(other.text.split())) <= 1
            and self.text[0].isupper() == other.text[0].isupper()
            and _looks(self.text) == _looks(other.text)
        )


def swap_phrase(
    question: str,
    passage: str,
    siblings: Sequence[str],
    answer: str,
    neighbours: Neighbours,
    rng: random.Random,
) -> Edit | None:
    """Put a phrase of the passage, or of another question to it, in the place of one like it.

    None of its words stand in the question or in the answer. Not where the passage may well tell
    the number asked for of the other phrase too.
    """
    taken = _meant(question) | _meant(answer)
    others = [p for text in (passage, *siblings) for p in _phrases(text)]
    others = [p for p in others if not _meant(p.text) & taken]
    pairs = [
        Edit(old.text, new.text)
        for old in _phrases(question)
        for new in others
        if old.fits(new)
        and _LIKE < neighbours.likeness(old.text.split()[-1], new.text.split()[-1]) < _SYNONYM
    ]
    pairs = [edit for edit in pairs if not may_be_told(question, passage, answer, edit)]
    return rng.choice(pairs) if pairs else None


def _phrases(text: str) -> list[_Phrase]:
    """Return the phrases of a text that follow a word of `_HEADS`."""
    found = []
    for match in _LEFT.finditer(text):
        run = _RUN.match(text, match.end())
        if run is None:
            continue
        words: list[str] = []
        for word in run.group().split():
            if word.lower() in _LITTLE:
                break
            words.append(word)
        if words and words[-1].lower() in _GENERIC:
            continue  # they stand for one another
        rest = text[match.end() + len(" ".join(words)) :].lstrip()
        if 0 < len(words) <= _MAX_LENGTH:
            closes = not rest or rest[0] in ".?!,;:"
            found.append(_Phrase(match.group(1).lower(), " ".join(words), closes))
    return found


def _meant(text: str) -> frozenset[str]:
    """Return the first five letters of each word that carries meaning."""
    return frozenset(w.lower()[:5] for w in re.findall(r"\w+", text) if w.lower() not in _LITTLE)


def _looks(phrase: str) -> str:
    """Return how a phrase's last word ends, so that a noun stands for a noun."""
    last = (WORD.findall(phrase) or [phrase])[-1]
    return "0" if last[-1].isdigit() else ending(last)
