"""From use to test: answers that a user found wrong, kept as lines of a question set.

``feedback.jsonl`` stands in the folder of the index. A line is complete once the right passage is
marked, or it is told that the documents do not say; the others wait to be completed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import QuestionSetError
from rag.question_sets.kept import rewriting
from rag.question_sets.locate import occurrences
from rag.question_sets.model import Evidence
from rag.question_sets.origin import origins

FILE = "feedback.jsonl"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a user says of an answer: the ``passage`` that holds the right one and perhaps its
    ``words`` there, or that the documents do ``not_stated`` it; none of them: only that it is
    wrong. ``said`` tells of what was answered; it must hold no words of the documents."""

    question: str
    passage: Evidence | None = None
    words: str = ""
    not_stated: bool = False
    said: Mapping[str, Any] | None = None

    def line(self, text_of: Callable[[str], str]) -> dict[str, Any]:
        """Return the line of a question set.

        Raises :class:`QuestionSetError` for what cannot be one.
        """
        question, words = self.question.strip(), self.words.strip()
        if not question:
            raise QuestionSetError("the question is blank: write what was asked")
        evidence = self.passage if not self.not_stated else None
        if evidence and words:
            evidence = _locate(words, evidence, text_of(evidence.source))
        answers: list[str] | None = [words] if words and evidence else None
        return {
            "id": "feedback-" + hashlib.sha256(question.casefold().encode()).hexdigest()[:12],
            "question": question,
            "answers": [] if self.not_stated else answers,
            "evidence": [evidence.to_dict()] if evidence else [],
            "complete": self.not_stated or evidence is not None,
            "from": origins([evidence] if evidence else [], text_of),
            "said": dict(self.said or {}),
        }


def save_feedback(index: Path, line: Mapping[str, Any]) -> None:
    """Write the line into the index's file, in place of an earlier one on the same question."""
    with rewriting(index / FILE) as lines:
        same = [data for data in lines if isinstance(data, dict) and data.get("id") == line["id"]]
        for data in same:
            lines.remove(data)
        lines.append(dict(line))


def _locate(words: str, passage: Evidence, text: str) -> Evidence:
    starts = occurrences(text[passage.start : passage.end], words)
    if not starts:
        raise QuestionSetError(
            f"{words!r} does not stand in the marked passage: copy the words from it, or leave "
            "them out"
        )
    start = passage.start + starts[0]
    return Evidence(passage.source, start, start + len(words))
