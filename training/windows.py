"""Windows: a question and a piece of a passage as word pieces, with the answer's place in them."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Encoding, Tokenizer

from rag.answering.read.layout import Layout, trimmed
from rag.answering.read.windows import MAX_QUESTION, IntArray

IGNORED = -100
"""The place of an answer that is there, but whose words are not marked."""

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+|(?<=[。！？])|\n+")
_HAN = "\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_HAN}]{{2}}|[{_HAN}]|[^\W{_HAN}]+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Window:
    """One input of the reader; `start` and `end` are token positions, both 0 if unanswerable.

    `end` is the last token of the answer, not the one after it.
    """

    ids: list[int]
    types: list[int]
    start: int
    end: int

    @property
    def answerable(self) -> bool:
        """Whether the passage answers."""
        return self.start != 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a passage and the answer's characters in it, both 0 if it holds none."""

    text: str
    start: int = 0
    end: int = 0


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the character ranges of the sentences; a rough split that only windows use."""
    borders = [0, *(m.end() for m in _SENTENCE_END.finditer(text)), len(text)]
    pairs = itertools.pairwise(borders)
    return [(a, b) for a, b in pairs if text[a:b].strip()]


def encode_plain(tokenizer: Tokenizer, text: str) -> Encoding:
    """Tokenise a text by itself, without special tokens."""
    return tokenizer.encode(text, add_special_tokens=False)


def size(text: str) -> int:
    """Return about how many word pieces a text has, without tokenising it."""
    return int(len(_WORD.findall(text)) * 1.25) + 1


def nearest(piece: Piece, ranges: Sequence[tuple[int, int]], question: str) -> int:
    """Return the index of the sentence that shares the most longer words with the question."""
    asked = {w for w in _WORD.findall(question.lower()) if len(w) > 3}
    shared = [len(asked.intersection(_WORD.findall(piece.text[a:b].lower()))) for a, b in ranges]
    return shared.index(max(shared))


def crop(piece: Piece, room: int, rng: random.Random, question: str | None = None) -> Piece:
    """Cut whole sentences off a piece, at random sides, until it has about `room` word pieces.

    The sentences that hold the answer stay; without an answer, the sentence most like `question`,
    or where none is given a random one.
    """
    ranges = sentences(piece.text)
    costs = [size(piece.text[a:b]) for a, b in ranges]
    inside = [i for i, (a, b) in enumerate(ranges) if a < piece.end and b > piece.start]
    if piece.end == 0 and ranges:
        inside = [nearest(piece, ranges, question) if question else rng.randrange(len(ranges))]
    if not inside:
        return piece
    low, high = inside[0], inside[-1]
    total = sum(costs[low : high + 1])
    while True:
        sides = [i for i in (low - 1, high + 1) if 0 <= i < len(ranges)]
        sides = [i for i in sides if total + costs[i] <= room]
        if not sides:
            break
        side = rng.choice(sides)
        total += costs[side]
        low, high = min(low, side), max(high, side)
    left, right = ranges[low][0], ranges[high][1]
    shift = left if piece.end else 0
    return Piece(piece.text[left:right], piece.start - shift, piece.end - shift)


def without_answer(piece: Piece) -> Piece | None:
    """Return the piece less the sentence with the answer; None if the answer stands elsewhere."""
    answer = piece.text[piece.start : piece.end].lower()
    ranges = sentences(piece.text)
    kept = [piece.text[a:b] for a, b in ranges if not (a < piece.end and b > piece.start)]
    text = "".join(kept)
    if len(kept) < 2 or answer in text.lower():
        return None
    return Piece(text)


def encode(
    tokenizer: Tokenizer, layout: Layout, question: str, piece: Piece, length: int
) -> Window | None:
    """Return the window, cut at `length` tokens; None if an answer would be lost by the cut."""
    asked = encode_plain(tokenizer, question).ids[:MAX_QUESTION]
    read = encode_plain(tokenizer, piece.text)
    room = length - len(asked) - layout.special
    first = layout.passage_at(len(asked))
    start = end = 0
    if piece.end:
        offsets = trimmed(piece.text, read.offsets[:room])
        inside = [i for i, (a, b) in enumerate(offsets) if a < piece.end and b > piece.start]
        whole = inside and offsets[inside[-1]][1] >= piece.end
        if not whole:
            return None
        start, end = (i + first for i in (inside[0], inside[-1]))
    ids = layout.join(asked, read.ids[:room])
    return Window(ids, [0] * first + [1] * (len(ids) - first), start, end)


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows padded to one length: integer arrays (batch, length), the last three (batch,)."""

    ids: IntArray
    mask: IntArray
    types: IntArray
    start: IntArray
    end: IntArray
    answerable: IntArray


def pad(windows: Sequence[Window], length: int) -> Batch:
    """Pad windows, none longer than `length`, into a batch."""
    shape = (len(windows), length)
    ids, mask, types = (np.zeros(shape, np.int64) for _ in range(3))
    for row, window in enumerate(windows):
        used = len(window.ids)
        ids[row, :used] = window.ids
        mask[row, :used] = 1
        types[row, :used] = window.types
    labels = ("start", "end", "answerable")
    start, end, known = (np.array([getattr(w, k) for w in windows], np.int64) for k in labels)
    return Batch(ids, mask, types, start, end, known)
