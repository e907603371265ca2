"""What all parts of the page are made of; whatever is not HTML passes :func:`escape` here.

Buttons carry ``data-event`` and further ``data-`` attributes, which ``rag/assets/page.js`` sends
to the page's handlers.
"""

from __future__ import annotations

import html
import re
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


MAX_TITLE_CHARS = 90

_NOT_AT_END = frozenset(
    "a an the of and or nor to in on at by for from with as that which is are was were be has had "
    "its their his her this than into not but if".split()
)
"""Words that a line of running text may end with, and a title does not."""

_FIELD = re.compile(
    r"[\w-]+:\s*(\S+$|$)|(from|to|cc|date|subject|received|path|return-path|message-id|sender):",
    re.IGNORECASE,
)
"""A field of a header, such as that of a mail: it tells nothing of what follows."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def shown_title(title: str) -> str:
    """A document's title, as it is shown; "" where it does not read like one.

    Loaders take the first line of a plain text for its title: in a log, a table or a text in lines
    of one width it is none.
    """
    words = title.split()
    letters = sum(map(str.isalpha, title))
    if letters < 3 or letters * 2 < sum(map(len, words)) or title[0].islower():
        return ""
    if words[-1].casefold() in _NOT_AT_END or _FIELD.match(title) or _CONTROL.search(title):
        return ""
    if len(title) > MAX_TITLE_CHARS:
        title = title[:MAX_TITLE_CHARS].rsplit(maxsplit=1)[0] + " …"
    return " ".join(title.split())


def name(source: str, title: str, at: str = "") -> str:
    """A document as it is called: its title, and its file beside it, as HTML; ``at`` is a part."""
    shown = shown_title(title)
    where = escape(place(source, at))
    if not shown:
        return f'<span class="file">{where}</span>'
    return (
        f'<span class="title" dir="auto">{escape(shown)}</span> <small class="file">{where}</small>'
    )


def place(source: str, at: str) -> str:
    """``report.pdf, page 3``, or the source alone where nothing names a part of it."""
    return f"{source}, {at}" if at else source


def alert(message: str) -> str:
    """An error or a hint about what was typed; nothing when there is nothing to say."""
    return f'<div class="error" role="alert">{escape(message)}</div>' if message else ""
