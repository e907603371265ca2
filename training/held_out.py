"""A knowledge base of the articles that no reader was trained on, and questions to it.

Of its questions, half are as they were asked. The rest have no answer there: the passages that
hold the evidence are withheld, so that the nearest others are read, or the question is edited into
a near miss. A quarter of all are typed badly.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from rag.question_sets import Evidence, GoldQuestion
from training.data import Example, read_held_out
from training.edits import Neighbours
from training.evidence import Asked
from training.near_miss import near_miss
from training.noise import noisy

WITHHELD, EDITED, NOISY = 0.2, 0.35, 0.25


def write_documents(examples: Sequence[Example], folder: Path) -> dict[str, tuple[str, int]]:
    """Write a document for each group; return where each passage stands, as (source, start)."""
    folder.mkdir(parents=True, exist_ok=True)
    groups: dict[str, list[str]] = {}
    for example in examples:
        passages = groups.setdefault(example.group.replace("/", "-"), [])
        if example.context not in passages:
            passages.append(example.context)
    places: dict[str, tuple[str, int]] = {}
    for group, passages in groups.items():
        text = ""
        for passage in passages:
            places[passage] = (f"{group}.txt", len(text))
            text += f"{passage}\n\n"
        (folder / f"{group}.txt").write_text(text, encoding="utf-8", newline="")
    return places


def make_questions(
    data: Path, backbone: Path, docs: Path, limit: int, seed: int = 0
) -> list[Asked]:
    """Write the documents to `docs` and return questions to them."""
    examples = [e for e in read_held_out(data) if "\r" not in e.context]
    places = write_documents(examples, docs)
    neighbours = Neighbours(backbone)
    rng = random.Random(seed)
    return [
        _ask(example, number, places, neighbours, rng)
        for number, example in enumerate(rng.sample(examples, min(limit, len(examples))))
    ]


def _ask(
    example: Example,
    number: int,
    places: dict[str, tuple[str, int]],
    neighbours: Neighbours,
    rng: random.Random,
) -> Asked:
    draw = rng.random()
    text = example.question
    edit = None
    if draw < EDITED:
        passage = example.context
        edit = near_miss(text, passage, passage, example.answer, neighbours, rng)
        text = edit.apply(text) if edit else text
    if rng.random() < NOISY:
        text = noisy(text, rng)
    source, shift = places[example.context]
    place = Evidence(source, shift + example.start, shift + example.end)
    answers, evidence = ((), ()) if edit else ((example.answer,), (place,))
    question = GoldQuestion(str(number), text, answers, evidence)
    return Asked(question, withheld=edit is None and draw > 1 - WITHHELD)
