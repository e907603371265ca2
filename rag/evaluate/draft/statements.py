"""Sentences of a document that say something by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.text.sentences import sentence_spans

_MIN_LENGTH, _MAX_LENGTH = 30, 400
_MARKUP = re.compile(r"[|#*\[\]{}<>_=\\@^~`]|https?:|www\.|\.{3}|…")
_ENGLISH = re.compile(r"\b(?:the|of|in|is|was|are|were|and|to|a|an|by|for|with|from|has|have)\b")
_POINTS_BACK = re.compile(
    r"(?:It|He|She|They|This|That|These|Those|Its|His|Her|Their|Such|Here|There|We|Our|I|You|Your"
    r"|My|And|But|Or|So|Both|Neither|Some|Others|Another|Same|What|Which|Who|If|Let)\b"
)
_CONNECTIVE = re.compile(
    r"(?:(?:However|Meanwhile|Moreover|Furthermore|Additionally|Similarly|Therefore|Thus|Finally"
    r"|Also|Nevertheless|Instead|Today|Now|Indeed|Previously|Rather|Overall|In addition|In fact"
    r"|For example|For instance|As a result|Of course|In contrast|In particular"
    r"|On the other hand|According to [^,]{3,80}), )"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence ``text`` that starts at ``start`` of the document ``source``.

    Line breaks within it are blanks, which keeps the offsets; a leading "However," is left out,
    and ``sentence`` has the start and the end of the whole.
    """

    source: str
    start: int
    text: str
    sentence: tuple[int, int]


def statements(source: str, text: str) -> Iterator[Statement]:
    """Yield the plain English sentences of a document that can be asked about alone."""
    for whole in sentence_spans(text):
        start, end = whole
        if not _MIN_LENGTH <= end - start <= _MAX_LENGTH:
            continue
        sentence = text[start:end].replace("\n", " ").replace("\t", " ")
        while lead := _CONNECTIVE.match(sentence):
            sentence, start = sentence[lead.end() :], start + lead.end()
        if is_plain(sentence):
            yield Statement(source, start, sentence, whole)


def is_plain(sentence: str) -> bool:
    """Whether a sentence is whole, English, free of markup, and does not begin by pointing back."""
    letters = sum(c.isalpha() or c == " " for c in sentence)
    return (
        sentence.rstrip("\"”’'").endswith(".")
        and sentence[0].isalnum()
        and not _POINTS_BACK.match(sentence)
        and not _MARKUP.search(sentence)
        and letters >= 0.7 * len(sentence)
        and len(_ENGLISH.findall(sentence)) >= 2
        and sentence.count("(") == sentence.count(")")
        and sentence.count("“") == sentence.count("”")
        and sentence.count('"') % 2 == 0
    )
