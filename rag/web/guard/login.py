"""The page that asks for the password: plain HTML that loads nothing."""

from __future__ import annotations

from rag.web.render.page_templates import fill

WRONG = "That is not the password."
BLOCKED = "Too many wrong passwords. Wait ten minutes and try again."


def login_page(message: str = "") -> bytes:
    """The page as UTF-8; ``message`` says why the last try failed."""
    return fill("login.html", message=message).encode()
