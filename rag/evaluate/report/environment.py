"""The report's templates, filled: Jinja escapes whatever they are given."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def fill(template: str, **values: object) -> Markup:
    """What ``template`` makes of ``values``; a value it lacks is an UndefinedError."""
    from markupsafe import Markup

    return Markup(environment().get_template(template).render(values))  # noqa: S704 - escaped there


@cache
def environment() -> Environment:
    """What the templates are loaded and filled with."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("rag.evaluate.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"coordinate": _coordinate, "figure": _figure, "spread": _spread}
    return made


def _coordinate(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _spread(interval: Sequence[float] | None) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else ""
