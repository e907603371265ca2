"""The stream of training batches: which example next, which near miss of it, in which window."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tokenizers import Tokenizer

from rag.answering.read.layout import Layout
from rag.answering.read.windows import MAX_QUESTION
from training.data import SOURCES, Example
from training.edits import Edit, Neighbours
from training.near_miss import near_miss
from training.noise import noisy
from training.paraphrase import paraphrased
from training.passages import Passages
from training.windows import (
    IGNORED,
    Batch,
    Piece,
    Window,
    crop,
    encode,
    pad,
    without_answer,
)
from training.yes_no import yes_no

ROUND = 32  # lengths are multiples of this, so that few shapes occur
POOL = 48  # batches made at once and sorted by length


@dataclass(frozen=True, slots=True)
class Mix:
    """What is drawn: shares of the examples, and weights of the greatest window lengths.

    An edit comes beside the unedited example; a passage that lacks the answer in place of it.
    `told` is the share of the edits for which only the passage's own words are tried.
    """

    edit: float = 0.12
    told: float = 0.6
    passage: float = 0.25
    paraphrase: float = 0.25
    noise: float = 0.25
    yes_no: float = 0.06
    lengths: tuple[tuple[int, float], ...] = ((96, 0.3), (160, 0.4), (224, 0.3))


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and a piece of a passage, of an example of `source`."""

    question: str
    piece: Piece
    source: str


