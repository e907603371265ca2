"""Question sets on disk: JSON lines, read one at a time, each checked on the way."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any

from rag.errors import QuestionSetError
from rag.questions.model import Evidence, Question

LONGEST_LINE = 1_000_000
"""Characters; a longer line is no question but, for example, a whole JSON file in one line."""

_EXPECTED = (
    'expected {"id": str, "question": str, "answers": [str], '
    '"evidence": [{"source": str, "start": int, "end": int}]}'
)


class QuestionFile(Collection[Question]):
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

    def __iter__(self) -> Iterator[Question]:
        return (question for _, question in self.numbered())

    def __contains__(self, item: object) -> bool:
        return any(question == item for question in self)

    def numbered(self) -> Iterator[tuple[int, Question]]:
        """Each question with the number of its line."""
        try:
            with self.path.open(encoding="utf-8-sig") as file:
                yield from _parse(self.path, file)
        except OSError as error:
            raise QuestionSetError(
                f"cannot read {str(self.path)!r}: {error.strerror}; name a file of JSON lines"
            ) from error
        except UnicodeDecodeError as error:
            raise QuestionSetError(
                f"{self.path} is not UTF-8: {error.reason}; save it as UTF-8"
            ) from error


def read_questions(path: Path) -> list[Question]:
    """Read a question set. Raises :class:`QuestionSetError` with the line and the field."""
    return list(QuestionFile(path))


def _parse(path: Path, file: IO[str]) -> Iterator[tuple[int, Question]]:
    seen: dict[str, int] = {}
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        where = f"{path}, line {number}"
        if len(line) > LONGEST_LINE:
            raise QuestionSetError(
                f"{where}: longer than {LONGEST_LINE:,} characters; write one question a line"
            )
        if not line.strip():
            continue
        question = _read_line(line, where)
        if question.id in seen:
            raise QuestionSetError(
                f"{where}: id {question.id!r} stands in line {seen[question.id]} already; "
                "give each question its own"
            )
        seen[question.id] = number
        yield number, question


def _read_line(line: str, where: str) -> Question:
    try:
        return parse_question(json.loads(line))
    except json.JSONDecodeError as error:
        raise QuestionSetError(
            f"{where}: not JSON: {error.msg} at column {error.colno}; write one object a line"
        ) from None
    except RecursionError:
        raise QuestionSetError(f"{where}: nested too deeply; {_EXPECTED}") from None
    except (KeyError, TypeError, ValueError) as error:
        field = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else error
        raise QuestionSetError(f"{where}: {field}; {_EXPECTED}") from None


def parse_question(data: Any) -> Question:
    """A question from a parsed line. Raises ``KeyError``, ``TypeError`` or ``ValueError``."""
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
    places = tuple(_evidence(item, position) for position, item in enumerate(evidence))
    if (answers or not known) and not places:
        raise ValueError("'evidence' is empty, but there are answers: say where they stand")
    if known and not answers and places:
        raise ValueError("'answers' is empty, but there is evidence: give the answers or drop it")
    return Question(str(data["id"]), data["question"], tuple(answers or ()), places, known)


def _evidence(item: Any, position: int) -> Evidence:
    field = f"'evidence[{position}]'"
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
