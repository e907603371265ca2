"""Dataclasses as JSON-ready lists and back: one codec for the wire and for the disk.

A dataclass becomes the list of its fields' values, so that names cost nothing and a field that is
added at the end needs no change here.
"""

from __future__ import annotations

import base64
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """A value of dataclasses, tuples, bytes and plain values as what JSON can hold."""
    if is_dataclass(value):
        return [to_plain(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def from_plain(kind: type[T], value: Any) -> T:
    """Return the ``kind`` that :func:`to_plain` made ``value`` of.

    Each value must be of the type that its field declares: nothing is converted but an ``int``
    where a ``float`` belongs. Raises ``ValueError`` for any other value.
    """
    built: T = _built(kind, value)
    return built


def _built(kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        parts = _list(value, len(hints))
        return kind(*(_built(hint, part) for hint, part in zip(hints, parts, strict=True)))
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple and arguments[1:] == (...,):
        return tuple(_built(arguments[0], item) for item in _list(value))
    if origin is tuple:
        parts = _list(value, len(arguments))
        return tuple(_built(a, part) for a, part in zip(arguments, parts, strict=True))
    if origin in (Union, UnionType):  # one kind, or None
        (other,) = (argument for argument in arguments if argument is not type(None))
        return None if value is None else _built(other, value)
    if kind is float and type(value) is int:
        return float(value)
    if kind is bytes and isinstance(value, str):
        return base64.b64decode(value, validate=True)
    if type(value) is not kind:
        raise ValueError(f"a {type(value).__name__} where a {kind.__name__} belongs")
    return value


def _list(value: Any, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or length not in (None, len(value)):
        raise ValueError(f"a {type(value).__name__} where a list of another length belongs")
    return value


@cache
def _hints(kind: type) -> tuple[Any, ...]:
    """The types of a dataclass's fields, in their order."""
    hints = get_type_hints(kind)
    return tuple(hints[field.name] for field in fields(kind))
