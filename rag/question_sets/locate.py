"""Where words stand in documents: what other formats lack and a question set needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rag.question_sets.model import Evidence
from rag.text.sentences import sentence_spans
from rag.text.terms import index_terms

_WINDOW = 600
"""Characters on each side of an occurrence in which its sentence is looked for."""


@dataclass(slots=True)
class Documents:
    """The documents to search: their sources, and the canonical text of each.

    ``named`` tells the source of those that came with the imported set, by their name in it.
    """

    sources: Sequence[str]
    text_of: Callable[[str], str]
    named: Mapping[str, str] = field(default_factory=dict)
    _last: str = field(default="", init=False)
    _known: frozenset[str] = field(default=frozenset(), init=False)

    def __post_init__(self) -> None:
        self._known = frozenset(self.sources)

    def __contains__(self, source: str) -> bool:
        return source in self._known

    def find_passage(self, passage: str, name: str = "") -> Evidence | None:
        """Return the first place of a long text, exact or but for its white space; None if nowhere.

        The document of that ``name`` is looked at first, and the one that held the last passage:
        passages come in order.
        """
        words = passage.strip()
        likely = [s for s in (self.named.get(name, ""), self._last) if s in self]
        ordered = dict.fromkeys((*likely, *self.sources))
        for find in (_exact, _but_for_blanks):
            for source in ordered:
                span = find(self.text_of(source), words)
                if span:
                    self._last = source
                    return Evidence(source, *span)
        return None

    def find_answer(self, answer: str, question: str, sources: Sequence[str]) -> list[Evidence]:
        """The places of an answer in ``sources`` whose sentence has most words of the question.

        Occurrences inside other words count only where there are no others.
        """
        found = {source: _occurrences(self.text_of(source), answer) for source in sources}
        whole = any(is_whole for starts in found.values() for is_whole in starts.values())
        places = [
            Evidence(source, start, start + len(answer))
            for source, starts in found.items()
            for start, is_whole in starts.items()
            if is_whole or not whole
        ]
        if len(places) < 2:
            return places
        asked = set(index_terms(question).split())
        shared = [len(asked & self._words_around(place)) for place in places]
        best = max(shared)
        return [place for place, count in zip(places, shared, strict=True) if count == best]

    def _words_around(self, place: Evidence) -> set[str]:
        text = self.text_of(place.source)
        low, high = max(0, place.start - _WINDOW), min(len(text), place.end + _WINDOW)
        for start, end in sentence_spans(text, low, high):
            if start <= place.start < end:
                return set(index_terms(text[start:end]).split())
        return set()


def occurrences(text: str, words: str) -> list[int]:
    """Tell where ``words`` stand in ``text``, exactly; as whole words, if they do so anywhere."""
    found = _occurrences(text, words)
    whole = any(found.values())
    return [start for start, is_whole in found.items() if is_whole or not whole]


def _occurrences(text: str, words: str) -> dict[int, bool]:
    """Where ``words`` stand in ``text``, and whether they are whole words there."""
    starts = (match.start() for match in re.finditer(re.escape(words), text))
    return {start: _is_whole(text, start, start + len(words)) for start in starts}


def _is_whole(text: str, start: int, end: int) -> bool:
    return not (
        (start > 0 and text[start - 1].isalnum() and text[start].isalnum())
        or (end < len(text) and text[end].isalnum() and text[end - 1].isalnum())
    )


def _exact(text: str, words: str) -> tuple[int, int] | None:
    start = text.find(words)
    return (start, start + len(words)) if start >= 0 else None


def _but_for_blanks(text: str, words: str) -> tuple[int, int] | None:
    match = re.search(r"\s+".join(map(re.escape, words.split())), text)
    return match.span() if match else None
