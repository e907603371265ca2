"""Plain text: decoded, line ends made ``\\n``, every other character kept as it is."""

from __future__ import annotations

from rag.load.detect.encoded_binary import refuse_encoded_binary
from rag.load.detect.encoding import decode
from rag.types import Document

_MAX_TITLE_LENGTH = 120
_SENTENCE_ENDS = (".", ",", ";", ":", "。")


def load(data: bytes, source: str) -> Document:
    """Raises :class:`rag.errors.LoadError` for data that is not text."""
    text = decode(data)
    refuse_encoded_binary(text)
    return Document(source, text, title=_title(text))


def _title(text: str) -> str:
    """The first line with words, if it looks like a title above a text; else ""."""
    first, _, rest = text.lstrip().partition("\n")
    first = first.rstrip()
    if len(first) > _MAX_TITLE_LENGTH or first.endswith(_SENTENCE_ENDS) or not rest.strip():
        return ""
    return first
