"""The report's templates, and how they write numbers."""

from __future__ import annotations

from collections.abc import Sequence

from rag.templates import Templates


def _coordinate(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _spread(interval: Sequence[float] | None) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else ""


TEMPLATES = Templates("rag.evaluate.report", coordinate=_coordinate, figure=_figure, spread=_spread)
