"""Edits that turn a question into a near miss."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from tokenizers import Tokenizer

from rag.answering.read.contrast import opposites_of, others_of

NEGATED = re.compile(r"\b(is|are|was|were|did|does|do|can|could|has|had|will|would|should)\b", re.I)
NAME = re.compile(
    r"\b[A-Z][\w'’.&-]*[\w](?:\s+(?:of|the|de|von|van|and)?\s?[A-Z][\w'’-]*\w)*", re.UNICODE
)
NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
WORD = re.compile(r"[A-Za-z][A-Za-z'’-]+")
QUESTION_WORDS = frozenset(
    "what which who whom whose when where why how is are was were did does do can could has had"
    " will would should in on at by for from to of the a an and or that this these those with as"
    " it its his her their they he she name after be been being have not into than then there"
    " many much kind type year time long".split()
)


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace `old` by `new`; in a question alone, the passage no longer answers it.

    Unless `mutual`, the same edit of the passage alone would leave it answering the question.
    """

    old: str
    new: str
    mutual: bool = True

    def apply(self, text: str) -> str:
        """Return `text` with `old` replaced wherever it stands as a word."""
        return re.sub(rf"(?<!\w){re.escape(self.old)}(?!\w)", lambda _: self.new, text)


class Neighbours:
    """Words of the same form and a related meaning, from the backbone's word embeddings.

    `largest` gives `longest`, `river` gives `lake`, `german` gives `austrian`. A few are synonyms,
    so a share of the edits made with them is mislabelled.
    """

    def __init__(self, backbone: Path, low: float = 0.29, high: float = 0.46) -> None:
        """Read the word pieces of the model folder `backbone` that are whole English words."""
        vocabulary = Tokenizer.from_file(str(backbone / "tokenizer.json")).get_vocab()
        # The tokenizer gives its vocabulary in another order each time.
        words = sorted(w for w in vocabulary if w.isascii() and w.isalpha() and len(w) > 2)
        with safe_open(str(backbone / "model.safetensors"), framework="np") as weights:
            table = weights.get_tensor("embeddings.word_embeddings.weight")
        rows: npt.NDArray[np.float32] = table[[vocabulary[w] for w in words]].astype(np.float32)
        rows -= rows.mean(axis=0)
        self._rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        self._words = words
        self._place = {word: i for i, word in enumerate(words)}
        self._low, self._high = low, high
        self._seen: dict[str, list[str]] = {}

    def of(self, word: str) -> list[str]:
        """Return words that may stand in `word`'s place, in lower case; maybe none."""
        word = word.lower()
        if word not in self._place:
            return []
        if word not in self._seen:
            scores = self._rows @ self._rows[self._place[word]]
            close = np.flatnonzero((scores > self._low) & (scores < self._high))
            found = [self._words[i] for i in close]
            self._seen[word] = [w for w in found if same_form(word, w)]
        return self._seen[word]

    def likeness(self, name: str, other: str) -> float:
        """Return the cosine of two names or words; 0 where no word of one is known."""
        one, two = self._mean(name), self._mean(other)
        return 0.0 if one is None or two is None else float(one @ two)

    def _mean(self, name: str) -> npt.NDArray[np.float32] | None:
        """Return the unit vector of a name's words."""
        known = [self._place[w] for w in name.lower().split() if w in self._place]
        if not known:
            return None
        mean = self._rows[known].mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean))


def same_form(word: str, other: str) -> bool:
    """Whether two words differ in stem but look like the same part of speech."""
    return word[:4] != other[:4] and ending(word) == ending(other)


def ending(word: str) -> str:
    """Return the ending that tells a word's part of speech; empty if it has none of them."""
    for known in ("ing", "ed", "est", "ly", "ion", "er", "al", "ian", "s"):
        if word.endswith(known):
            return known
    return ""


def names_in(text: str, first: bool = True) -> list[str]:
    """Return names, runs of capitalised words; without one that opens the text if not `first`."""
    found = [m for m in NAME.finditer(text) if first or m.start() > 0]
    return [m.group() for m in found if m.group().lower() not in QUESTION_WORDS]


