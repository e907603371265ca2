"""The report's plots as SVG: colours and fonts come from the page's style sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING, TypeVar

from rag.evaluate.report.curves import ReliabilityBin, RiskPoint
from rag.evaluate.report.report_templates import TEMPLATES

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH, HEIGHT = 420, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 22, 12, 42
_MAX_POINTS = 300

Point = TypeVar("Point")
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps a value to a place on the plot, and knows which values are worth a tick."""

    place: Callable[[float], float]
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Line:
    """A line through ``points``; its ``style`` is a class of the style sheet."""

    points: Points
    style: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A point that tells what it stands for."""

    x: float
    y: float
    radius: float
    told: str


@dataclass(frozen=True, slots=True)
class Name:
    """What a line is called, at its height."""

    y: float
    text: str
    style: str


def _shares(start: float, end: float, top: float = 1.0) -> Scale:
    """A linear scale from 0 to ``top`` in percent, with about five ticks."""
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if top / s <= 6 or s == 0.2)
    ticks = [(i * step, f"{i * step:.0%}") for i in range(round(top / step) + 1)]
    return Scale(lambda value: start + (end - start) * min(value / top, 1.0), ticks)


def _seconds(start: float, end: float, low: float, high: float) -> Scale:
    """A logarithmic scale over whole powers of ten."""
    first, last = floor(log10(low)), ceil(log10(high))
    last = max(last, first + 1)

    def place(value: float) -> float:
        return start + (end - start) * (log10(max(value, 10.0**first)) - first) / (last - first)

    units = {power: _duration(power) for power in range(first, last + 1)}
    return Scale(place, [(10.0**power, label) for power, label in units.items()])


def _duration(power: int) -> str:
    if power >= 0:
        return f"{10**power} s"
    return f"{10 ** (power + 3)} ms" if power >= -3 else f"{10 ** (power + 6)} µs"


def risk_coverage_plot(points: Sequence[RiskPoint]) -> Markup:
    """Share of wrong answers against share of questions answered, with its 95 % band."""
    points = _thinned(points)
    top = min(1.0, max([0.1, *(p.high for p in points if p.coverage > 0.05)]))
    x, y = _axes(_shares, lambda a, b: _shares(a, b, ceil(top * 10) / 10))
    upper = [(x.place(p.coverage), y.place(p.high)) for p in points]
    lower = [(x.place(p.coverage), y.place(p.low)) for p in reversed(points)]
    line = [(x.place(p.coverage), y.place(p.risk)) for p in points]
    dots = []
    if line:
        last = points[-1]
        told = f"all answers given: {last.coverage:.1%}, {last.risk:.1%} wrong"
        dots.append(Dot(*line[-1], 4, told))
    labels = "questions answered", "wrong answers"
    lines = [Line(line, "series a")]
    return _plot("Risk and coverage", (x, y), labels, lines, dots, band=upper + lower)


def reliability_plot(bins: Sequence[ReliabilityBin]) -> Markup:
    """Share of right answers against the confidence told, one dot a bin, sized by answers."""
    x, y = _axes(_shares, _shares)
    lines = [Line([(x.place(v), y.place(v)) for v in (0.0, 1.0)], "ideal")]
    dots = []
    most = max((b.count for b in bins), default=1)
    for b in bins:
        across = x.place(b.confidence)
        lines.append(Line([(across, y.place(b.low)), (across, y.place(b.high))], "whisker"))
        told = f"{b.count} answers: told {b.confidence:.1%}, right {b.right:.1%}"
        dots.append(Dot(across, y.place(b.right), 3 + 6 * (b.count / most) ** 0.5, told))
    return _plot("Reliability", (x, y), ("confidence told", "answers right"), lines, dots)


def latency_plot(times: Mapping[str, Sequence[float]]) -> Markup:
    """Share of questions answered within a time, one line a stage; times must ascend."""
    known = [t for values in times.values() for t in values if t > 0]
    low, high = (min(known), max(known)) if known else (0.01, 1.0)
    x, y = _axes(lambda a, b: _seconds(a, b, low, high), _shares)
    lines, names = [], []
    for place, (stage, values) in enumerate(times.items()):
        style = "abc"[place]
        steps = _thinned([(v, (i + 1) / len(values)) for i, v in enumerate(values)])
        lines.append(Line([(x.place(v), y.place(share)) for v, share in steps], f"series {style}"))
        names.append(Name(HEIGHT - _BOTTOM - 16 * (len(times) - place) + 4, stage, style))
    labels = "time", "questions answered by then"
    return _plot("Latency", (x, y), labels, lines, names=names)


def _axes(
    across: Callable[[float, float], Scale], up: Callable[[float, float], Scale]
) -> tuple[Scale, Scale]:
    return across(_LEFT, WIDTH - _RIGHT), up(HEIGHT - _BOTTOM, _TOP)


def _plot(
    title: str,
    axes: tuple[Scale, Scale],
    labels: tuple[str, str],
    lines: Sequence[Line],
    dots: Sequence[Dot] = (),
    names: Sequence[Name] = (),
    band: Points = (),
) -> Markup:
    """The whole plot: ``axes`` and their ``labels`` are those across and up."""
    across, up = ([(axis.place(v), label) for v, label in axis.ticks] for axis in axes)
    frame = {"left": _LEFT, "right": WIDTH - _RIGHT, "top": _TOP, "bottom": HEIGHT - _BOTTOM}
    return TEMPLATES.fill(
        "plot.svg",
        title=title,
        width=WIDTH,
        height=HEIGHT,
        frame=frame,
        ticks={"across": across, "up": up},
        labels={"across": labels[0], "up": labels[1]},
        band=band,
        lines=lines,
        dots=dots,
        names=names,
    )


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most about :data:`_MAX_POINTS` of the points, with the first and the last."""
    step = max(1, len(points) // _MAX_POINTS)
    return [*points[:-1:step], *points[-1:]]
