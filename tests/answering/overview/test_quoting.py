"""The sentences of a document that stand for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rag.answering.overview.quoting import (
    MAX_EMBEDDED,
    MAX_SENTENCES,
    MIN_SENTENCES,
    quotes,
    quotes_on,
)
from rag.embed import HashingEmbedder
from rag.types import Document, Vectors

CENTRAL = "The harbour of Bergen moves fish and oil to ports in the north."
SIDE = "A blue bicycle was left beside some painted wooden door at night."


class CountingEmbed:
    """Embeds words by hashing, and remembers them."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return HashingEmbedder().embed_documents(texts)


def quoted(lines: Sequence[str], embed: CountingEmbed, **limits: int) -> list[str]:
    """What is quoted of a document whose every line is a chunk."""
    document, spans, start = Document("a.txt", "\n\n".join(lines)), [], 0
    for line in lines:
        spans.append((start, start + len(line)))
        start += len(line) + 2
    vectors = HashingEmbedder().embed_documents(lines)
    found = quotes(document, spans, vectors, embed, **limits)
    assert [(q.start, q.end) for q in found] == sorted((q.start, q.end) for q in found)
    assert all(q.chunk_start <= q.start < q.end <= q.chunk_end for q in found)
    return [document.text[q.start : q.end] for q in found]


def test_the_sentences_that_resemble_the_rest_are_quoted() -> None:
    rest = [
        "The harbour of Bergen was built for fish in the north.",
        "From the harbour of Bergen oil goes to ports in the south.",
        "Most fish of the north passes the harbour of Bergen once.",
    ]
    assert quoted([SIDE, CENTRAL, *rest], CountingEmbed(), count=1) == [CENTRAL]
    assert SIDE not in quoted([SIDE, CENTRAL, *rest], CountingEmbed(), count=3)


def test_one_sentence_names_the_subject() -> None:
    lines = [
        "It was known for the long nights of the far north.",
        "In the far north of all lands the nights are long.",
        "People there know the long nights of the far north.",
        "Once a year they all sail home to Tromso by boat.",
    ]
    assert lines[-1] in quoted(lines, CountingEmbed(), count=1)


def test_of_two_that_say_the_same_the_one_that_stands_alone_is_quoted() -> None:
    said = "harbour of Bergen moves fish to ports."
    rest = [f"A harbour moves fish by boat{i} to town{i}." for i in range(9)]
    lines = [f"This {said}", f"The {said}", *rest]
    assert quoted(lines, CountingEmbed(), count=1) == [lines[1]]


def test_a_long_document_is_not_embedded_whole() -> None:
    lines = [f"The report says that ship{i} met boat{i * 7} in the bay." for i in range(400)]
    lines[300] = "Only here stands that all of them came from the town of Oslo."
    embed = CountingEmbed()
    found = quoted(lines, embed)
    assert len(found) == MAX_SENTENCES
    assert lines[300] in found  # the one that has a name
    assert len(embed.texts) == MAX_EMBEDDED
    assert len(quoted(lines[:9], embed)) == MIN_SENTENCES


def test_nothing_to_quote() -> None:
    assert quotes(Document("a.csv", "a | b\n1 | 2"), [(0, 11)], np.ones((1, 2), "f4"), len) == []  # type: ignore[arg-type]
    assert quotes(Document("a.txt", CENTRAL), [], np.ones((0, 2), "f4"), len) == []  # type: ignore[arg-type]


def test_only_sentences_on_a_topic_are_quoted_each_once() -> None:
    one, two = (
        Document("a.txt", f"{SIDE} {CENTRAL}"),
        Document("b.txt", "Fish is cheap in Bergen today."),
    )
    whole = (0, len(one.text))
    passages = [(one, whole), (one, (len(SIDE) + 1, len(one.text))), (two, (0, len(two.text)))]
    found = quotes_on(passages, "the fish of Bergen", CountingEmbed(), 5)
    texts = [(i, passages[i][0].text[quote.start : quote.end]) for i, quote in found]
    assert texts == [(0, CENTRAL), (2, two.text)]
    assert quotes_on(passages, "quantum gravity", CountingEmbed(), 5) == []
