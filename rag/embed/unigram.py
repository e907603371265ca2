"""A Unigram tokenizer that opens in a few hundredths of a second.

It makes the word pieces that the tokenizers library makes of the same vocabulary with NFKC, blanks
made single and "▁" before every word. That library takes 0.8 s to open 250,000 pieces, this module
0.04 s; after that the library is faster, by 5 to 10 ms for a question and five passages and up to
three times for a megabyte at once, up to six for Chinese in chunks; a megabyte takes 1 to 2 s here.
A model takes minutes to read or embed as much, so there is one tokenizer for all.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rag.embed.nfkc import nfkc
from rag.embed.piece_index import NONE, Ints, PieceIndex

MAX_CACHED_WORDS, MAX_CACHED_LENGTH = 1 << 14, 24
"""Words whose pieces are kept, and their characters: some megabytes."""

_UNKNOWN_PENALTY = 10.0
"""How much less than the worst piece an unknown character scores; the library's number."""

_WORD = "▁"
_SPACE = np.array([chr(code).isspace() for code in range(0x3002)])
_BLANK = np.isin(np.arange(len(_SPACE)), [ord(c) for c in " \t\n\r"])
"""By code; the last stands for all others too."""

_SURROGATES = re.compile("[\ud800-\udfff]")

_POSITIONS = 1 << 14
"""Characters whose pieces are looked up in one step, which bounds the memory."""

Word = tuple[tuple[int, ...], tuple[int, ...]]
"""A word's pieces, and how many characters each has."""


class Encoding(NamedTuple):
    """A text's word pieces, and the characters ``[start, end)`` of the text of each."""

    ids: list[int]
    offsets: list[tuple[int, int]]


