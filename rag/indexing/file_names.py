"""Names that an uploaded file may have, on any system, and look like what they are."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from rag.errors import LoadError

MAX_NAME_LENGTH = 200
"""Bytes in UTF-8: file systems take 255, and a name of its own is made from it while copying."""

_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE | re.DOTALL
)
_SPECIAL = re.compile(r'[<>:"|?*]')
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_JOINERS = "\u200c\u200d"  # words of Persian and Hindi, and emoji, are written with them


def checked_name(name: str) -> str:
    """Return ``name`` in Unicode's composed form.

    Raises :class:`LoadError` for what may not be a name.

    Refused are paths, hidden files, characters that are invisible, turn the direction of reading
    or mean something to a shell or to Windows, and names that Windows keeps for devices.
    """
    composed = unicodedata.normalize("NFC", name)
    if reason := _objection(composed):
        raise LoadError(f"{reason}; rename it")
    return composed


def _objection(name: str) -> str:
    if not name.strip(". "):
        return "has no name"
    if "/" in name or "\\" in name:
        return "has a name that is a path"
    if name.startswith((".", "~$")):
        return "is a hidden file or another program's temporary one"
    if any(unicodedata.category(c) in _INVISIBLE and c not in _JOINERS for c in name):
        return "has an invisible character in its name"
    if found := _SPECIAL.search(name):
        return f"has a {found[0]} in its name"
    if name[-1] in ". " or name[0] == " ":
        return "has a name that begins or ends with a space or a dot"
    if _RESERVED.fullmatch(name):
        return "has a name that Windows keeps for a device"
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_LENGTH:
        return f"has a name of more than {MAX_NAME_LENGTH} bytes"
    return ""


def look_alike(name: str, folder: Path) -> str | None:
    """Return a file in ``folder`` whose name is written like ``name`` but is another.

    None for none.
    """
    wanted = _folded(name)
    others = (path.name for path in folder.iterdir() if path.name != name)
    return next((other for other in others if _folded(other) == wanted), None)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