def numbers_in(text: str) -> list[str]:
    """Return the numbers and years of a text."""
    return [m.group() for m in NUMBER.finditer(text)]


def swap_name(question: str, near: str, answer: str, rng: random.Random) -> Edit | None:
    """Swap a name of the question for another one that stands `near`."""
    mine = names_in(question, first=False)
    low = question.lower()
    others = [n for n in names_in(near) if n.lower() not in low and n not in answer]
    if not mine or not others:
        return None
    old = rng.choice(mine)
    alike = [n for n in others if abs(len(n.split()) - len(old.split())) <= 1] or others
    return Edit(old, rng.choice(alike))


def swap_number(question: str, near: str, answer: str, rng: random.Random) -> Edit | None:
    """Swap a number of the question for one that stands `near`, or move it a little."""
    mine = numbers_in(question)
    if not mine:
        return None
    old = rng.choice(mine)
    alike = [n for n in numbers_in(near) if len(n) == len(old) and n != old and n not in answer]
    if alike and rng.random() < 0.6:
        return Edit(old, rng.choice(alike))
    digits = old.replace(",", "").replace(".", "")
    step = rng.choice([-10, -3, -2, -1, 1, 2, 3, 10])
    return Edit(old, str(max(1, int(digits) + step))) if digits.isascii() else None


def swap_opposite(question: str, rng: random.Random) -> Edit | None:
    """Put a word's opposite in its place."""
    found = [w for w in WORD.findall(question) if w.islower() and opposites_of(w)]
    if not found:
        return None
    old = rng.choice(found)
    return Edit(old, rng.choice(sorted(opposites_of(old))))


def swap_other(question: str, near: str, rng: random.Random) -> Edit | None:
    """Put another month, direction, ordinal or number word in the place of one of them."""
    found = [w for w in WORD.findall(question) if others_of(w) and w.lower() != "one"]
    if not found:
        return None
    old = rng.choice(found)
    others = sorted(others_of(old))
    told = [other for other in others if re.search(rf"\b{other}\b", near, re.I)]
    new = rng.choice(told or others)
    return Edit(old, new.capitalize() if old[0].isupper() else new)


def swap_word(question: str, neighbours: Neighbours, rng: random.Random) -> Edit | None:
    """Put a related word in the place of one that carries the question's meaning."""
    words = [w for w in WORD.findall(question) if w.islower() and w not in QUESTION_WORDS]
    rng.shuffle(words)
    for old in words:
        others = neighbours.of(old)
        if len(old) > 3 and others:
            return Edit(old, rng.choice(others))
    return None


def negate(question: str) -> Edit | None:
    """Negate the question's verb."""
    match = NEGATED.search(question)
    if match is None or re.search(r"\bnot\b|n't|\bnever\b", question):
        return None
    return Edit(match.group(), f"{match.group()} not")


def add_condition(question: str, near: str, rng: random.Random) -> Edit | None:
    """Ask about one year, place or kind that the passage says nothing about."""
    asked = question.rstrip("?. ")
    last = re.search(r"\w[\w'’-]*$", asked)
    if (
        last is None
        or numbers_in(question)
        or Edit(last.group(), "").apply(asked[: last.start()]) != asked[: last.start()]
    ):
        return None
    years = [str(year) for year in range(1890, 2026) if str(year) not in near]
    lacking = rng.choice(years)
    told = rng.choice(
        [
            f"in {lacking}",
            f"in {lacking}",
            f"before {lacking}",
            f"after {lacking}",
            f"since {lacking}",
        ]
    )
    return Edit(last.group(), f"{last.group()} {told}", mutual=False)


ASKED_INSTEAD = {"When": ("Why", "How"), "Where": ("Why", "When"), "Why": ("When", "Where")}


def ask_otherwise(question: str, rng: random.Random) -> Edit | None:
    """Ask for the reason, the place or the time where another of them is told."""
    first = question.split(" ", 1)[0]
    others = ASKED_INSTEAD.get(first)
    return Edit(first, rng.choice(others), mutual=False) if others else None
