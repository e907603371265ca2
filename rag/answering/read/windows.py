"""Question x passage -> the windows that the model reads, with the characters of every token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rag.answering.read.layout import WordPieces
from rag.text.sentences import sentence_spans

if TYPE_CHECKING:
    pass

MAX_QUESTION = 40
"""Word pieces of a question; the rest of a longer one is not read."""

IntArray = npt.NDArray[np.int64]
TokenRange = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """The part ``text[start:end]`` of a document's text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Window:
    """One input of the model: word pieces of the question and of a piece of a passage.

    ``first`` is the position of the first token of the passage, ``offsets`` the characters
    ``(start, end)`` in the document's text that each token of the passage stands for; ``passage``
    is the index of the passage.
    """

    passage: int
    ids: tuple[int, ...]
    first: int
    offsets: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows padded to one length; each array is of shape ``(windows, length)``."""

    windows: tuple[Window, ...]
    ids: IntArray
    mask: IntArray
    types: IntArray


def cut(
    pieces: WordPieces,
    question: str,
    passages: Sequence[Passage],
    length: int,
    stride: int,
) -> list[Window]:
    """Windows of at most ``length`` word pieces that hold whole sentences, for every passage.

    A window begins at the last sentence that begins at most ``stride`` pieces after the one
    before, or ``stride`` pieces after it inside a longer sentence. Every token is in some window.
    """
    layout = pieces.layout
    asked = pieces.encode(question).ids[:MAX_QUESTION]
    room, first = length - len(asked) - layout.special, layout.passage_at(len(asked))
    windows = []
    for index, passage in enumerate(passages):
        read, inside = pieces.encode(passage.text[passage.start : passage.end])
        offsets = [(a + passage.start, b + passage.start) for a, b in inside]
        for low, high in token_ranges(_sentence_starts(passage, offsets), room, stride):
            ids = tuple(layout.join(asked, read[low:high]))
            windows.append(Window(index, ids, first, tuple(offsets[low:high])))
    return windows


def _sentence_starts(passage: Passage, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """Index of each sentence's first token, and at the end the number of tokens."""
    firsts = np.array([start for start, _ in offsets])
    spans = sentence_spans(passage.text, passage.start, passage.end)
    starts = {int(np.searchsorted(firsts, start)) for start, _ in spans}
    return sorted(starts | {0, len(offsets)})


def token_ranges(starts: Sequence[int], room: int, stride: int) -> list[TokenRange]:
    """Overlapping ranges of tokens, cut at sentence borders where sentences are short enough.

    ``starts`` ends with the number of tokens; every token is in some range of at most ``room``.
    """
    count = starts[-1]
    ranges: list[TokenRange] = []
    low = 0
    while True:
        high = max((s for s in starts if low < s <= low + room), default=min(low + room, count))
        if high > low:
            ranges.append((low, high))
        if high >= count:
            return ranges
        reach = min(low + stride, high)
        low = max((s for s in starts if low < s <= reach), default=reach)


def batches(windows: Sequence[Window], most_tokens: int) -> list[Batch]:
    """Windows in batches of like length, each of at most ``most_tokens`` tokens with padding."""
    groups: list[list[Window]] = []
    for window in sorted(windows, key=lambda w: len(w.ids)):
        if not groups or (len(groups[-1]) + 1) * len(window.ids) > most_tokens:
            groups.append([])
        groups[-1].append(window)
    return [_padded(group) for group in groups]


def _padded(windows: Sequence[Window]) -> Batch:
    shape = (len(windows), max(len(window.ids) for window in windows))
    ids, mask, types = (np.zeros(shape, np.int64) for _ in range(3))
    for row, window in enumerate(windows):
        used = len(window.ids)
        ids[row, :used] = window.ids
        mask[row, :used] = 1
        types[row, window.first : used] = 1
    return Batch(tuple(windows), ids, mask, types)
