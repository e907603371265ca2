"""The sentences of a document that can stand alone in an overview. Pure.

Left out are titles and headings, rows of tables, code, questions, fragments, sentences too short
or too long to quote, what is said of a page rather than of its subject (cookies, copyright), what
comes again and again, and what addresses a language model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from rag.answering.generate.injection import looks_like_prompt_injection
from rag.text.overlap import normalize
from rag.text.sentences import TextSpan, sentence_spans
from rag.text.terms import count_words
from rag.types import Document

MIN_WORDS, MAX_WORDS = 6, 50
"""Of a sentence: fewer tell nothing, more are no overview. Two characters of Chinese are one."""

MIN_PROSE = 3
"""Sentences with a full stop, of a document that is prose: notes and slides have none."""

MAX_REPEATS = 2
"""Times that a sentence may stand in a document: more is a running header."""

_MIN_LETTERS = 0.6
"""Share of letters and blanks from which on a line is no code and no row of figures."""

_MAX_CHARACTERS = 600
"""Longer ones are not looked at any closer."""

_ENDS = re.compile(r"[.!。！｡।۔…][\"'”’»)\]」』）】〉》*_]*(?:\[\d+\])*$")
_ASKS = re.compile(r"[?？؟][\"'”’»)\]」』）】〉》*_]*$")
_ADDRESS = re.compile(r"https?://|www\.|\S@\S+\.\w")
_CODE = re.compile(r"[{}<>\\=|`~^]|\w\(\)|;$|::|^\s*[#$%]")
_BOILERPLATE = re.compile(
    r"\ball rights reserved\b|©|\bcopyright\b.{0,20}\d{4}|\bcookies?\b.{0,40}\b(?:use|accept|site)"
    r"|\b(?:use|accept|site).{0,40}\bcookies?\b|\b(?:click|tap) (?:here|on)\b"
    r"|\bsubscribe (?:to|now)\b"
    r"|\bsign (?:up|in) (?:to|for|now)\b|\bterms of (?:use|service)\b|\bprivacy policy\b"
    r"|^(?:see|read) (?:also|more)\b|^(?:figure|table|fig\.|tab\.) \d",
    re.IGNORECASE,
)


_LEANS = re.compile(
    r"(?:it|they|he|she|this|these|those|that|such|its|his|her|their|however|consequently|therefore"
    r"|thus|hence|also|moreover|furthermore|but|and|so|then|instead|again|because of (?:this|these)"
    r"|as a result|for (?:this|example)|in (?:this|these|addition|contrast)|(?:on )?the other"
    r"|er|sie|es|dies\w*|daher|deshalb|jedoch|außerdem|zudem|auch|dabei|damit|dennoch"
    r"|ellos?|ellas?|est[aeo]s?|además|sin embargo|por (?:eso|ello|tanto)|también"
    r"|ils?|elles?|ce(?:s|la|tte|ci)?|cependant|ainsi|donc|de plus|toutefois)\b",
    re.IGNORECASE,
)


def leans_on_another(sentence: str) -> bool:
    """Whether a sentence opens with a word for what the one before it says: "This", "However"."""
    return _LEANS.match(sentence) is not None


def candidates(document: Document, parts: Iterable[TextSpan] | None = None) -> list[TextSpan]:
    """Return the spans of the sentences that may be quoted, in order; of ``parts`` only if given.

    Where hardly any line ends like a sentence, as in notes and slides, lines without an end count.
    """
    text = document.text
    within = [(0, len(text))] if parts is None else parts
    headings = {line for h in document.headings for line in range(h.start, h.end)}
    spans = [
        span
        for start, end in within
        for span in sentence_spans(text, start, end)
        if span[0] not in headings
        and text[slice(*span)] != document.title
        and _can_be_quoted(text[slice(*span)])
    ]
    spans = _without_repeats(text, spans)
    whole = [span for span in spans if _ENDS.search(text[slice(*span)])]
    return whole if len(whole) >= MIN_PROSE else spans


def _can_be_quoted(sentence: str) -> bool:
    if len(sentence) > _MAX_CHARACTERS or not MIN_WORDS <= count_words(sentence) <= MAX_WORDS:
        return False
    letters = sum(c.isalpha() or c.isspace() for c in sentence)
    return (
        letters >= _MIN_LETTERS * len(sentence)
        and not sentence[0].islower()
        and not _ASKS.search(sentence)
        and not _ADDRESS.search(sentence)
        and not _CODE.search(sentence)
        and not _BOILERPLATE.search(sentence)
        and not looks_like_prompt_injection(sentence)
    )


def _without_repeats(text: str, spans: Sequence[TextSpan]) -> list[TextSpan]:
    """The first of equal sentences; none of one that comes too often."""
    words = [normalize(text[start:end]) for start, end in spans]
    counts = Counter(words)
    first = dict(zip(reversed(words), reversed(spans), strict=True))
    return sorted(span for word, span in first.items() if counts[word] <= MAX_REPEATS)
