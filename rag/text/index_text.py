"""What is indexed for a chunk: its own words, and the title and the headings it stands under."""

from __future__ import annotations

from collections.abc import Sequence

from rag.text.sentences import without_noise
from rag.types import Chunk, Document, Heading

CONTEXT_BYTES = 120
"""Longest title and headings put before a chunk's text, in UTF-8, so that they cannot crowd it out.

A tokenizer makes about one token of a byte at worst, whatever the script: less than half of what
the bundled model reads.
"""

_OPENING_CHARACTERS = 240
"""Headings in this much of a chunk's text are not put before it once more."""

_MAX_NAME = 1000
"""Characters looked at of a title or a heading, so that a whole page made one stays cheap."""


def index_text(chunk: Chunk) -> str:
    """Return what is embedded and searched for a chunk: its context, and its text without noise."""
    context = index_context(chunk)
    body = without_noise(chunk.text)
    return f"{context}\n{body}" if context else body


def index_context(chunk: Chunk) -> str:
    """Return the title and the headings above the chunk, in one line; blank without any."""
    document = chunk.document
    above = [h for h in document.headings_above(chunk.start) if h.start < chunk.start]
    opening = document.text[chunk.start : min(chunk.end, chunk.start + _OPENING_CHARACTERS)]
    return _context([name for name in _names(document, above) if name not in opening])


def contexts_under(document: Document, position: int) -> list[str]:
    """Return what chunks of the section around ``position`` may carry, with the line's end.

    Which of them it is depends on how many of its headings stand in the chunk itself.
    """
    names = _names(document, document.headings_above(position))
    return [f"{_context(names[:count])}\n" for count in range(len(names) + 1)]


def _names(document: Document, headings: Sequence[Heading]) -> list[str]:
    """The title and the headings' words, each once and on one line."""
    spans = ((max(h.start, h.end - _MAX_NAME), h.end) for h in headings)
    names = (document.title[-_MAX_NAME:], *(document.text[s:e] for s, e in spans))
    return [name for name in dict.fromkeys(" ".join(name.split()) for name in names) if name]


def _context(names: Sequence[str]) -> str:
    return " > ".join(names).encode()[-CONTEXT_BYTES:].decode(errors="ignore")
