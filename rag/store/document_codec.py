"""What is stored of a document beside its text and title: pages, headings, and what may come.

One JSON column holds every part of :class:`Document` that is a tuple of values, as plain lists. A
field that is added to :class:`Document` is stored without a change here; parts that are empty are
left out, so that a new field changes nothing for the documents that do not use it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, get_type_hints

from rag.dataclass_json import from_plain, to_plain
from rag.types import Document

_APART = {"source", "title", "text"}
"""Fields with a column of their own, or, like the source, of another table."""


def encode_layout(document: Document) -> str:
    """The document's parts as JSON."""
    filled = {name: value for name in _parts() if (value := getattr(document, name))}
    parts = {name: to_plain(value) for name, value in filled.items()}
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def decode_document(source: str, title: str, layout: str, text: str) -> Document:
    """The document that :func:`encode_layout` and its columns were written from."""
    hints = _parts()
    stored: dict[str, Any] = json.loads(layout)
    parts = {name: from_plain(hints[name], value) for name, value in stored.items()}
    return Document(source, text, title, **parts)


def content_sha256(document: Document) -> str:
    """Hex SHA-256 of all of a document but its source: equal for copies alone."""
    return stored_sha256(
        document.title.encode(), encode_layout(document).encode(), document.text.encode()
    )


def stored_sha256(title: bytes, layout: bytes, text: bytes) -> str:
    """:func:`content_sha256` of a document as it is stored."""
    digest = hashlib.sha256()
    for data in (title, layout, text):
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()


@cache
def _parts() -> Mapping[str, Any]:
    """The type of each field that goes into the layout."""
    hints = get_type_hints(Document)
    return {f.name: hints[f.name] for f in fields(Document) if f.name not in _APART}
