"""A file of drafts under review: each is accepted as it is or changed, or dropped, and saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import QuestionSetError
from rag.question_sets.kept import rewriting
from rag.question_sets.lines import json_lines
from rag.question_sets.locate import occurrences
from rag.question_sets.model import Evidence, GoldQuestion, unique
from rag.question_sets.origin import origins
from rag.question_sets.reading import parse_evidence, parse_question

REACH = 500
"""Characters on each side of a draft's place in which changed answers are looked for."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A draft that waits for review; ``near`` is the place that it was made from."""

    question: GoldQuestion
    kind: str
    near: Evidence


def waiting(path: Path) -> list[Waiting]:
    """Return the drafts of a file that nobody has decided on. Raises :class:`QuestionSetError`."""
    found = []
    for number, data in json_lines(path):
        if not _is_draft(data):
            continue
        try:
            question = parse_question(data)
            near = parse_evidence(data["near"]) if "near" in data else question.evidence[0]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise QuestionSetError(
                f"{path}, line {number}: no draft that can be reviewed: {error!r}"
            ) from None
        found.append(Waiting(question, str(data.get("kind", "")), near))
    return found


def decided(path: Path) -> int:
    """Tell how many lines of a file are no drafts: accepted ones, or written by hand."""
    return sum(not _is_draft(data) for _, data in json_lines(path))


def accept(
    path: Path,
    draft: Waiting,
    question: str,
    answers: Sequence[str],
    text_of: Callable[[str], str],
) -> GoldQuestion:
    """Make a draft a question of the set, with the words and answers given; saves the file.

    Answers are located anew near the draft's place; without any the documents do not say.
    Raises :class:`QuestionSetError` for answers that do not stand there.
    """
    words = [answer.strip() for answer in answers if answer.strip()]
    if not question.strip():
        raise QuestionSetError("the question is blank: write one, or drop the draft")
    places = unique(_locate(answer, draft, text_of(draft.near.source)) for answer in words)
    accepted = GoldQuestion(draft.question.id, question.strip(), tuple(words), places)
    here = origins([draft.near, *places], text_of)

    def changed(line: Mapping[str, Any]) -> dict[str, Any]:
        known = line.get("from", [])
        return accepted.to_dict() | {"from": known + [one for one in here if one not in known]}

    _change(path, draft, changed)
    return accepted


def drop(path: Path, draft: Waiting) -> None:
    """Take a draft out of the file."""
    _change(path, draft, lambda line: None)


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


def _change(
    path: Path, draft: Waiting, changed: Callable[[Mapping[str, Any]], dict[str, Any] | None]
) -> None:
    """Put what ``changed`` makes of a draft's line in its place; None takes it out."""
    name = draft.question.id
    with rewriting(path) as lines:
        at = [i for i, data in enumerate(lines) if _is_draft(data) and str(data.get("id")) == name]
        if not at:
            raise QuestionSetError(f"{path} holds no draft {name!r} any more: load it again")
        line = changed(lines[at[0]])
        lines[at[0] : at[0] + 1] = [] if line is None else [line]


def _is_draft(data: Any) -> bool:
    return isinstance(data, dict) and data.get("draft") is True
