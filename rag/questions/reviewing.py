"""A file of drafts under review: each is accepted as it is or changed, or dropped, and saved."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import QuestionSetError
from rag.files import replacing
from rag.questions.entry import json_lines
from rag.questions.locate import occurrences
from rag.questions.model import Evidence, Question, unique
from rag.questions.reading import parse_question

REACH = 500
"""Characters on each side of a draft's place in which changed answers are looked for."""

_writing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A draft that waits for review; ``near`` is the place that it was made from."""

    question: Question
    kind: str
    near: Evidence


def waiting(path: Path) -> list[Waiting]:
    """The drafts of a file that nobody has decided on. Raises :class:`QuestionSetError`."""
    found = []
    for where, data in _lines(path):
        if not isinstance(data, dict) or data.get("draft") is not True:
            continue
        try:
            question = parse_question(data)
            near = Evidence(**data["near"]) if "near" in data else question.evidence[0]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise QuestionSetError(f"{where}: no draft that can be reviewed: {error!r}") from None
        found.append(Waiting(question, str(data.get("kind", "")), near))
    return found


def accept(
    path: Path,
    draft: Waiting,
    question: str,
    answers: Sequence[str],
    text_of: Callable[[str], str],
) -> Question:
    """Make a draft a question of the set, with the words and answers given; saves the file.

    Answers are located anew near the draft's place; without any the documents do not say.
    Raises :class:`QuestionSetError` for answers that do not stand there.
    """
    words = [answer.strip() for answer in answers if answer.strip()]
    if not question.strip():
        raise QuestionSetError("the question is blank: write one, or drop the draft")
    places = unique(_locate(answer, draft, text_of(draft.near.source)) for answer in words)
    accepted = Question(draft.question.id, question.strip(), tuple(words), places)
    _replace(path, draft.question.id, accepted)
    return accepted


def drop(path: Path, draft: Waiting) -> None:
    """Take a draft out of the file."""
    _replace(path, draft.question.id, None)


def _locate(answer: str, draft: Waiting, text: str) -> Evidence:
    near = draft.near
    low = max(0, near.start - REACH)
    starts = [low + start for start in occurrences(text[low : near.end + REACH], answer)]
    if not starts:
        raise QuestionSetError(
            f"{answer!r} does not stand within {REACH} characters of the marked place: copy the "
            "words from the text"
        )
    start = min(starts, key=lambda start: abs(start - near.start))
    return Evidence(near.source, start, start + len(answer))


def _replace(path: Path, name: str, question: Question | None) -> None:
    with _writing:
        lines = _lines(path)
        at = [i for i, (_, data) in enumerate(lines) if _is_draft(data, name)]
        if not at:
            raise QuestionSetError(f"{path} holds no draft {name!r} any more: load it again")
        kept: list[Any] = [data for _, data in lines]
        kept[at[0] : at[0] + 1] = [] if question is None else [question.to_dict()]
        with replacing(path) as file:
            for data in kept:
                file.write(json.dumps(data, ensure_ascii=False) + "\n")


def _is_draft(data: Any, name: str) -> bool:
    return isinstance(data, dict) and data.get("draft") is True and str(data.get("id")) == name


def _lines(path: Path) -> list[tuple[str, Any]]:
    try:
        return list(json_lines(path))
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionSetError(f"cannot read {str(path)!r}: {error}") from error
