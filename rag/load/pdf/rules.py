"""The straight lines and the filled areas that a page draws: borders and backgrounds of tables."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rag.load.pdf.geometry import Box

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

MAX_SEGMENTS = 20_000
"""A page that draws more than so many lines holds a drawing, in which no tables are looked for."""

_MAX_DEPTH = 5  # forms in forms
_THIN = 3.0  # points; a filled box no wider is a line
_MIN_LENGTH = 4.0  # points
_STRAIGHT = 0.5  # points by which a line may lean
_SAME = 2.5  # points between two lines that are one
_GAP = 3.0  # points between two pieces of a line

Point = tuple[float, float]
Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line at ``at`` that reaches from ``low`` to ``high`` in the other direction."""

    at: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Fill:
    """A filled area and its colour."""

    box: Box
    colour: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a page draws beside text; ``across`` are level lines, ``down`` upright ones."""

    across: tuple[Rule, ...] = ()
    down: tuple[Rule, ...] = ()
    fills: tuple[Fill, ...] = ()


def read_drawing(page: PdfPage, turn: int = 0, mirrored: bool = False) -> Drawing:
    """Return the page's lines and areas in the frame of its text.

    Nothing where there are too many.
    """
    strokes: list[Box] = []
    fills: list[Fill] = []
    budget = [MAX_SEGMENTS]
    for path, matrix in _paths(page.raw, False, (1, 0, 0, 1, 0, 0), budget):
        _add(path, matrix, budget, strokes, fills)
        if budget[0] < 0:
            return Drawing()
    lines = [box.turned(turn, mirrored) for box in strokes]
    level = [b for b in lines if b.width >= b.height]
    upright = [b for b in lines if b.width < b.height]
    return Drawing(
        merged([Rule((b.bottom + b.top) / 2, b.left, b.right) for b in level]),
        merged([Rule((b.left + b.right) / 2, b.bottom, b.top) for b in upright]),
        tuple(Fill(fill.box.turned(turn, mirrored), fill.colour) for fill in fills),
    )


def merged(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return the rules that lie on each other or continue each other, as one."""
    found: list[Rule] = []
    group: list[Rule] = []
    for rule in [*sorted(rules, key=lambda rule: rule.at), None]:
        if rule is not None and (not group or rule.at - group[0].at <= _SAME):
            group.append(rule)
            continue
        at = sum(one.at for one in group) / len(group) if group else 0.0
        reach: list[float] = []
        for one in sorted(group, key=lambda one: one.low):
            if reach and one.low - reach[1] <= _GAP:
                reach[1] = max(reach[1], one.high)
                continue
            if reach:
                found.append(Rule(at, *reach))
            reach = [one.low, one.high]
        if reach:
            found.append(Rule(at, *reach))
        group = [rule] if rule is not None else []
    return tuple(rule for rule in found if rule.high - rule.low >= _MIN_LENGTH)


def _paths(
    parent: Any, is_form: bool, matrix: Matrix, budget: list[int], depth: int = 0
) -> Iterator[tuple[Any, Matrix]]:
    """Every path of the page and of the forms in it, with what maps it to the page."""
    from pypdfium2 import raw

    count = raw.FPDFFormObj_CountObjects if is_form else raw.FPDFPage_CountObjects
    get = raw.FPDFFormObj_GetObject if is_form else raw.FPDFPage_GetObject
    for index in range(count(parent)):
        thing = get(parent, index)
        kind = raw.FPDFPageObj_GetType(thing)
        if kind == raw.FPDF_PAGEOBJ_PATH:
            yield thing, _times(_matrix(thing), matrix)
        elif kind == raw.FPDF_PAGEOBJ_FORM and depth < _MAX_DEPTH:
            yield from _paths(thing, True, _times(_matrix(thing), matrix), budget, depth + 1)
        budget[0] -= 1
        if budget[0] < 0:
            return


def _matrix(thing: Any) -> Matrix:
    from pypdfium2.raw import FS_MATRIX, FPDFPageObj_GetMatrix

    m = FS_MATRIX()
    FPDFPageObj_GetMatrix(thing, m)
    return (m.a, m.b, m.c, m.d, m.e, m.f)


def _times(first: Matrix, second: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return (
        a * g + b * i, a * h + b * j,
        c * g + d * i, c * h + d * j,
        e * g + f * i + k, e * h + f * j + m,
    )  # fmt: skip


def _add(
    path: Any, matrix: Matrix, budget: list[int], strokes: list[Box], fills: list[Fill]
) -> None:
    """Sort a path's straight pieces into lines and filled boxes."""
    from pypdfium2.raw import FPDFPath_GetDrawMode

    mode, stroked = ctypes.c_int(), ctypes.c_int()
    FPDFPath_GetDrawMode(path, mode, stroked)
    if not (mode.value or stroked.value):
        return
    for points in _outlines(path, matrix, budget):
        box = _rectangle(points) if mode.value else None
        if box is not None and min(box.width, box.height) <= _THIN:
            strokes.append(box)
        elif box is not None and (colour := _colour(path)):
            fills.append(Fill(box, colour))
        if stroked.value:
            strokes += [
                Box(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))
                for a, b in pairwise(points)
                if min(abs(a[0] - b[0]), abs(a[1] - b[1])) <= _STRAIGHT
            ]


def _outlines(path: Any, matrix: Matrix, budget: list[int]) -> Iterator[list[Point]]:
    """The corners of each part of a path, closed parts ending where they began; no curves."""
    from pypdfium2 import raw

    a, b, c, d, e, f = matrix
    x, y = ctypes.c_float(), ctypes.c_float()
    points: list[Point] = []
    for index in range(raw.FPDFPath_CountSegments(path)):
        budget[0] -= 1
        if budget[0] < 0:
            return
        segment = raw.FPDFPath_GetPathSegment(path, index)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO or kind == raw.FPDF_SEGMENT_BEZIERTO:
            if len(points) > 1:
                yield points
            points = []
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        points.append((a * x.value + c * y.value + e, b * x.value + d * y.value + f))
        if raw.FPDFPathSegment_GetClose(segment) and points[-1] != points[0]:
            points.append(points[0])
    if len(points) > 1:
        yield points


def _rectangle(points: Sequence[Point]) -> Box | None:
    """The box of four corners whose sides are level and upright."""
    if not 4 <= len(points) <= 5:
        return None
    for one, other in pairwise(points):
        if min(abs(one[0] - other[0]), abs(one[1] - other[1])) > _STRAIGHT:
            return None
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return Box(min(xs), min(ys), max(xs), max(ys))


def _colour(path: Any) -> tuple[int, ...]:
    """Red, green and blue; nothing for what does not show on white paper."""
    from pypdfium2.raw import FPDFPageObj_GetFillColor

    parts = [ctypes.c_uint() for _ in range(4)]
    if not FPDFPageObj_GetFillColor(path, *parts):
        return ()
    red, green, blue, opacity = (part.value for part in parts)
    return (red, green, blue) if opacity > 8 and min(red, green, blue) < 252 else ()
