"""What an importer yields, and how it reads the fields that it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rag.errors import QuestionSetError
from rag.question_sets.model import GoldQuestion


@dataclass(frozen=True, slots=True)
class Entry:
    """A question found at ``where``, perhaps with a remark; without one the remark says why."""

    where: str
    question: GoldQuestion | None
    remark: str = ""


def skipped(where: str, reason: str) -> Entry:
    """Return an entry that could not be imported."""
    return Entry(where, None, reason)


def require(data: Any, name: str, kind: type, where: str) -> Any:
    """Return ``data[name]``, which must be a ``kind``. Raises :class:`QuestionSetError`."""
    words = {dict: "an object", list: "a list", str: "a text", int: "a whole number"}
    if not isinstance(data, dict):
        raise QuestionSetError(f"{where} is not an object")
    if name not in data:
        raise QuestionSetError(f"{where}: {name!r} is missing")
    value = data[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise QuestionSetError(f"{where}: {name!r} is not {words[kind]}")
    return value


def identity(data: Any, name: str, where: str) -> str:
    """Return ``data[name]`` as a text; whole numbers are taken too."""
    value = data.get(name) if isinstance(data, dict) else None
    return str(value) if type(value) is int else str(require(data, name, str, where))
