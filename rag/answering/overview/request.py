"""Recognises who asks for an overview, and of what: all documents, some of them, or a topic. Pure.

"What is this about?", "Summarise the annual report" and "the main points" in English, German,
Spanish, French, Chinese and Japanese. "What is the merger about?" and "What are the main points of
Article 5?" are questions like any other unless a document has that name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from rag.answering.overview.request_patterns import (
    BACKWARD,
    DOCUMENTS,
    DOCUMENTS_UNSPACED,
    ENDS,
    FOR_BOTH,
    FOR_DOCUMENTS,
    KINDS_OF_DOCUMENT,
    LEAD,
    PATTERNS,
    POINTING,
    QUESTION_WORD,
    SMALL_WORDS,
    TAIL,
)
from rag.text.overlap import normalize
from rag.text.terms import index_terms

MAX_REQUEST_CHARS = 200
"""Longer questions ask for more than an overview."""

MIN_NAME_SHARE = 0.5
"""Share of the words of a file's name, or of a title, that names the document."""


@dataclass(frozen=True, slots=True)
class OverviewScope:
    """What an overview is to be of: ``sources``, all documents where there are none, or a topic."""

    sources: tuple[str, ...] = ()
    topic: str = ""


def requested_overview(
    question: str, titles: Callable[[], Mapping[str, str]], *, in_conversation: bool = False
) -> OverviewScope | None:
    """Return what the question wants an overview of; None if it is a question like any other.

    ``titles`` gives each document's source with its title, and is called only where it matters.
    In a conversation "it" and "that" mean what was talked about, no documents.
    """
    subject = _subject(question)
    if subject is None:
        return None
    words, may_be_topic = subject
    if in_conversation and words and set(_words(words)) <= BACKWARD:
        return None
    if _means_all(words):
        return OverviewScope()
    known = titles()
    if sources := documents_named(words, known):
        return OverviewScope(tuple(sources))
    terms = _words(words)
    if set(terms) <= SMALL_WORDS | DOCUMENTS | KINDS_OF_DOCUMENT and (
        POINTING.search(words) or len(known) == 1
    ):
        return OverviewScope()
    if not may_be_topic or QUESTION_WORD.match(words):
        return None
    return OverviewScope(topic=words)


def documents_named(subject: str, titles: Mapping[str, str]) -> list[str]:
    """Return the sources of the documents that ``subject`` names; whole names before parts.

    A part names one if it holds :data:`MIN_NAME_SHARE` of the words of the name, the ending of a
    file aside.
    """
    asked = normalize(subject)
    wanted = frozenset(index_terms(subject).split()) - SMALL_WORDS - DOCUMENTS
    whole = [s for s, title in titles.items() if asked in {normalize(n) for n in _names(s, title)}]
    if whole or not wanted:
        return whole
    return [
        source
        for source, title in titles.items()
        if any(_names_it(wanted, name) for name in _names(source, title))
    ]


def _subject(question: str) -> tuple[str, bool] | None:
    """The words for what an overview is wanted of, and whether a topic is fine; None if none is."""
    if len(question) > MAX_REQUEST_CHARS:
        return None
    text = _bare(question)
    for pattern in PATTERNS:
        if match := pattern.fullmatch(text):
            found = {name: words for name, words in match.groupdict().items() if words}
            for name in (*FOR_BOTH, *FOR_DOCUMENTS):
                if name in found:
                    return found[name].strip(ENDS), name in FOR_BOTH
            return "", False
    return None


def _bare(question: str) -> str:
    """The question without politeness, and without how long the overview is to be."""
    text = " ".join(question.replace("’", "'").split()).strip(ENDS)
    text = LEAD.sub("", text, count=1) if LEAD.match(text) else text
    while (shorter := TAIL.sub("", text).strip(ENDS)) != text:
        text = shorter
    return text


def _means_all(words: str) -> bool:
    if not words or DOCUMENTS_UNSPACED.fullmatch(words):
        return True
    return set(_words(words)) <= SMALL_WORDS | DOCUMENTS


def _words(text: str) -> list[str]:
    return normalize(text).split()


def _names(source: str, title: str) -> Iterator[str]:
    path = PurePosixPath(source)
    yield from filter(None, (source, path.name, path.stem, title))


def _names_it(wanted: Iterable[str], name: str) -> bool:
    held = frozenset(index_terms(re.sub(r"[_\W]+", " ", PurePosixPath(name).stem)).split())
    held -= SMALL_WORDS
    wanted = frozenset(wanted)
    return wanted <= held and len(wanted) >= MIN_NAME_SHARE * len(held)
