"""Question sets: JSON lines of questions, their answers and where the evidence stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import QuestionSetError


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where an answer stands: ``text[start:end]`` of the document ``source``."""

    source: str
    start: int
    end: int

    def overlaps(self, source: str, start: int, end: int) -> bool:
        """Whether it shares a character with ``text[start:end]`` of ``source``."""
        return self.source == source and self.start < end and start < self.end


@dataclass(frozen=True, slots=True)
class Question:
    """A question; without ``answers`` the documents do not say."""

    id: str
    question: str
    answers: tuple[str, ...]
    evidence: tuple[Evidence, ...]

    @property
    def answerable(self) -> bool:
        """Whether the documents say."""
        return bool(self.answers)

    def is_evidence(self, source: str, start: int, end: int) -> bool:
        """Whether the place overlaps any of the evidence."""
        return any(evidence.overlaps(source, start, end) for evidence in self.evidence)


def read_questions(path: Path) -> list[Question]:
    """Read a question set. Raises :class:`QuestionSetError` with the line and the field."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            questions = list(_parse(path, file))
    except OSError as error:
        raise QuestionSetError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise QuestionSetError(f"{path} is not UTF-8: {error.reason}; save it as UTF-8") from error
    if not questions:
        raise QuestionSetError(f"{path} holds no questions: write one JSON object a line")
    return questions


def _parse(path: Path, lines: Iterator[str]) -> Iterator[Question]:
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            question = _question(json.loads(line))
        except json.JSONDecodeError as error:
            raise QuestionSetError(f"{where}: not JSON: {error.msg}") from None
        except (KeyError, TypeError, ValueError) as error:
            field = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else error
            raise QuestionSetError(
                f'{where}: {field}; expected {{"id": str, "question": str, "answers": [str], '
                '"evidence": [{"source": str, "start": int, "end": int}]}'
            ) from None
        if question.id in seen:
            raise QuestionSetError(
                f"{where}: id {question.id!r} stands in line {seen[question.id]} already"
            )
        seen[question.id] = number
        yield question


def _question(data: Any) -> Question:
    if not isinstance(data, dict):
        raise TypeError("not an object")
    answers = data["answers"]
    if not isinstance(answers, list) or not all(isinstance(a, str) and a for a in answers):
        raise TypeError("'answers' is not a list of texts")
    if not isinstance(data["question"], str) or not data["question"].strip():
        raise TypeError("'question' is blank or not a text")
    return Question(
        str(data["id"]),
        data["question"],
        tuple(answers),
        tuple(_evidence(item) for item in data["evidence"]),
    )


def _evidence(item: Any) -> Evidence:
    evidence = Evidence(item["source"], item["start"], item["end"])
    numbers = (evidence.start, evidence.end)
    if not isinstance(evidence.source, str) or not all(type(n) is int for n in numbers):
        raise TypeError("'evidence' needs a text 'source' and whole numbers 'start' and 'end'")
    if not 0 <= evidence.start < evidence.end:
        raise ValueError(f"evidence from {evidence.start} to {evidence.end} is no span")
    return evidence
