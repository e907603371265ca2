"""Which edit makes a near miss of a question."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from training.edits import (
    Edit,
    Neighbours,
    add_condition,
    ask_otherwise,
    negate,
    swap_name,
    swap_number,
    swap_opposite,
    swap_other,
    swap_word,
)
from training.exchanges import (
    ask_of_answer,
    exchange_names,
    swap_alike,
    swap_told_word,
)
from training.phrases import swap_phrase

_TOLD = "alike alike alike told told answer answer answer answer exchange phrase phrase".split()
_ANY = "name number opposite opposite other word".split()
_RARE = {"negation": 4, "condition": 3, "otherwise": 5, "": 88}


def near_miss(
    question: str,
    passage: str,
    near: str,
    answer: str,
    neighbours: Neighbours,
    rng: random.Random,
    siblings: Sequence[str] = (),
    told: float = 0.0,
) -> Edit | None:
    """Return an edit after which the passage no longer answers the question; None if none fits.

    `near` is text with names and numbers to swap in: the passage itself, or another on its topic.
    With a chance of `told` the edit is one made of the words of the passage and of `siblings`,
    other questions to it; those fit a third of the questions.
    """
    edits: dict[str, Callable[[], Edit | None]] = {
        "name": lambda: swap_name(question, near, answer, rng),
        "alike": lambda: swap_alike(question, passage, answer, neighbours, rng),
        "number": lambda: swap_number(question, near, answer, rng),
        "opposite": lambda: swap_opposite(question, rng),
        "other": lambda: swap_other(question, near, rng),
        "word": lambda: swap_word(question, neighbours, rng),
        "told": lambda: swap_told_word(question, passage, answer, neighbours, rng),
        "answer": lambda: ask_of_answer(question, passage, answer, neighbours, rng),
        "exchange": lambda: exchange_names(question),
        "phrase": lambda: swap_phrase(question, passage, siblings, answer, neighbours, rng),
        "negation": lambda: negate(question),
        "condition": lambda: add_condition(question, near, rng),
        "otherwise": lambda: ask_otherwise(question, rng),
    }
    if rng.random() < told:
        kinds = rng.sample(_TOLD, len(_TOLD))
    else:
        rare = rng.choices(list(_RARE), list(_RARE.values()))[0]
        kinds = rng.sample(_ANY, len(_ANY))
        kinds = [rare, *kinds] if rare else kinds
    for kind in kinds:
        edit = edits[kind]()
        if edit is not None and edit.old != edit.new and edit.apply(question) != question:
            return edit
    return None
