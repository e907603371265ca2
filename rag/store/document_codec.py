"""What is stored of a document beside its text and title: pages, headings, and what may come.

One JSON column holds every part of :class:`Document` that is a tuple of values, as plain lists. A
field that is added to :class:`Document` is stored without a change here; parts that are empty are
left out, so that a new field changes nothing for the documents that do not use it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from rag.types import Document

_APART = {"source", "title", "text"}
"""Fields with a column of their own, or, like the source, of another table."""


def encode_layout(document: Document) -> str:
    """The document's parts as JSON."""
    parts = {name: _plain(getattr(document, name)) for name in _parts() if getattr(document, name)}
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def decode_document(source: str, title: str, layout: str, text: str) -> Document:
    """The document that :func:`encode_layout` and its columns were written from."""
    hints = _parts()
    stored: dict[str, Any] = json.loads(layout)
    parts = {name: _typed(value, hints[name]) for name, value in stored.items()}
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


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return [_plain(getattr(value, f.name)) for f in fields(value)]
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _typed(value: Any, hint: Any) -> Any:
    """A plain value as the type that it was made from."""
    if is_dataclass(hint) and isinstance(hint, type):
        hints = _hints(hint)
        return hint(*(_typed(item, kind) for item, kind in zip(value, hints, strict=True)))
    if get_origin(hint) in (UnionType, Union):
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        return None if value is None else _typed(value, kinds[0])
    if get_origin(hint) is tuple:
        kinds = list(get_args(hint))
        if kinds[-1] is Ellipsis:
            kinds = kinds[:1] * len(value)
        return tuple(_typed(item, kind) for item, kind in zip(value, kinds, strict=True))
    return value


@cache
def _hints(kind: type) -> tuple[Any, ...]:
    hints = get_type_hints(kind)
    return tuple(hints[f.name] for f in fields(kind))
