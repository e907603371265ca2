"""Jinja templates, filled: where values become HTML.

Whatever a template is given is escaped; ``Markup`` is what a template made.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

from jinja2 import ChoiceLoader, DictLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

COLORS = "colors.css"
"""The file in ``rag/assets`` that has the colours of all that is shown in a browser."""


class Templates:
    """The templates in the folder ``templates`` of ``package``, and ``filters`` that they use.

    They may include :data:`COLORS` too.
    """

    def __init__(self, package: str, **filters: Callable[..., str]) -> None:
        self.environment = Environment(
            loader=ChoiceLoader(
                [PackageLoader(package, "templates"), DictLoader({COLORS: _colors()})]
            ),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_showable,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.environment.filters |= filters

    def fill(self, template: str, **values: object) -> Markup:
        """What ``template`` makes of ``values``; a value it lacks is an UndefinedError."""
        made = self.environment.get_template(template).render(values)
        return Markup(made)  # noqa: S704 - it is escaped


def _colors() -> str:
    return files("rag").joinpath("assets", COLORS).read_text("utf-8")


def _showable(value: object) -> object:
    """``value``, with what a browser would drop or change in such a form that it is shown."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    if "\0" in value:
        value = value.replace("\0", "\ufffd")
    if "\r" in value:
        return Markup("&#13;").join(value.split("\r"))
    return value
