"""What a question set is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where an answer stands: ``text[start:end]`` of the document ``source``."""

    source: str
    start: int
    end: int

    def overlaps(self, source: str, start: int, end: int) -> bool:
        """Tell whether it shares a character with ``text[start:end]`` of ``source``."""
        return self.source == source and self.start < end and start < self.end

    def to_dict(self) -> dict[str, Any]:
        """Return the evidence as it stands in a question set."""
        return {"source": self.source, "start": self.start, "end": self.end}


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question; without ``answers`` the documents do not say.

    Sets made for retrieval alone tell where the answer stands but not its words: there
    ``answers_known`` is False (``"answers": null`` in the file), and EM and F1 leave the
    question out.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    answers_known: bool = True

    @property
    def answerable(self) -> bool:
        """Whether the documents say."""
        return bool(self.answers) or not self.answers_known

    @property
    def sources(self) -> tuple[str, ...]:
        """The documents that hold the evidence, each once."""
        return tuple(dict.fromkeys(evidence.source for evidence in self.evidence))

    def is_evidence(self, source: str, start: int, end: int) -> bool:
        """Tell whether the place overlaps any of the evidence."""
        return any(evidence.overlaps(source, start, end) for evidence in self.evidence)

    def to_dict(self) -> dict[str, Any]:
        """Return the question as one line of a question set."""
        return {
            "id": self.id,
            "question": self.question,
            "answers": list(self.answers) if self.answers_known else None,
            "evidence": [evidence.to_dict() for evidence in self.evidence],
        }


def unique(items: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Return the evidence, each place once, in the given order."""
    return tuple(dict.fromkeys(items))
