"""Edits that turn a question into a near miss, and noise as people type it."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from tokenizers import Tokenizer

from rag.read.contrast import opposites_of, others_of

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
KEYS = ["qwertyuiop", "asdfghjkl", "zxcvbnm"]


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
            self._seen[word] = [w for w in found if _same_form(word, w)]
        return self._seen[word]


def _same_form(word: str, other: str) -> bool:
    """Whether two words differ in stem but look like the same part of speech."""
    return word[:4] != other[:4] and _ending(word) == _ending(other)


def _ending(word: str) -> str:
    for ending in ("ing", "ed", "est", "ly", "ion", "er", "al", "ian", "s"):
        if word.endswith(ending):
            return ending
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


def exchange_names(question: str) -> Edit | None:
    """Let two names of the question change places: every word still stands in the passage."""
    found = [m for m in NAME.finditer(question) if m.group().lower() not in QUESTION_WORDS]
    found = [m for m in found if m.start() > 0]
    if len(found) < 2:
        return None
    one, other = found[0], found[1]
    between = question[one.end() : other.start()]
    if one.group() == other.group() or re.search(r"\b(?:and|or)\b|^[,\s]*$", between):
        return None  # their order means nothing there
    old = question[one.start() : other.end()]
    return Edit(old, f"{other.group()}{between}{one.group()}", mutual=False)


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


def near_miss(
    question: str, near: str, answer: str, neighbours: Neighbours, rng: random.Random
) -> Edit | None:
    """Return an edit after which the passage no longer answers the question; None if none fits.

    `near` is text with names and numbers to swap in: the passage itself, or others on its topic.
    """
    kinds = "name name number opposite opposite opposite other word word exchange".split()
    rng.shuffle(kinds)
    rare = rng.choices(["negation", "condition", "otherwise", ""], [4, 3, 5, 88])[0]
    for kind in [rare, *kinds] if rare else kinds:
        edit = {
            "name": lambda: swap_name(question, near, answer, rng),
            "number": lambda: swap_number(question, near, answer, rng),
            "opposite": lambda: swap_opposite(question, rng),
            "other": lambda: swap_other(question, near, rng),
            "word": lambda: swap_word(question, neighbours, rng),
            "exchange": lambda: exchange_names(question),
            "negation": lambda: negate(question),
            "condition": lambda: add_condition(question, near, rng),
            "otherwise": lambda: ask_otherwise(question, rng),
        }[kind]()
        if edit is not None and edit.old != edit.new and edit.apply(question) != question:
            return edit
    return None


def noisy(question: str, rng: random.Random) -> str:
    """Return the question as somebody in a hurry types it: no case, no mark, misspelt, keywords."""
    kind = rng.random()
    if kind < 0.3:
        kept = [w for w in question.rstrip("?").split() if w.lower() not in QUESTION_WORDS]
        question = " ".join(kept) if len(kept) > 1 else question
    if kind > 0.55:
        question = misspelt(question, rng)
    question = question.rstrip("? .")
    return question.lower() if rng.random() < 0.7 else question


def misspelt(text: str, rng: random.Random) -> str:
    """Return the text with one or two slips of the fingers in its longer words."""
    words = text.split()
    places = [i for i, word in enumerate(words) if len(word) > 4]
    for i in rng.sample(places, min(len(places), rng.randint(1, 2))):
        words[i] = _slip(words[i], rng)
    return " ".join(words)


def _slip(word: str, rng: random.Random) -> str:
    """Swap, drop, double or mistype one letter, not the first."""
    i = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    if kind == 1:
        return word[:i] + word[i + 1 :]
    if kind == 2:
        return word[:i] + word[i] + word[i:]
    row = next((r for r in KEYS if word[i].lower() in r), None)
    if row is None:
        return word
    place = row.index(word[i].lower())
    return word[:i] + row[max(0, place - 1) if place else 1] + word[i + 1 :]
