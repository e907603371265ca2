"""Dataclasses as JSON and back: what comes from elsewhere is checked field by field."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from rag.dataclass_json import from_plain, to_plain


@dataclass(frozen=True)
class Point:
    x: float
    name: str | None = None


@dataclass(frozen=True)
class Shape:
    points: tuple[Point, ...]
    size: tuple[int, float]
    data: bytes = b""


def test_a_value_comes_back_as_it_was() -> None:
    shape = Shape((Point(1.5, "a"), Point(2.0)), (3, 0.25), b"\x00\xff")
    plain = json.loads(json.dumps(to_plain(shape)))
    assert plain == [[[1.5, "a"], [2.0, None]], [3, 0.25], "AP8="]
    assert from_plain(Shape, plain) == shape


def test_an_integer_stands_where_a_float_belongs() -> None:
    found = from_plain(Point, [1, None])
    assert (found.x, type(found.x)) == (1.0, float)


@pytest.mark.parametrize(
    "plain",
    [
        None,
        [],
        [[], [3, 0.5], "", "more"],
        [[[1.0, "a"]], [3], ""],
        [[[1.0, "a"]], [3, 0.5, 1], ""],
        [[[1.0, 5]], [3, 0.5], ""],
        [[["1", "a"]], [3, 0.5], ""],
        [[[True, "a"]], [3, 0.5], ""],
        [[], [3.0, 0.5], ""],
        [[], [3, 0.5], "?"],
        [{"x": 1.0}, [3, 0.5], ""],
    ],
)
def test_what_does_not_fit_is_refused(plain: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (a base64 error says another thing)
        from_plain(Shape, plain)
