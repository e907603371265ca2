"""The templates of ``rag/web/templates``, filled: the one place where values become HTML.

Whatever a template is given is escaped; ``Markup`` is what a template made.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def fill(template: str, **values: object) -> Markup:
    """The HTML that ``template`` makes of ``values``; a value it lacks is an UndefinedError."""
    return Markup(environment().get_template(template).render(values))  # noqa: S704 - escaped there


@cache
def environment() -> Environment:
    """What the templates are loaded and filled with."""
    made = Environment(
        loader=PackageLoader("rag.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_showable,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["percent"] = "{:.2%}".format
    return made


def _showable(value: object) -> object:
    """``value``, with what a browser would drop or change in such a form that it is shown."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    if "\0" in value:
        value = value.replace("\0", "\ufffd")
    if "\r" in value:
        return Markup("&#13;").join(value.split("\r"))
    return value
