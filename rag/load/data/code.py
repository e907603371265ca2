"""Source code and settings: text as it stands. Its first line is no title."""

from __future__ import annotations

from pathlib import PurePosixPath

from rag.errors import LoadError
from rag.load.detect.encoded_binary import refuse_encoded_binary
from rag.load.detect.encoding import decode
from rag.types import Document

_PACKED_SUFFIXES = (".js", ".mjs", ".cjs", ".css")
_PACKED_LINE = 400  # characters of a line on average; what people write has less than 100
_MIN_PACKED_LENGTH = 2000


def load(data: bytes, source: str) -> Document:
    """Raises :class:`LoadError` for what is not text, or was not written to be read."""
    text = decode(data)
    refuse_encoded_binary(text)
    if PurePosixPath(source).suffix.lower() in _PACKED_SUFFIXES and _is_packed(text):
        raise LoadError("is minified code, which nobody reads; add the source it was made from")
    return Document(source, text)


def _is_packed(text: str) -> bool:
    lines = text.count("\n") + 1
    return len(text) > _MIN_PACKED_LENGTH and len(text) > lines * _PACKED_LINE
