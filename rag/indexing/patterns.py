"""The patterns of ``.gitignore``, matched in time that no pattern can stretch.

What a pattern costs is bounded by its length times that of the name: each ``*`` takes the first
fit, and each ``**`` the first folder, and neither is tried again. The usual translation to one
regular expression goes through all combinations of them, which a few stars make endless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_CHARACTERS = 32_000
"""Of a file of patterns; what follows is not used."""

MAX_LINE = 500
"""Characters of a pattern."""

MAX_REASONS = 3
"""Lines that are named where more are wrong."""

_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": " \\t", "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~",
    "punct": "!-/:-@\\[-`{-~", "space": "\\t-\\r ", "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_MEMBER = re.compile(r"\[:(?P<named>[a-z]*):\]|\\(?P<escaped>.)|(?P<plain>[^\\])", re.DOTALL)

Part = re.Pattern[str] | None
"""What one name of a path must be; None stands for any number of folders."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line: what it takes in again (``negated``), and whether it counts for folders only."""

    negated: bool
    folders_only: bool
    parts: tuple[Part, ...]

    def fits(self, path: str, *, folder: bool) -> bool:
        """Tell whether the pattern names the file, or the folder, at ``path`` (with ``/``)."""
        return (folder or not self.folders_only) and _fit(self.parts, path.split("/"))


def read_patterns(text: str) -> tuple[tuple[Pattern, ...], str]:
    """Return the patterns of a file, and what is wrong with it; "" if nothing is."""
    patterns, wrong = [], []
    for number, line in enumerate(text[:MAX_CHARACTERS].split("\n"), start=1):
        try:
            pattern = _pattern(line.removesuffix("\r"))
        except ValueError as error:
            shown = line if len(line) <= MAX_LINE else f"{line[:40]}..."
            wrong.append(f"line {number}: {shown!r} {error}")
            continue
        if pattern is not None:
            patterns.append(pattern)
    if len(wrong) > MAX_REASONS:
        wrong[MAX_REASONS:] = [f"and {len(wrong) - MAX_REASONS:,} more lines"]
    if len(text) > MAX_CHARACTERS:
        wrong.append(f"has more than {MAX_CHARACTERS:,} characters: what follows is not used")
    return tuple(patterns), "; ".join(wrong)


def _pattern(line: str) -> Pattern | None:
    """What a line says; None for a comment or an empty one. ValueError with what is wrong."""
    if len(line) > MAX_LINE:
        raise ValueError(f"has more than {MAX_LINE} characters")
    text = line.rstrip(" ")
    if text != line and (len(text) - len(text.rstrip("\\"))) % 2:  # the first space is escaped
        text += " "
    if not text or text.startswith("#"):
        return None
    negated, text = text.startswith("!"), text.removeprefix("!")
    if not text:
        raise ValueError("names nothing to take in again")
    folders_only, text = text.endswith("/"), text.removesuffix("/")
    names = text.removeprefix("/").split("/")
    parts: list[Part] = [] if "/" in text else [None]
    for name in names:
        anywhere = len(name) > 1 and not name.strip("*") and len(names) > 1
        if not (anywhere and parts[-1:] == [None]):
            parts.append(None if anywhere else _name(name))
    if len(names) > 1 and parts[-1] is None:  # all that is in a folder, not the folder
        parts.append(_name("*"))
    return Pattern(negated, folders_only, tuple(parts))


def _name(name: str) -> re.Pattern[str]:
    """What one name must be, of ``* ? [ ] \\`` and plain characters."""
    pieces = [""]
    for token in _tokens(name):
        if token == "*":
            pieces.append("")
        else:
            pieces[-1] += token
    first, *middle, last = pieces if len(pieces) > 1 else [*pieces, ""]
    first += "".join(f"(?>.*?{piece})" for piece in middle if piece)
    return re.compile(f"{first}.*{last}" if len(pieces) > 1 else first, re.DOTALL)


def _tokens(name: str) -> Iterator[str]:
    """``*``, or a regular expression for one character each."""
    at = 0
    while at < len(name):
        character = name[at]
        at += 1
        if character == "[":
            token, at = _bracket(name, at)
            yield token
        elif character == "\\":
            if at == len(name):
                raise ValueError("ends with a backslash")
            yield re.escape(name[at])
            at += 1
        else:
            yield {"*": "*", "?": "."}.get(character, re.escape(character))


def _bracket(name: str, at: int) -> tuple[str, int]:
    """The class of characters that begins before ``at``, and where it ends."""
    negated = name[at : at + 1] in ("!", "^")
    at += negated
    members, begun, start = "", False, ""
    while member := _MEMBER.match(name, at):
        at = member.end()
        if member["plain"] == "]" and begun:
            return f"[{'^' if negated else ''}{members}]", at
        begun = True
        if member["named"] is not None:
            members += _named(member["named"])
            start = ""
        elif member["plain"] == "-" and start and name[at : at + 1] not in ("]", ""):
            end = _MEMBER.match(name, at)
            if end is None:
                break
            is_named = end["named"] is not None  # as git: the range ends with its [
            last, at = ("[", at + 1) if is_named else (end["escaped"] or end["plain"], end.end())
            if last < start:
                raise ValueError(f"has a range that ends before it begins: {start}-{last}")
            members += f"-{re.escape(last)}"
            start = ""
        else:
            start = member["escaped"] or member["plain"]
            members += re.escape(start)
    raise ValueError("has a [ without its ]")


def _named(name: str) -> str:
    if name not in _CLASSES:
        raise ValueError(f"has an unknown class of characters: [:{name}:]")
    return _CLASSES[name]


def _fit(parts: Sequence[Part], names: Sequence[str]) -> bool:
    """Whether the parts make up a path. Only the last None is ever tried with more folders."""
    part = name = resumed = 0
    anywhere = -1
    while name < len(names):
        if part < len(parts) and (wanted := parts[part]) is None:
            anywhere, resumed = part, name
            part += 1
        elif part < len(parts) and wanted and wanted.fullmatch(names[name]):
            part, name = part + 1, name + 1
        elif anywhere >= 0:
            resumed += 1
            part, name = anywhere + 1, resumed
        else:
            return False
    return all(rest is None for rest in parts[part:])
