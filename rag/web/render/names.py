"""How documents and their parts are called."""

from __future__ import annotations

import re
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Name:
    """A document as it is called: its title, "" where none is shown, and ``place`` in its file."""

    title: str
    place: str


def name(source: str, title: str, at: str = "") -> Name:
    """What to call a document, or the part of it that ``at`` names."""
    return Name(shown_title(title), place(source, at))


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


def place(source: str, at: str) -> str:
    """``report.pdf, page 3``, or the source alone where nothing names a part of it."""
    return f"{source}, {at}" if at else source
