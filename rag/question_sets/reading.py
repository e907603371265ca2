"""Question sets on disk: JSON lines, read one at a time, each checked on the way."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from rag.errors import QuestionSetError
from rag.question_sets.lines import json_lines
from rag.question_sets.model import Evidence, GoldQuestion

MAX_LINE_LENGTH = 1_000_000
"""Characters; a longer line is no question but, for example, a whole JSON file in one line."""

_EXPECTED = (
    'expected {"id": str, "question": str, "answers": [str], '
    '"evidence": [{"source": str, "start": int, "end": int}]}; '
    "'rag questions import' makes it of other formats"
)


class QuestionFile(Collection[GoldQuestion]):
    """The question set in ``path``, read anew by each iteration, so that any size fits.

    The first pass checks every line and counts them: :class:`QuestionSetError` names the line and
    the field. A draft's further fields are left alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._count = sum(1 for _ in self.numbered())
        if not self._count:
            raise QuestionSetError(
                f"{path} holds no questions: write one JSON object a line; {_EXPECTED}"
            )

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[GoldQuestion]:
        return (question for _, question in self.numbered())

    def __contains__(self, item: object) -> bool:
        return any(question == item for question in self)

    def numbered(self) -> Iterator[tuple[int, GoldQuestion]]:
        """Yield each question with the number of its line."""
        seen: dict[str, int] = {}
        for number, data in json_lines(self.path, MAX_LINE_LENGTH):
            where = f"{self.path}, line {number}"
            try:
                question = parse_question(data)
            except (KeyError, TypeError, ValueError) as error:
                raise QuestionSetError(f"{where}: {field_fault(error)}; {_EXPECTED}") from None
            if question.id in seen:
                raise QuestionSetError(
                    f"{where}: id {question.id!r} stands in line {seen[question.id]} already; "
                    "give each question its own"
                )
            seen[question.id] = number
            yield number, question


def read_questions(path: Path) -> list[GoldQuestion]:
    """Read a question set. Raises :class:`QuestionSetError` with the line and the field."""
    return list(QuestionFile(path))


def field_fault(error: Exception) -> str:
    """Return what an error of :func:`parse_question` says to a person."""
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)


def parse_question(data: Any) -> GoldQuestion:
    """Return a question from a parsed line.

    Raises ``KeyError``, ``TypeError`` or ``ValueError``.
    """
    if not isinstance(data, dict):
        raise TypeError("not an object")
    if not isinstance(data["id"], str | int) or isinstance(data["id"], bool):
        raise TypeError("'id' is not a text")
    if not isinstance(data["question"], str) or not data["question"].strip():
        raise TypeError("'question' is blank or not a text")
    answers, evidence = data["answers"], data["evidence"]
    known = answers is not None
    if known and (
        not isinstance(answers, list)
        or not all(isinstance(answer, str) and answer.strip() for answer in answers)
    ):
        raise TypeError("'answers' is not a list of texts")
    if not isinstance(evidence, list):
        raise TypeError("'evidence' is not a list")
    places = tuple(
        parse_evidence(item, f"'evidence[{position}]'") for position, item in enumerate(evidence)
    )
    if (answers or not known) and not places:
        raise ValueError("'evidence' is empty, but there are answers: say where they stand")
    if known and not answers and places:
        raise ValueError("'answers' is empty, but there is evidence: give the answers or drop it")
    return GoldQuestion(str(data["id"]), data["question"], tuple(answers or ()), places, known)


def parse_evidence(item: Any, field: str = "the place") -> Evidence:
    """Return a place from a parsed line. Raises ``TypeError`` or ``ValueError``."""
    if not isinstance(item, dict):
        raise TypeError(f"{field} is not an object")
    for name in ("source", "start", "end"):
        if name not in item:
            raise ValueError(f"{field} lacks {name!r}")
    source, start, end = item["source"], item["start"], item["end"]
    if not isinstance(source, str) or not all(type(n) is int for n in (start, end)):
        raise TypeError(f"{field} needs a text 'source' and whole numbers 'start' and 'end'")
    if not 0 <= start < end:
        raise ValueError(f"{field} from {start} to {end} is no span")
    return Evidence(source, start, end)