@dataclass
class Stream:
    """Batches of windows, the same for the same seed, however often it is begun anew."""

    examples: Sequence[Example]
    passages: Passages
    neighbours: Neighbours
    tokenizer: Tokenizer
    layout: Layout
    seed: int
    batch_tokens: int = 2048

    def __post_init__(self) -> None:
        """Note which examples answer, by passage, for the unanswerable that are drawn with one."""
        self._answered: dict[str, list[int]] = {}
        for i, example in enumerate(self.examples):
            if example.end and SOURCES[example.source].spans:
                self._answered.setdefault(example.context, []).append(i)

    def batches(self, mix: Mix) -> Iterator[Batch]:
        """Yield batches without end, each pool of them with windows of one greatest length."""
        rng = random.Random(self.seed)
        order = self._order(rng)
        lengths, weights = zip(*mix.lengths, strict=True)
        while True:
            [length] = rng.choices(lengths, weights)
            count = POOL * self.batch_tokens // length
            pool = list(itertools.islice(self.windows(order, length, mix, rng), count))
            pool.sort(key=lambda w: len(w.ids) + rng.random() * 8)
            made = list(self._batch(pool))
            rng.shuffle(made)
            yield from made

    def _batch(self, pool: list[Window]) -> Iterator[Batch]:
        """Cut sorted windows into batches of about `batch_tokens` tokens, padding counted."""
        while pool:
            longest = -(-max(len(w.ids) for w in pool) // ROUND) * ROUND
            count = max(1, self.batch_tokens // longest)
            taken, pool = pool[-count:], pool[:-count]
            if len(taken) < count:
                return  # the few shortest left over: not worth a shape of their own
            yield pad(taken, longest)

    def windows(
        self, order: Iterator[int], length: int, mix: Mix, rng: random.Random
    ) -> Iterator[Window]:
        """Yield the windows of the examples in the order given."""
        for index in order:
            for pair in self._pairs(index, length, mix, rng):
                source, question = SOURCES[pair.source], pair.question
                if source.noise and rng.random() < mix.paraphrase:
                    question = paraphrased(question, rng)
                if source.noise and rng.random() < mix.noise:
                    question = noisy(question, rng)
                window = encode(self.tokenizer, self.layout, question, pair.piece, length)
                if window is not None and window.answerable and not source.spans:
                    window = replace(window, start=IGNORED, end=IGNORED)
                if window is not None:
                    yield window

    def _order(self, rng: random.Random) -> Iterator[int]:
        """Yield indices: a file by weight, then its examples in shuffled turns."""
        members: dict[str, list[int]] = {}
        for i, example in enumerate(self.examples):
            members.setdefault(example.source, []).append(i)
        names = list(members)
        weights = [SOURCES[n].weight for n in names]
        turns = {n: _shuffled_for_ever(members[n], rng) for n in names}
        while True:
            yield next(turns[rng.choices(names, weights)[0]])

    def _pairs(self, index: int, length: int, mix: Mix, rng: random.Random) -> Iterator[Pair]:
        """Yield what one example gives: itself, with a near miss or twin, or a hard passage."""
        example = self.examples[index]
        source = SOURCES[example.source]
        room = length - self.layout.special - min(MAX_QUESTION, len(example.question) // 4 + 4)
        whole = Piece(example.context, example.start, example.end)
        draw = rng.random()
        if source.negatives and draw < mix.passage:
            lacking = self._lacking(index, whole, rng)
            if lacking is not None:
                about = example.question if rng.random() < 0.75 else None
                yield Pair(example.question, crop(lacking, room, rng, about), example.source)
                return
        if source.statements and draw < mix.passage + mix.yes_no:
            made = yes_no(Piece(example.context), rng)
            if made is not None:
                yield Pair(made[0], crop(made[1], room, rng), example.source)
                return
        piece = crop(whole, room, rng, None if whole.end else example.question)
        yield Pair(example.question, piece, example.source)
        if source.edits and draw > 1 - mix.edit:
            yield from self._edited(index, piece, mix.told, rng)
        answered = self._answered.get(example.context, []) if source.twins else []
        if answered:
            yield self._plain(rng.choice(answered), room, rng)

    def _plain(self, index: int, room: int, rng: random.Random) -> Pair:
        """Return an example as it is."""
        example = self.examples[index]
        piece = crop(Piece(example.context, example.start, example.end), room, rng)
        return Pair(example.question, piece, example.source)

    def _lacking(self, index: int, whole: Piece, rng: random.Random) -> Piece | None:
        """Return a passage that lacks the answer: its own less a sentence, or one much like it."""
        near = self.passages.near(index)
        if near and rng.random() < 0.65:
            return Piece(rng.choice(near))
        return without_answer(whole)

    def _edited(self, index: int, piece: Piece, told: float, rng: random.Random) -> Iterator[Pair]:
        """Yield one counterpart of an example: question edited, passage edited, or both alike.

        Both alike stays answerable: so an odd name or word by itself means nothing.
        """
        example = self.examples[index]
        others = self.passages.near(index)
        near = rng.choice([piece.text, *others[:1]])
        edit = near_miss(
            example.question,
            piece.text,
            near,
            example.answer,
            self.neighbours,
            rng,
            self.passages.siblings(example),
            told,
        )
        if edit is None:
            return
        draw = rng.random()
        changed = edited_piece(piece, edit) if edit.mutual and draw > 0.5 else None
        plain, edited = example.question, edit.apply(example.question)
        if changed is None:
            yield Pair(edited, Piece(piece.text), example.source)
        elif draw > 0.75:
            yield Pair(edited, changed, example.source)
        else:
            yield Pair(plain, Piece(changed.text), example.source)


def edited_piece(piece: Piece, edit: Edit) -> Piece | None:
    """Apply an edit to the passage outside of the answer; None where it changes nothing there."""
    before, answer, after = (
        piece.text[: piece.start],
        piece.text[piece.start : piece.end],
        piece.text[piece.end :],
    )
    new_before, new_after = edit.apply(before), edit.apply(after)
    if (new_before, new_after) == (before, after) or edit.apply(answer) != answer:
        return None
    shift = len(new_before)
    return Piece(new_before + answer + new_after, shift, shift + len(answer))


def _shuffled_for_ever(items: Sequence[int], rng: random.Random) -> Iterator[int]:
    while True:
        yield from rng.sample(items, len(items))