class Unigram:
    """The pieces of a vocabulary, and the likeliest way to make a text of them."""

    def __init__(
        self, text: bytes, borders: npt.ArrayLike, scores: npt.ArrayLike, unknown: int
    ) -> None:
        """Read pieces, none empty: piece ``i`` is ``text[borders[i]:borders[i + 1]]`` in UTF-8.

        ``scores`` are their log probabilities; ``unknown`` is the piece of any other character.
        """
        self._index = PieceIndex(np.frombuffer(text, np.uint8), np.asarray(borders, np.int64))
        self._scores = np.asarray(scores, np.float64)
        self._unknown = unknown
        self._unknown_score = float(self._scores.min()) - _UNKNOWN_PENALTY
        self._cache: dict[str, Word] = {}

    def encode(self, text: str) -> Encoding:
        """The word pieces of a text, without special tokens before and after it.

        Offsets leave out leading blanks. A lone surrogate is read as U+FFFD.
        """
        written, starts, ends = _written(text)
        words = written.split(_WORD)[1:]
        known = self._words(set(words))
        ids: list[int] = []
        lengths: list[int] = []
        for word in words:
            pieces, sizes = known[word]
            ids += pieces
            lengths += sizes
        last = np.cumsum(lengths, dtype=np.int64)
        to = ends[last - 1]
        since = np.minimum(starts[last - np.array(lengths, np.int64)], to)
        return Encoding(ids, list(zip(since.tolist(), to.tolist(), strict=True)))

    def _words(self, words: Iterable[str]) -> dict[str, Word]:
        """Every word's pieces; words are without their "▁"."""
        found = {word: self._cache.get(word) for word in words}
        new = [word for word, pieces in found.items() if pieces is None]
        solved = dict(zip(new, self._solve(new), strict=True)) if new else {}
        if len(self._cache) + len(solved) > MAX_CACHED_WORDS:
            self._cache.clear()
        short = (item for item in solved.items() if len(item[0]) <= MAX_CACHED_LENGTH)
        self._cache.update(itertools.islice(short, MAX_CACHED_WORDS))
        return {word: solved[word] if kept is None else kept for word, kept in found.items()}

    def _solve(self, words: Sequence[str]) -> list[Word]:
        """The likeliest pieces of each word, found together.

        A word of ``n`` characters has ``n + 1`` nodes, the borders of its characters.
        """
        sizes = np.array([len(word) + 1 for word in words])
        data = "".join(_WORD + word for word in words).encode()
        firsts = np.cumsum(sizes + 1) - (sizes + 1)
        nodes = int(sizes.sum()) + len(words)
        best = np.full(nodes, -np.inf)
        best[firsts] = 0.0
        score, back, piece = best.tolist(), [0] * nodes, [self._unknown] * nodes
        for start, end, index, gain in self._edges(data, sizes):
            total = score[start] + gain
            if total > score[end]:
                score[end], back[end], piece[end] = total, start, index
        lasts = (firsts + sizes).tolist()
        return [
            self._path(first, last, back, piece)
            for first, last in zip(firsts.tolist(), lasts, strict=True)
        ]

    def _edges(self, data: bytes, sizes: Ints) -> Iterable[tuple[int, int, int, float]]:
        """Pieces in words as ``(from node, to node, piece, score)``, by their first node."""
        raw = np.frombuffer(data, np.uint8)
        places = np.flatnonzero(raw & 0xC0 != 0x80)
        words = np.repeat(np.arange(len(sizes)), sizes)
        borders = np.append(places, len(raw))
        stops = borders[np.cumsum(sizes)][words]
        character = np.full(len(raw) + 1, NONE)
        character[borders] = np.arange(len(borders))
        for low in range(0, len(places), _POSITIONS):
            part = slice(low, low + _POSITIONS)
            which, end, index = self._index.find(raw, places[part], stops[part], character)
            start = which + low
            single = np.zeros(len(places[part]), bool)
            single[which[end == start + 1]] = True
            lone = np.flatnonzero(~single)
            start = np.concatenate([start, lone + low])
            end = np.concatenate([end, lone + low + 1])
            gain = np.concatenate([self._scores[index], np.full(len(lone), self._unknown_score)])
            index = np.concatenate([index, np.full(len(lone), self._unknown)])
            order = np.argsort(start, kind="stable")
            shift = words[start]
            columns = (start + shift, end + shift, index, gain)
            yield from zip(*(column[order].tolist() for column in columns), strict=True)

    def _path(self, first: int, last: int, back: list[int], piece: list[int]) -> Word:
        """The best path to a word's last node; unknown characters in a row are one piece."""
        ids: list[int] = []
        sizes: list[int] = []
        while last > first:
            before, index = back[last], piece[last]
            if ids and ids[-1] == index == self._unknown:
                sizes[-1] += last - before
            else:
                ids.append(index)
                sizes.append(last - before)
            last = before
        return tuple(reversed(ids)), tuple(reversed(sizes))


def _written(text: str) -> tuple[str, Ints, Ints]:
    """The text with a "▁" before every word, and where each of its characters stands in ``text``.

    Starts are after blanks. The library's way: a blank is one of four characters, the last of
    several stands for all, and a "▁" that the text has is one as well.
    """
    if not text:
        return "", *np.zeros((2, 0), np.int64)
    normal = nfkc(_SURROGATES.sub("\ufffd", text))
    codes = _codes(normal.text)
    blank = _are(_BLANK, codes)
    kept = np.flatnonzero(~(blank & np.append(blank[1:], False)))
    codes = np.where(blank, np.uint32(ord(_WORD)), codes)[kept]
    if codes[0] != ord(_WORD):
        codes = np.insert(codes, 0, ord(_WORD))
        kept = np.insert(kept, 0, 0)
    starts = _after_spaces(text)[normal.starts[kept]]
    return codes.tobytes().decode("utf-32-le"), starts, normal.ends[kept]


def _after_spaces(text: str) -> Ints:
    """For each character the place of the first one from there on that is no white space."""
    space = _are(_SPACE, _codes(text))
    places = np.where(space, len(text), np.arange(len(text)))
    return np.minimum.accumulate(places[::-1])[::-1]


def _codes(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _are(table: npt.NDArray[np.bool_], codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    return table[np.minimum(codes, len(table) - 1)]
