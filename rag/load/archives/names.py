"""Names of files inside archives and mails: decoded, and made safe to be part of a source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from rag.errors import LoadError
from rag.load.detect.encoding import decode
from rag.load.system_files import is_system_name

_MAX_PART_LENGTH = 160
_MAX_PATH_LENGTH = 800
# Control characters, those that turn the direction of writing, line ends, lone surrogates.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_SEPARATORS = re.compile(r"[/\\]")
_DRIVE = re.compile(r"[A-Za-z]:")
_DOS_LETTERS = set("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜáíóúñÑßº ")


def inner_path(name: str) -> str:
    """``name`` as a path below its container: no root, no drive, no ``..``, nothing unprintable.

    What a terminal or a page cannot show is escaped (``\\x07``); parts that are too long are
    shortened, their suffix kept.
    """
    parts = [_safe_part(part) for part in _parts(name) if part != ".."]
    path = "/".join(parts)
    if len(path) > _MAX_PATH_LENGTH:
        path = "…" + path[-_MAX_PATH_LENGTH:].lstrip("/")
    return path or "unnamed"


def base_name(name: str) -> str:
    """Return the last part of ``name``, made safe.

    "" where there is none: attachments have no folder.
    """
    parts = [part for part in _parts(name.strip()) if part != ".."]
    return _safe_part(parts[-1]) if parts else ""


def leads_out(name: str) -> bool:
    """Tell whether ``name`` climbs with ``..``: no archive that a person made has such names."""
    return ".." in _parts(name)


def is_junk(path: str) -> bool:
    """Whether a folder would leave the file out: hidden, or dropped by the operating system."""
    parts = path.split("/")
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts[:-1])
    return hidden or is_system_name(parts[-1])


def decode_names(names: Sequence[bytes]) -> list[str]:
    """Names that an archive does not say the encoding of: UTF-8, code page 437, or a guess.

    They are looked at together, since one name alone is too short to guess by.
    """
    try:
        return [name.decode() for name in names]
    except UnicodeDecodeError:
        pass
    if _is_dos(b"".join(names).decode("cp437")):
        return [name.decode("cp437") for name in names]
    try:
        guessed = decode(b"\n".join(names)).split("\n")
    except LoadError:
        guessed = []
    if len(guessed) != len(names) or any("\ufffd" in name for name in guessed):
        return [name.decode("cp437") for name in names]
    return guessed


def _is_dos(text: str) -> bool:
    """Whether code page 437 gives words of Western languages: few letters are accented."""
    wide = [c for c in text if not c.isascii()]
    return all(c in _DOS_LETTERS for c in wide) and len(wide) * 3 <= sum(map(str.isalpha, text))


def _parts(name: str) -> list[str]:
    parts = [part for part in _SEPARATORS.split(name) if part not in ("", ".")]
    return parts[1:] if parts and _DRIVE.fullmatch(parts[0]) else parts


def _safe_part(part: str) -> str:
    part = _UNSAFE.sub(lambda c: c.group().encode("unicode_escape").decode(), part)
    if len(part) <= _MAX_PART_LENGTH:
        return part
    suffix = PurePosixPath(part).suffix[:12]
    return f"{part[: _MAX_PART_LENGTH - 12]}…{suffix}"
