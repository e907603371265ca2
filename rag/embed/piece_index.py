"""The pieces of a vocabulary by their hashes, so that opening it takes no loop in Python."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

NONE = -1
"""In place of a piece or a node where there is none."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_PIECES_PER_STEP = 1 << 14
"""Pieces that are hashed at a time, which bounds the memory."""

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]


class PieceIndex:
    """Finds pieces by a hash of 64 bits, in a table with open addressing.

    No two pieces of a vocabulary may have the same hash. The chance that a megabyte of text holds
    other bytes with the hash of one of 250,000 pieces is less than one in a million.
    """

    def __init__(self, text: Bytes, borders: Ints) -> None:
        """Read pieces, none empty: piece ``i`` is ``text[borders[i]:borders[i + 1]]``."""
        count = len(borders) - 1
        longest = int(np.diff(borders).max())
        self._powers = np.multiply.accumulate(np.full(longest, _MULTIPLIER))
        self._hashes = np.concatenate(
            [
                self._hash(text, borders[low : low + _PIECES_PER_STEP + 1])
                for low in range(0, count, _PIECES_PER_STEP)
            ]
        )
        bits = count.bit_length() + 2
        self._shift = np.uint64(64 - bits)
        self._table = np.full(1 << bits, NONE, np.int32)
        left = np.arange(count, dtype=np.int32)
        slots = self._slots(self._hashes)
        while left.size:
            free = self._table[slots] == NONE
            self._table[slots[free]] = left[free]
            lost = self._table[slots] != left
            left, slots = left[lost], self._next(slots[lost])

    def find(self, text: Bytes, places: Ints, stops: Ints, nodes: Ints) -> tuple[Ints, Ints, Ints]:
        """Pieces in ``text`` as ``(which place, end node, piece)``.

        They begin at one of ``places`` and end by the place's stop in ``stops``, at a byte with a
        node: ``nodes`` are those of all bytes of the text and of its end, or ``NONE``.
        """
        left = np.arange(len(places))
        sums = np.zeros(len(places), np.uint64)
        found: list[tuple[Ints, Ints, Hashes]] = []
        for position, power in enumerate(self._powers):
            left = left[places[left] + position < stops[left]]
            if not left.size:
                break
            at = places[left] + position
            sums[left] += _terms(text[at], power)
            ends = nodes[at + 1]
            whole = ends != NONE
            found.append((left[whole], ends[whole], sums[left[whole]]))
        which, ends, hashes = (np.concatenate(column) for column in zip(*found, strict=True))
        pieces = self.lookup(hashes)
        hit = pieces != NONE
        return which[hit], ends[hit], pieces[hit]

    def lookup(self, hashes: Hashes) -> Ints:
        """The piece of each hash, or ``NONE``."""
        pieces = np.full(len(hashes), NONE, np.int64)
        left = np.arange(len(hashes))
        slots = self._slots(hashes)
        while left.size:
            held = self._table[slots]
            taken = held != NONE
            left, slots, held = left[taken], slots[taken], held[taken]
            same = self._hashes[held] == hashes[left]
            pieces[left[same]] = held[same]
            left, slots = left[~same], self._next(slots[~same])
        return pieces

    def _hash(self, text: Bytes, borders: Ints) -> Hashes:
        """The hashes of adjacent pieces."""
        first, last = int(borders[0]), int(borders[-1])
        places = np.arange(first, last) - np.repeat(borders[:-1], np.diff(borders))
        terms = _terms(text[first:last], self._powers[places])
        return np.asarray(np.add.reduceat(terms, borders[:-1] - first))

    def _slots(self, hashes: Hashes) -> Ints:
        return (hashes >> self._shift).astype(np.int64)

    def _next(self, slots: Ints) -> Ints:
        return (slots + 1) & (len(self._table) - 1)


def _terms(text: Bytes, powers: Hashes | np.uint64) -> Hashes:
    """What bytes add to a hash: never 0, so that a NUL counts."""
    return (text.astype(np.uint64) + np.uint64(1)) * powers
