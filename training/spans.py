"""From logits to answers, with numpy only: the best span of each window, the best of a passage.

This is what a program that uses the exported model has to do as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from training.windows import CLS, MAX_QUESTION, SEP, SPECIAL, Window, encode_plain, pad, sentences

FloatArray = npt.NDArray[np.float32]
# (ids, mask, types), each (batch, length) -> start, end (batch, length), answerable (batch,)
Predict = Callable[
    [npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]],
    tuple[FloatArray, FloatArray, FloatArray],
]
LONGEST_ANSWER = 30  # word pieces
LENGTH, STRIDE = 96, 48  # word pieces of a window, and between the starts of two


@dataclass(frozen=True, slots=True)
class Place:
    """A window with the characters of the passage that each of its tokens stands for."""

    owner: int
    window: Window
    first: int
    offsets: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Reading:
    """The best span of a passage: characters `[start, end)` and scores in logits, higher better.

    `score` is that of the span alone, `margin` is `score` less that of no answer, `answerable` the
    verdict of the answerability head on the window.
    """

    start: int
    end: int
    score: float
    margin: float
    answerable: float


def cut(
    tokenizer: Tokenizer, question: str, context: str, owner: int, length: int, stride: int
) -> list[Place]:
    """Cut a passage into windows of at most `length` tokens that hold whole sentences.

    A window begins at the last sentence that begins at most `stride` tokens after the one before,
    or `stride` tokens after it inside a longer sentence. Every token is in some window.
    """
    asked = encode_plain(tokenizer, question).ids[:MAX_QUESTION]
    read = encode_plain(tokenizer, context)
    room = length - len(asked) - SPECIAL
    places = []
    for low, high in token_ranges(sentence_starts(context, read.offsets), room, stride):
        part = read.ids[low:high]
        ids = [CLS, *asked, SEP, *part, SEP]
        types = [0] * (len(asked) + 2) + [1] * (len(part) + 1)
        places.append(
            Place(owner, Window(ids, types, 0, 0), len(asked) + 2, read.offsets[low:high])
        )
    return places


def sentence_starts(context: str, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """Return the index of each sentence's first token, and at the end the number of tokens."""
    firsts = np.array([a for a, _ in offsets])
    starts = {int(np.searchsorted(firsts, a)) for a, _ in sentences(context)}
    return sorted(starts | {0, len(offsets)})


def token_ranges(starts: Sequence[int], room: int, stride: int) -> list[tuple[int, int]]:
    """Return overlapping token ranges, at sentence borders where the sentences are short enough.

    `starts` ends with the number of tokens; every token is in some range of at most `room`.
    """
    count = starts[-1]
    ranges: list[tuple[int, int]] = []
    low = 0
    while True:
        high = max((s for s in starts if low < s <= low + room), default=min(low + room, count))
        ranges.append((low, high))
        if high >= count:
            return ranges
        reach = min(low + stride, high)
        low = max((s for s in starts if low < s <= reach), default=reach)


def best_span(
    place: Place, start: FloatArray, end: FloatArray, answerable: float
) -> Reading | None:
    """Return the span with the highest sum of start and end logit; None for an empty passage."""
    count = len(place.offsets)
    if not count:
        return None
    first = start[place.first : place.first + count]
    last = end[place.first : place.first + count]
    sums = first[:, None] + last[None, :]
    i, j = np.arange(count)[:, None], np.arange(count)[None, :]
    sums = np.where((j >= i) & (j < i + LONGEST_ANSWER), sums, -np.inf)
    low, high = divmod(int(sums.argmax()), count)
    score = float(sums[low, high])
    none = float(start[0] + end[0])
    return Reading(
        place.offsets[low][0], place.offsets[high][1], score, score - none, float(answerable)
    )


def read(
    predict: Predict,
    tokenizer: Tokenizer,
    pairs: Sequence[tuple[str, str]],
    length: int = LENGTH,
    stride: int = STRIDE,
    batch_tokens: int = 8192,
) -> list[Reading]:
    """Read each (question, passage): windows in batches by length, then the best window of each.

    The best window is the one with the highest sum of `margin` and twice `answerable`.
    """
    places = [
        place
        for owner, (question, context) in enumerate(pairs)
        for place in cut(tokenizer, question, context, owner, length, stride)
    ]
    places.sort(key=lambda p: len(p.window.ids))
    found: dict[int, Reading] = {}
    for batch in _batches(places, batch_tokens):
        padded = pad([p.window for p in batch], -(-len(batch[-1].window.ids) // 16) * 16)
        start, end, answerable = predict(padded.ids, padded.mask, padded.types)
        for row, place in enumerate(batch):
            reading = best_span(place, start[row], end[row], answerable[row])
            old = found.get(place.owner)
            if reading is not None and (old is None or rank(reading) > rank(old)):
                found[place.owner] = reading
    nothing = Reading(0, 0, -np.inf, -np.inf, -np.inf)
    return [found.get(owner, nothing) for owner in range(len(pairs))]


def rank(reading: Reading) -> float:
    """Return the number that orders the windows of one question."""
    return reading.margin + 2 * reading.answerable


def _batches(places: list[Place], batch_tokens: int) -> list[list[Place]]:
    """Group places, sorted by length, so that padding included a group has few tokens."""
    count = 0
    groups: list[list[Place]] = []
    for place in places:
        count += 1
        if not groups or count * len(place.window.ids) > batch_tokens:
            groups.append([])
            count = 1
        groups[-1].append(place)
    return groups
