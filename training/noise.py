"""Noise in questions, as people in a hurry type them."""

from __future__ import annotations

import random

from training.edits import QUESTION_WORDS

KEYS = ["qwertyuiop", "asdfghjkl", "zxcvbnm"]


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
