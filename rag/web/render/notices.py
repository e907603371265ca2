"""What the page tells: errors, and that something was done."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from rag.web.render.page_templates import fill


def alert(message: str) -> Markup:
    """An error or a hint about what was typed; nothing when there is nothing to say."""
    return fill("alert.html", message=message)


def status(lines: Sequence[str]) -> Markup:
    """Something to tell, in ``lines``; nothing where there are none."""
    return fill("status.html", lines=lines)
