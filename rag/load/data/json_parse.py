"""JSON -> values whose numbers stay as they are written."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from typing import Any

from rag.errors import LoadError

MAX_DEPTH = 64
TOO_DEEP = f"is JSON nested more than {MAX_DEPTH} levels deep; export its text in a flatter form"


class Number(str):
    """A number as it is written."""

    __slots__ = ()


def parse(text: str) -> Any:
    """Return the value, its numbers as :class:`Number`.

    Raises ``ValueError``, :class:`LoadError`.
    """
    try:
        return _decoder().decode(text)
    except RecursionError:
        raise LoadError(TOO_DEEP) from None


@cache
def _decoder() -> json.JSONDecoder:
    number = lru_cache(maxsize=10_000)(Number)  # ten million times the same one fills the memory
    return json.JSONDecoder(parse_int=number, parse_float=number, parse_constant=number)
