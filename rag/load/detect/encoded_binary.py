"""Binary data written as text: base64 or hexadecimal."""

from __future__ import annotations

import re

from rag.errors import LoadError

_MIN_CODED_LENGTH = 2000  # characters; a key or a digest in a text is shorter
_CODED_SAMPLE = 1_000_000
_KINDS = (re.compile("[A-Za-z]"), re.compile("[0-9]"))
_CODED_RUN = re.compile(r"[A-Za-z0-9+/=_-]{60,}+")


def refuse_encoded_binary(text: str) -> None:
    """Raise :class:`LoadError` for data that was only written in letters."""
    if is_encoded_binary(text):
        raise LoadError(
            "is binary data written as text (base64 or hexadecimal); remove it or decode it"
        )


def is_encoded_binary(text: str) -> bool:
    """Tell whether nearly all of a longer text is letters and digits without a space or a stop."""
    if len(text) < _MIN_CODED_LENGTH:
        return False
    sample = text[:_CODED_SAMPLE]
    coded = sum(len(run.group()) for run in _CODED_RUN.finditer(sample) if _is_coded(run.group()))
    return coded * 10 > (len(sample) - sample.count("\n")) * 9


def _is_coded(run: str) -> bool:
    """Whether letters and digits are mixed; a ruler, a number or a gene has one kind only."""
    return all(kind.search(run, 0, 200) for kind in _KINDS)
