"""The report's plots as SVG: colours and fonts come from the page's style sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import TypeVar

from rag.evaluate.report.curves import ReliabilityBin, RiskPoint

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


def risk_coverage_plot(points: Sequence[RiskPoint]) -> str:
    """Share of wrong answers against share of questions answered, with its 95 % band."""
    points = _thinned(points)
    top = min(1.0, max([0.1, *(p.high for p in points if p.coverage > 0.05)]))
    x, y = _axes(_shares, lambda a, b: _shares(a, b, ceil(top * 10) / 10))
    upper = [(x.place(p.coverage), y.place(p.high)) for p in points]
    lower = [(x.place(p.coverage), y.place(p.low)) for p in reversed(points)]
    line = [(x.place(p.coverage), y.place(p.risk)) for p in points]
    body = f'<polygon class="band" points="{_list(upper + lower)}"/>{_line(line, "series a")}'
    if line:
        last = points[-1]
        body += _dot(*line[-1], 4, f"all answers given: {last.coverage:.1%}, {last.risk:.1%} wrong")
    return _plot("Risk and coverage", (x, y), ("questions answered", "wrong answers"), body)


def reliability_plot(bins: Sequence[ReliabilityBin]) -> str:
    """Share of right answers against the confidence told, one dot a bin, sized by answers."""
    x, y = _axes(_shares, _shares)
    body = _line([(x.place(v), y.place(v)) for v in (0.0, 1.0)], "ideal")
    most = max((b.count for b in bins), default=1)
    for b in bins:
        across = x.place(b.confidence)
        body += _line([(across, y.place(b.low)), (across, y.place(b.high))], "whisker")
        told = f"{b.count} answers: told {b.confidence:.1%}, right {b.right:.1%}"
        body += _dot(across, y.place(b.right), 3 + 6 * (b.count / most) ** 0.5, told)
    return _plot("Reliability", (x, y), ("confidence told", "answers right"), body)


def latency_plot(times: Mapping[str, Sequence[float]]) -> str:
    """Share of questions answered within a time, one line a stage; times must ascend."""
    known = [t for values in times.values() for t in values if t > 0]
    low, high = (min(known), max(known)) if known else (0.01, 1.0)
    x, y = _axes(lambda a, b: _seconds(a, b, low, high), _shares)
    body = ""
    for place, (stage, values) in enumerate(times.items()):
        style = "abc"[place]
        steps = _thinned([(v, (i + 1) / len(values)) for i, v in enumerate(values)])
        body += _line([(x.place(v), y.place(share)) for v, share in steps], f"series {style}")
        body += (
            f'<text class="name {style}" x="{WIDTH - _RIGHT - 12}" text-anchor="end" '
            f'y="{HEIGHT - _BOTTOM - 16 * (len(times) - place) + 4}">{escape(stage)}</text>'
        )
    return _plot("Latency", (x, y), ("time", "questions answered by then"), body)


def _axes(
    across: Callable[[float, float], Scale], up: Callable[[float, float], Scale]
) -> tuple[Scale, Scale]:
    return across(_LEFT, WIDTH - _RIGHT), up(HEIGHT - _BOTTOM, _TOP)


def _plot(title: str, axes: tuple[Scale, Scale], labels: tuple[str, str], body: str) -> str:
    """The whole plot: ``axes`` and their ``labels`` are those across and up."""
    (x, y), (across, up) = axes, labels
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    grid = "".join(
        f'<line class="grid" x1="{_n(x.place(v))}" x2="{_n(x.place(v))}" y1="{_TOP}" '
        f'y2="{bottom}"/><text x="{_n(x.place(v))}" y="{bottom + 16}" '
        f'text-anchor="middle">{escape(label)}</text>'
        for v, label in x.ticks
    ) + "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{_n(y.place(v))}" '
        f'y2="{_n(y.place(v))}"/><text x="{_LEFT - 6}" y="{_n(y.place(v) + 4)}" '
        f'text-anchor="end">{escape(label)}</text>'
        for v, label in y.ticks
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{grid}'
        f'<text class="axis" x="{(_LEFT + right) / 2}" y="{HEIGHT - 6}" text-anchor="middle">'
        f"{escape(across)}</text>"
        f'<text class="axis" transform="translate(12 {(_TOP + bottom) / 2}) rotate(-90)" '
        f'text-anchor="middle">{escape(up)}</text>{body}</svg>'
    )


def _line(points: Points, style: str) -> str:
    return f'<polyline class="{style}" points="{_list(points)}"/>'


def _dot(x: float, y: float, radius: float, told: str) -> str:
    return (
        f'<circle class="dot" cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}">'
        f"<title>{escape(told)}</title></circle>"
    )


def _list(points: Points) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most about :data:`_MAX_POINTS` of the points, with the first and the last."""
    step = max(1, len(points) // _MAX_POINTS)
    return [*points[:-1:step], *points[-1:]]
