"""Import of question sets in this program's own form: drafts, feedback, sets of another index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.question_sets.checking import fault
from rag.question_sets.entry import Entry, skipped
from rag.question_sets.lines import json_lines
from rag.question_sets.locate import Documents
from rag.question_sets.reading import field_fault, parse_question


def from_jsonl(path: Path, documents: Documents) -> Iterator[Entry]:
    """Yield the questions whose evidence the documents bear out, without what is only of a draft.

    Feedback without a marked passage is not complete and is skipped.
    """
    for number, data in json_lines(path):
        yield _entry(f"line {number}", data, documents)


def _entry(where: str, data: Any, documents: Documents) -> Entry:
    if isinstance(data, dict) and data.get("complete") is False:
        return skipped(where, "not complete: nobody marked the right passage")
    try:
        question = parse_question(data)
    except (KeyError, TypeError, ValueError) as error:
        return skipped(where, field_fault(error))
    wrong = fault(question, documents.text_of)
    if wrong:
        return skipped(where, wrong)
    return Entry(where, question, "still a draft: review it" if data.get("draft") else "")
