"""Questions that the program keeps in the folder of an index: feedback, and drafts under review.

They hold words of the documents, so they follow them: what a document no longer says goes from
here too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, MutableSequence, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rag.atomic_files import replacing
from rag.errors import NotFoundError, QuestionSetError
from rag.question_sets.lines import json_lines
from rag.question_sets.model import Evidence
from rag.question_sets.origin import Origin

LOCK = "questions.lock"
"""File beside them that whoever rewrites one of them holds."""

_PATIENCE = 10.0
"""Seconds to wait for another who rewrites them; it takes milliseconds."""

Line = dict[str, Any]


@contextmanager
def rewriting(path: Path) -> Iterator[MutableSequence[Any]]:
    """The values of the file's lines, none if it is missing; what is changed in them is saved.

    It is saved whole, and only if all went well. Raises :class:`QuestionSetError`.
    """
    with _only_one(path.parent):
        before = [data for _, data in json_lines(path)] if path.exists() else []
        lines = list(before)
        yield lines
        if lines != before:
            with replacing(path) as file:
                for data in lines:
                    file.write(json.dumps(data, ensure_ascii=False) + "\n")


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    try:
        with FileLock(folder / LOCK, timeout=_PATIENCE):
            yield
    except Timeout:
        raise QuestionSetError(
            f"the questions in {str(folder)!r} are being changed by another process: try again"
        ) from None
    except OSError as error:
        raise QuestionSetError(
            f"cannot change the questions in {str(folder)!r}: {error.strerror or error}"
        ) from error


def follow(path: Path, text_of: Callable[[str], str]) -> int:
    """Make the file's lines follow the documents; returns how many were dropped.

    A line stays, its places moved along, while every passage that it has words from stands in its
    document. A line that does not tell its passages stays while the documents that it names are
    there. ``text_of`` raises :class:`NotFoundError` for a source that is gone.
    """
    with _only_one(path.parent):
        if all(_followed(data, text_of) == data for _, data in json_lines(path)):
            return 0
        dropped = 0
        with replacing(path) as file:
            for _, data in json_lines(path):
                line = _followed(data, text_of)
                if line is None:
                    dropped += 1
                else:
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return dropped


def _followed(line: Any, text_of: Callable[[str], str]) -> Any | None:
    """The line as the documents are now; None if they do not bear it out."""
    if not isinstance(line, dict):
        return line
    try:
        if "from" in line:
            return _moved(line, [Origin(**told) for told in line["from"]], text_of)
        for place in _places(line):
            text_of(place.source)
    except NotFoundError:
        return None
    except (KeyError, TypeError, ValueError):  # not written by this program
        return line
    return line


def _moved(line: Line, origins: Sequence[Origin], text_of: Callable[[str], str]) -> Line | None:
    shifts = [origin.moved(text_of(origin.source)) for origin in origins]
    if None in shifts or not all(any(o.holds(p) for o in origins) for p in _places(line)):
        return None
    by = {origin: shift or 0 for origin, shift in zip(origins, shifts, strict=True)}

    def moved(told: Mapping[str, Any]) -> Line:
        place = Evidence(**told)
        shift = next(by[origin] for origin in origins if origin.holds(place))
        return replace(place, start=place.start + shift, end=place.end + shift).to_dict()

    changed: Line = {"evidence": [moved(told) for told in line["evidence"]]}
    if "near" in line:
        changed["near"] = moved(line["near"])
    changed["from"] = [
        replace(origin, start=origin.start + shift, end=origin.end + shift).to_dict()
        for origin, shift in by.items()
    ]
    return line | changed


def _places(line: Line) -> list[Evidence]:
    told = [*line.get("evidence", ()), *([line["near"]] if "near" in line else ())]
    return [Evidence(**place) for place in told]
