"""Unicode's NFKC as the tokenizers library makes it, with the place of every character."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import combining, is_normalized, normalize

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]

_MAX_SORTED = 30
"""Characters of a sequence that Python's ``normalize``, quadratic in its marks, is given as is."""

_CACHED_CHARACTERS = 1 << 13

_NOT_ASCII = re.compile(r".?[^\x00-\x7f]+", re.DOTALL)

_COMPOSING = re.compile(
    "[\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u102e"
    "\u1161-\u1175\u11a8-\u11c2\u1b35\U00011127\U0001133e\U00011357\U000114b0\U000114ba\U000114bd"
    "\U000115af]"
)
"""Characters that are no marks and yet compose with the one before them."""

_NEWER = re.compile(
    r"["
    r"\u0558\u058b-\u058c\u05c8-\u05c9\u07fd\u0897-\u089f\u08ca-\u08d3\u09fe\u0c3c"
    r"\u0d3b-\u0d3c\u0eba\u1715\u1abf-\u1af0\u1df6-\u1dfa\u209d-\u209f\u32ff\ua7f1-\ua7f4"
    r"\ua82c\uab69\U000105c9-\U000105e4\U00010781-\U000107bf\U00010d24-\U00010d27"
    r"\U00010d69-\U00010d6d\U00010eab-\U00010eff\U00010f46-\U00010f50\U00010f82-\U00010f85"
    r"\U00011070\U0001133b\U00011382-\U000113d0\U0001145e\U00011839-\U0001183a"
    r"\U00011930-\U00011943\U000119e0\U00011a34-\U00011a47\U00011a99\U00011d42-\U00011d45"
    r"\U00011d97\U00011f41-\U00011f42\U0001611e-\U0001612f\U00016d63-\U00016d6a"
    r"\U00016ff0-\U00016ff1\U0001b123-\U0001b126\U0001ccd6-\U0001ccf9\U0001d127-\U0001d128"
    r"\U0001d250-\U0001d281\U0001d6a6\U0001df95\U0001dfcd-\U0001dfff\U0001e030-\U0001e08f"
    r"\U0001e130-\U0001e136\U0001e2ae\U0001e2ec-\U0001e2ef\U0001e4ec-\U0001e4ef"
    r"\U0001e5ee-\U0001e5ef\U0001e6e3-\U0001e6f5\U0001f16c\U0001fbf0-\U0001fbf9"
    r"]"
)
"""Characters since Unicode 9 that a newer Python decomposes, composes or reorders (up to 18)."""


@dataclass(frozen=True, slots=True)
class Normalized:
    """A normalized text; its character ``i`` is made of ``[starts[i], ends[i])`` of the text."""

    text: str
    starts: Places
    ends: Places


def nfkc(text: str) -> Normalized:
    """Normalize as the tokenizers library does, whose tables are those of Unicode 9.

    Characters that compose or change places with one another share one place.
    """
    if text.isascii() or is_normalized("NFKC", text):
        starts = np.arange(len(text), dtype=np.int64)
        return Normalized(text, starts, starts + 1)
    parts: list[str] = []
    starts_of: list[int] = []
    ends_of: list[int] = []
    at = 0
    for start, end, normal in itertools.chain(_changes(text), [(len(text), len(text), "")]):
        parts += text[at:start], normal
        starts_of += range(at, start)
        starts_of += [start] * len(normal)
        ends_of += range(at + 1, start + 1)
        ends_of += [end] * len(normal)
        at = end
    places = np.array([starts_of, ends_of], np.int64)
    return Normalized("".join(parts), places[0], places[1])


def _changes(text: str) -> Iterator[tuple[int, int, str]]:
    """The characters, or sequences of them, that change, and what they become."""
    for run in _NOT_ASCII.finditer(text):
        if not is_normalized("NFKC", run.group()):
            for start, end in _sequences(text, *run.span()):
                normal = _normalized(text[start:end])
                if normal == text[start:end]:
                    continue
                alone = [_normalized(character) for character in text[start:end]]
                if "".join(alone) == normal:
                    for at, character in enumerate(alone, start):
                        yield at, at + 1, character
                else:
                    yield start, end, normal


def _sequences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of ``text[start:end]`` that normalize by themselves."""
    for at in range(start + 1, end):
        if not _joins(text[at]) or _NEWER.match(text[at - 1]):
            yield start, at
            start = at
    yield start, end


@functools.lru_cache(_CACHED_CHARACTERS)
def _joins(character: str) -> bool:
    """Whether it may compose or change places with what stands before it."""
    if _NEWER.match(character):
        return False
    first = normalize("NFKD", character)[0]
    return combining(first) != 0 or _COMPOSING.match(first) is not None


def _normalized(sequence: str) -> str:
    if _NEWER.match(sequence):
        return sequence
    return normalize("NFKC", sequence if len(sequence) <= _MAX_SORTED else _ordered(sequence))


def _ordered(sequence: str) -> str:
    """The sequence decomposed, with its marks in their order: in linear time but for the sort."""
    decomposed = "".join(normalize("NFKD", character) for character in sequence)
    groups = itertools.groupby(decomposed, key=lambda character: combining(character) == 0)
    return "".join("".join(sorted(group, key=combining)) for _, group in groups)
