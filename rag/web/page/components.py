"""What the page's parts share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from rag.templates import COLORS
from rag.web.render.page_templates import fill

SECONDS_BETWEEN_UPDATES = 0.08
UNEXPECTED = "Something went wrong. The server's log has the details; you can try again."

Updates = dict[Any, Any]
"""New values by component."""

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
LIGHT: dict[str, Any] = {**QUIET, "concurrency_limit": None}
"""How handlers are run: without Gradio's own spinner, and those that are quick without a queue."""


def html(value: Markup, elem_id: str) -> Any:
    """Return a part of the page whose buttons send events; see ``rag/web/static/page.js``."""
    return gr.HTML(value, elem_id=elem_id, js_on_load=asset("page.js"))


def style() -> str:
    """Return the page's CSS: the colours that the report and the login page have too, its rules."""
    return str(fill(COLORS)) + asset("page.css")  # Markup would escape what is added to it


def asset(name: str) -> str:
    """Return the text of a file in ``rag/web/static``."""
    return (Path(__file__).parents[1] / "static" / name).read_text(encoding="utf-8")
