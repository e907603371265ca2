"""Markdown: the source as it stands is the text; markdown-it says where its headings are."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from rag.load.detect.encoding import decode
from rag.types import Document, Heading

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_FRONT_MATTER = re.compile(r"(---|\+\+\+)[ \t]*\n(.*?\n)??(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(.+?)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_MAX_FRONT_MATTER_LENGTH = 20_000


def load(data: bytes, source: str) -> Document:
    """Raises :class:`rag.errors.LoadError` for data that is not text."""
    text = decode(data)
    front = _FRONT_MATTER.match(text, 0, _MAX_FRONT_MATTER_LENGTH)
    body = front.end() if front else 0
    headings = _headings(text, body)
    title = next((_plain(text[h.start : h.end]) for h in headings if h.level == 1), "")
    if not title and front and (named := _FRONT_TITLE.search(front.group())):
        title = named.group(1).strip("\"'").strip()
    return Document(source, text, title=title, headings=tuple(headings))


def _headings(text: str, body: int) -> list[Heading]:
    """ATX and setext headings of ``text[body:]`` that stand at the outermost level."""
    starts = [body]
    starts += [found.end() for found in re.finditer("\n", text[body:])]
    starts[1:] = [start + body for start in starts[1:]]
    starts.append(len(text))
    headings = []
    tokens = _block_parser().parse(text[body:])
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open" or opening.level or not opening.map:
            continue
        first, after = opening.map
        span = _span(text, inline.content, starts[first], starts[min(after, len(starts) - 1)])
        if span is not None:
            headings.append(Heading(int(opening.tag[1:]), *span))
    return headings


def _span(text: str, content: str, start: int, end: int) -> tuple[int, int] | None:
    """Where the heading's own words stand within its lines ``text[start:end]``."""
    if not content.strip():
        return None
    first, last = content.split("\n")[0], content.split("\n")[-1]
    begin = text.find(first, start, end)
    # A setext heading may have several lines, whose indentation markdown-it drops.
    finish = text.find(last, begin if first is last else begin + len(first), end)
    if "\n" not in content:
        finish = begin
    if begin < 0 or finish < 0:
        return None
    return begin, finish + len(last)


def _plain(heading: str) -> str:
    """A heading's words without emphasis, code and link marks."""
    from markdown_it import MarkdownIt

    inline = MarkdownIt("commonmark").parseInline(heading)[0]
    pieces = (" " if t.type == "softbreak" else t.content for t in inline.children or ())
    return " ".join("".join(pieces).split())


@cache
def _block_parser() -> MarkdownIt:
    """Finds blocks only: inline markup is neither needed for headings nor cheap to parse."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser
