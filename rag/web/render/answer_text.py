"""An answer's text: its markers as buttons, its short answer in bold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from rag.types import Answer, Citation
from rag.web.render.names import place
from rag.web.render.page_templates import fill

_MARKER = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Piece:
    """Words of an answer; or its marker of citation ``number``, a button with this ``label``."""

    text: str
    is_bold: bool = False
    number: int = 0
    label: str = ""


def answer_text(answer: Answer, turn: int) -> Markup:
    """The answer's text as HTML: its markers as buttons, its short answer in bold.

    A ``[2]`` that stands in the quoted words themselves is the document's own and stays text.
    """
    return fill("answer_text.html", pieces=list(_pieces(answer)), turn=turn)


def _pieces(answer: Answer) -> Iterator[Piece]:
    text = answer.text
    short = " ".join((answer.short or "").split())
    bold = text.find(short) if short else -1
    position = 0
    for start, end, citation in _markers(answer):
        yield from _words(text, position, start, bold, bold + len(short))
        label = f"Citation {citation.number}: {place(citation.source, citation.place)}"
        yield Piece(f"[{citation.number}]", number=citation.number, label=label)
        position = end
    yield from _words(text, position, len(text), bold, bold + len(short))


def _words(text: str, start: int, end: int, bold: int, bold_end: int) -> Iterator[Piece]:
    """``text[start:end]``, with what falls into ``bold:bold_end`` in bold."""
    a, b = max(start, bold), min(end, bold_end)
    if bold < 0 or a >= b:
        a = b = end
    parts = (start, a, False), (a, b, True), (b, end, False)
    yield from (Piece(text[first:last], is_bold) for first, last, is_bold in parts if first < last)


def _markers(answer: Answer) -> Iterator[tuple[int, int, Citation]]:
    citations = {citation.number: citation for citation in answer.citations}
    own = _quoted_ranges(answer.text, answer.citations)
    for match in _MARKER.finditer(answer.text):
        citation = citations.get(int(match[1]))
        if citation and not any(a <= match.start() and match.end() <= b for a, b in own):
            yield match.start(), match.end(), citation


def _quoted_ranges(text: str, citations: Sequence[Citation]) -> list[tuple[int, int]]:
    """Where the citations' own words stand in ``text``, whatever their white space."""
    ranges = []
    for quote in {citation.quote for citation in citations}:
        if words := quote.split():
            pattern = r"\s+".join(map(re.escape, words))
            ranges += [match.span() for match in re.finditer(pattern, text)]
    return ranges
