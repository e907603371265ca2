"""What a text is by its beginning: XML, a mail, a mailbox or a script."""

from __future__ import annotations

import re
from collections.abc import Set

from rag.load.detect.containers import is_mailbox

_LOOK_AT = 16_384
_MAX_HEADERS = 200
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*+<\?xml\s")
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?:<!--(?>.*?-->)\s*+)*+(?:<!DOCTYPE\s+(?:svg|rss|feed)\b|<(?:svg|rss|feed)\s)",
    re.DOTALL,
)
_SCRIPT = re.compile(rb"(?:\xef\xbb\xbf)?#!\s*/\S")
_HEADER = re.compile(rb"([!-9;-~]{1,60}):[ \t]|([!-9;-~]{1,60}):\r?$")
_SURE = frozenset(
    (
        b"received",
        b"message-id",
        b"mime-version",
        b"return-path",
        b"delivered-to",
        b"dkim-signature",
    )
)
"""Headers that mail programs write and people do not."""

_CODED = frozenset((b"mime-version",))  # without it a mail is a text that needs no decoding


def text_kind(data: bytes, promised: str | None) -> str | None:
    """Return ``xml``, ``mbox``, ``mail``, ``code``, or None where the beginning does not tell.

    ``promised`` is the kind that the file's name stands for: only plain text and names that say
    nothing are doubted.
    """
    if promised not in (None, "text", "mail", "mbox"):
        return None
    head = data[:_LOOK_AT]
    if _XML.match(head) or _ROOT.match(head):
        return "xml"
    if promised != "mail" and is_mailbox(head):
        return "mbox"
    if promised != "mbox" and _is_mail(head, _SURE if promised is None else _CODED):
        return "mail"
    return "code" if _SCRIPT.match(head) else None


def _is_mail(head: bytes, sure: Set[bytes]) -> bool:
    """Whether there are headers before the first blank line, some that only programs write."""
    names = set()
    for line in head.split(b"\n")[:_MAX_HEADERS]:
        if not line.strip():
            break
        if line[:1] in b" \t":
            continue
        found = _HEADER.match(line)
        if not found:
            return False
        names.add((found.group(1) or found.group(2)).lower())
    return b"from" in names and len(names) >= 3 and bool(names & sure)
