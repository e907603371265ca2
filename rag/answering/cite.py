"""Citations: numbering them, and resolving and checking the markers that a language model wrote.

Pure: no model, no store. A citation's quote is a slice of its document, so it cannot differ from
the source; what is checked here is that the quote supports the sentence that carries the marker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rag.answering.support import supporting_quote
from rag.text.overlap import terms
from rag.text.sentences import sentence_spans
from rag.types import Citation, Hit, Span

_ITEM = r"\d+(?:\s*[-‐-―−~]\s*\d+)?"
MARKER = re.compile(rf"[\[【]\s*({_ITEM}(?:\s*[,;]\s*{_ITEM})*)\s*[\]】]")
"""``[1]``, and what models write instead: ``[1, 2]``, ``[1-3]``, ``【1】``. A number in brackets is
taken for a marker however large it is: ``[2024]`` names no passage and is removed."""

_INSIDE = r"\d\s,;~‐-―−-"
_UNFINISHED_MARKERS = re.compile(rf"(?<![\[【{_INSIDE}])([{_INSIDE}]*)[\[【][\[【{_INSIDE}]*$")
_MAX_DIGITS = 9

_MARKDOWN_REFERENCE = re.compile(
    r"!\[[^\[\]\n]*+\]\[[^\[\]\n]*+\]|^[ \t]*\[(?!\d+\])[^\[\]\n]++\]:[^\n]*+", re.MULTILINE
)
_MARKDOWN_LINK = re.compile(r"(!?)\[([^\[\]\n]*+)\]\(\s*+([^()\s]*+)[^()\n]*+\)")
_ADDRESS = re.compile(
    r"(?<![\w/])(?:[a-z][a-z0-9+.-]{1,20}://|www\.|javascript:|data:\w+/|mailto:)[^\s<>\"')\]]+",
    re.IGNORECASE,
)
_LINE_ENDS = re.compile(r"\n+")
_LEADING_MARKERS = re.compile(rf"(?:\s*{MARKER.pattern})+")


Names = Callable[[Hit], Sequence[Hit]]
"""A hit under each name of its document: copies are found once and cited under each."""


def with_source(hit: Hit, source: str) -> Hit:
    """Return the hit in a copy of its document that has another name."""
    document = replace(hit.chunk.document, source=source)
    return replace(hit, chunk=replace(hit.chunk, document=document))


def _alone(hit: Hit) -> Sequence[Hit]:
    return (hit,)


@dataclass(frozen=True, slots=True)
class Cited:
    """A text with markers ``[n]`` and their citations; ``dropped`` counts removed markers.

    In a text of :func:`resolve_markers` every number in brackets is a marker that has its
    citation. A text of :func:`cite_spans` is verbatim: beside its markers, which follow each
    statement, it may hold brackets of the document itself, such as a ``[7]`` that refers to the
    document's own list of sources and must not be taken for one of ``citations``.
    """

    text: str
    citations: tuple[Citation, ...]
    dropped: int = 0


def cite_spans(
    statements: Sequence[Sequence[Span]], lead: str = "", names: Names = _alone
) -> Cited:
    """A text of verbatim statements, each followed by the markers of the spans that support it.

    The first span of a statement is shown. After a ``lead`` each statement has a line of its own.
    """
    citations: list[Citation] = []
    sentences: list[str] = []
    for spans in statements:
        markers = ""
        for span in spans:
            for hit in names(span.hit):
                citation = Citation(len(citations) + 1, hit, span.start, span.end)
                citations.append(citation)
                markers += f"[{citation.number}]"
        sentences.append(f"{' '.join(spans[0].text.split())} {markers}")
    text = "\n".join((lead, *(f"- {s}" for s in sentences))) if lead else " ".join(sentences)
    return Cited(text, tuple(citations))


def resolve_markers(text: str, hits: Sequence[Hit], names: Names = _alone) -> Cited:
    """Replace a model's markers, numbers of ``hits`` from 1, by those of exact citations.

    A marker is dropped when it names no given passage, or when that passage does not support
    the sentence before it. Markers are numbered anew, in order; equal quotes share a number.
    ``[1-3]`` counts as three; the part of a range that names no passage counts as one.
    """
    numbers: dict[tuple[str, int, int], Citation] = {}
    pieces: list[str] = []
    dropped = 0
    position = 0
    for match in MARKER.finditer(text):
        pieces.append(text[position : match.start()])
        position = match.end()
        claim = _claim_before(MARKER.sub("", text[: match.start()]))
        kept: list[int] = []
        for number in _passage_numbers(match.group(1), len(hits)):
            quote = supporting_quote(claim, hits[number - 1]) if number else None
            if quote is None:
                dropped += 1
                continue
            for hit in names(hits[number - 1]):
                key = (hit.source, *quote)
                citation = numbers.setdefault(key, Citation(len(numbers) + 1, hit, *quote))
                kept.append(citation.number)
        if kept:
            pieces.extend(f"[{number}]" for number in dict.fromkeys(kept))
        else:
            # Of "[[9]1]" no "[1]" may be left, which nothing has checked.
            pieces[-1] = _UNFINISHED_MARKERS.sub(r"\1", pieces[-1]).rstrip(" ")
    pieces.append(text[position:])
    return Cited("".join(pieces), tuple(numbers.values()), dropped)


def drop_foreign_links(text: str, hits: Sequence[Hit]) -> str:
    """``text`` without addresses that stand in none of ``hits``, and with Markdown's links as text.

    A model has no address to tell but those of the passages; others would carry something away.
    """
    held = "\n".join(hit.text for hit in hits)

    def unlinked(match: re.Match[str]) -> str:
        is_image, words, address = match.groups()
        words = f"[{words}]" if re.fullmatch(r"\d{1,2}", words) else words
        return "" if is_image else f"{words} {address}" if address in held else words

    plain = _MARKDOWN_LINK.sub(unlinked, _MARKDOWN_REFERENCE.sub("", text))
    return _ADDRESS.sub(lambda match: match[0] if match[0].rstrip(".,;:") in held else "", plain)


def drop_unsupported(cited: Cited) -> Cited:
    """``cited`` without what carries no marker and is supported by none of the passages cited.

    One good citation does not vouch for the sentences beside it, nor for what follows its marker
    in the same one. Words that nothing could be held against are kept; each piece that is removed
    counts as dropped. Lines without words, such as bare links and images, go without being counted.
    """
    text = cited.text
    hits = list(dict.fromkeys(citation.hit for citation in cited.citations))
    kept: list[str] = []
    dropped = 0
    for start, end, following in _statements(text):
        markers = list(MARKER.finditer(text, start, end))
        checked = markers[-1].end() if markers else start
        rest = text[checked:end]
        lines = "".join(_LINE_ENDS.findall(text, end, following))
        if not terms(rest) or any(supporting_quote(rest, hit) for hit in hits):
            kept.append(text[start:end] + lines)
            continue
        dropped += 1
        if markers:
            kept.append(f"{text[start:checked]}.{lines}")
    joined = re.sub(r"(?<=\S)\0(?=\S)", " ", "\0".join(kept)).replace("\0", "")
    return Cited(joined.strip(), cited.citations, cited.dropped + dropped)


def _statements(text: str) -> Iterator[tuple[int, int, int]]:
    """Where each sentence starts, ends with its markers, and where the next one starts."""
    spans = [*sentence_spans(text), (len(text), len(text))]
    start = spans[0][0]
    for (_, end), (following, _) in pairwise(spans):
        # Markers after the full stop stand at the beginning of what is taken for the next one.
        if markers := _LEADING_MARKERS.match(text, end):
            end = following = max(following, markers.end())
        yield start, end, following
        start = following


def _passage_numbers(listed: str, count: int) -> Iterator[int]:
    """The numbers in a marker from 1 to ``count``, and a 0 for each item that goes beyond."""
    for item in re.findall(_ITEM, listed):
        ends = [
            int(digits) if len(digits) <= _MAX_DIGITS else count + 1
            for digits in re.findall(r"\d+", item)
        ]
        low, high = min(ends), max(ends)
        yield from range(max(low, 1), min(high, count) + 1)
        if low < 1 or high > count:
            yield 0


def finished_part(text: str) -> str:
    """Return the sentences of a growing text that are whole, with the markers that follow them."""
    spans = sentence_spans(text)
    if len(spans) < 2:
        return ""
    start = spans[-1][0]
    markers = _LEADING_MARKERS.match(text, start)
    if markers is None:
        return text[:start].rstrip()
    return text[: markers.end()] if text[markers.end() :].strip() else text[:start].rstrip()


def _claim_before(text: str) -> str:
    spans = sentence_spans(text)
    return text[spans[-1][0] : spans[-1][1]] if spans else ""
