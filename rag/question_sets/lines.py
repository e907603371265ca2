"""Lines of JSON, read one at a time, and how a file that cannot be read is explained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.errors import QuestionSetError


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of reading the text file ``path`` into :class:`QuestionSetError`."""
    try:
        yield
    except OSError as error:
        raise QuestionSetError(
            f"cannot read {str(error.filename or path)!r}: {error.strerror or error}"
        ) from error
    except UnicodeDecodeError as error:
        raise QuestionSetError(f"{path} is not UTF-8: {error.reason}; save it as UTF-8") from error


def json_lines(path: Path, longest: int | None = None) -> Iterator[tuple[int, Any]]:
    """Yield the number and the value of each line that is not blank.

    Raises :class:`QuestionSetError` for a file that cannot be read, for a line that is not JSON,
    and for one of more than ``longest`` characters.
    """
    with explained(path), path.open(encoding="utf-8-sig") as file:
        number = 0
        while line := file.readline(-1 if longest is None else longest + 1):
            number += 1
            where = f"{path}, line {number}"
            if longest is not None and len(line) > longest:
                raise QuestionSetError(
                    f"{where}: longer than {longest:,} characters; write one question a line"
                )
            if line.strip():
                yield number, parse_json(line.rstrip(), where, "; write one object a line")


def parse_json(text: str, where: str, advice: str = "") -> Any:
    """Return the value of ``text``.

    Raises :class:`QuestionSetError`, which names the place ``where``.
    """
    try:
        value = json.loads(text)
        if "\\u" in text:  # an escape may stand for half a character, which no file can hold
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else ""
        place = place or f"column {error.colno}"
        raise QuestionSetError(f"{where}: not JSON: {error.msg} at {place}{advice}") from None
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise QuestionSetError(
            f"{where}: holds \\u{ord(half):04x}, which is half a character: write both halves"
        ) from None
    except RecursionError:
        raise QuestionSetError(f"{where}: nested too deeply") from None
    except ValueError as error:  # a number of more digits than Python reads
        raise QuestionSetError(f"{where}: not JSON: {error}") from None
    return value
