"""Where a kept question has its words from: so that it follows the document, and goes with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

from rag.question_sets.model import Evidence
from rag.text.sentences import sentence_spans, spans_over


@dataclass(frozen=True, slots=True)
class Origin:
    """A passage ``text[start:end]`` of ``source`` that words were taken from, and its digest."""

    source: str
    start: int
    end: int
    sha256: str

    @classmethod
    def at(cls, source: str, start: int, end: int, text: str) -> Self:
        """Return the passage as it stands in ``text``, which is the document's."""
        return cls(source, start, end, _digest(text[start:end]))

    @classmethod
    def around(cls, place: Evidence, text: str) -> Self:
        """The sentences that hold a place in ``text``, or the place alone where none does."""
        spans = sentence_spans(text)
        inside = spans_over(spans, place.start, place.end)
        start = min(spans[inside[0]][0], place.start) if inside else place.start
        end = max(spans[inside[-1]][1], place.end) if inside else place.end
        return cls.at(place.source, start, end, text)

    def moved(self, text: str) -> int | None:
        """Tell how far the passage has moved in ``text``; None if it stands there no more."""
        length = self.end - self.start
        if _digest(text[self.start : self.end]) == self.sha256:
            return 0
        for start, _ in sentence_spans(text):
            if _digest(text[start : start + length]) == self.sha256:
                return start - self.start
        return None

    def holds(self, place: Evidence) -> bool:
        """Tell whether a place lies within the passage."""
        within = self.start <= place.start and place.end <= self.end
        return self.source == place.source and within

    def to_dict(self) -> dict[str, Any]:
        """Return the passage as it stands in a kept line, below ``from``."""
        return {
            "source": self.source, "start": self.start, "end": self.end, "sha256": self.sha256
        }  # fmt: skip


def origins(places: Iterable[Evidence], text_of: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return the passages around places, each once, as they stand in a kept line."""
    found = (Origin.around(place, text_of(place.source)) for place in places)
    return [origin.to_dict() for origin in dict.fromkeys(found)]


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
