"""What all parts of the page are made of; whatever is not HTML passes :func:`escape` here.

Buttons carry ``data-event`` and further ``data-`` attributes, which ``rag/assets/page.js`` sends
to the page's handlers.
"""

from __future__ import annotations

import html
from collections.abc import Mapping


def escape(text: str) -> str:
    """``text`` as HTML that shows exactly these characters, in content and in attributes."""
    return html.escape(text).replace("\r", "&#13;").replace("\0", "\ufffd")


def button(
    kind: str, event: str, data: Mapping[str, str | int], content: str, label: str = ""
) -> str:
    """A button that sends ``event`` with ``data`` to the page; ``content`` is HTML."""
    sent = "".join(f' data-{key}="{escape(str(value))}"' for key, value in data.items())
    named = f' aria-label="{escape(label)}" title="{escape(label)}"' if label else ""
    return (
        f'<button type="button" class="{kind}" data-event="{event}"{sent}{named}>{content}</button>'
    )


def place(source: str, at: str) -> str:
    """``report.pdf, page 3``, or the source alone where nothing names a part of it."""
    return f"{source}, {at}" if at else source


def alert(message: str) -> str:
    """An error or a hint about what was typed; nothing when there is nothing to say."""
    return f'<div class="error" role="alert">{escape(message)}</div>' if message else ""
