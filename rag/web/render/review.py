"""A drafted question under review: which one it is, and the place it was made from."""

from __future__ import annotations

from markupsafe import Markup

from rag.web.render.page_templates import fill
from rag.web.render.source import excerpt

_AROUND = 300
"""Characters shown on each side of the place."""


def draft_facts(facts: str) -> Markup:
    """What stands above a draft."""
    return fill("draft_facts.html", facts=facts)


def draft_place(text: str, start: int, end: int) -> Markup:
    """``text[start:end]`` marked, within the words around it."""
    first, last = excerpt(text, start, end, _AROUND)
    return fill(
        "draft_place.html", before=text[first:start], words=text[start:end], after=text[end:last]
    )
