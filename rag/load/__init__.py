"""Bytes of one file -> :class:`rag.types.Document`.

The type is decided by the content first and the suffix second. A new format is one module with a
``load(data, source)`` function and one row in :data:`_LOADERS`. Parsers are imported when first
used.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePosixPath

from rag.errors import LoadError
from rag.load.folder import find_files
from rag.load.sniff import REFUSED, sniff
from rag.types import Document

__all__ = ["SUFFIXES", "find_files", "load_bytes"]

_LOADERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "text": ("rag.load.plain", (".txt", ".text", ".log", ".rst")),
    "markdown": ("rag.load.markdown", (".md", ".markdown")),
    "html": ("rag.load.html", (".html", ".htm", ".xhtml")),
    "pdf": ("rag.load.pdf", (".pdf",)),
    "docx": ("rag.load.word", (".docx", ".docm")),
    "png": ("rag.load.image", ()),
    "jpeg": ("rag.load.image", ()),
    "tiff": ("rag.load.image", ()),
}
"""Kind of content -> the module that loads it, and the suffixes that promise it."""

_KIND_OF_SUFFIX = {suffix: kind for kind, (_, suffixes) in _LOADERS.items() for suffix in suffixes}

SUFFIXES: tuple[str, ...] = tuple(sorted(_KIND_OF_SUFFIX))
"""The suffixes that load, in lower case and with their dot; for file pickers."""


def load_bytes(data: bytes, source: str) -> Document:
    """Read the bytes of one file as a document.

    ``source`` becomes :attr:`Document.source`; of it only the suffix is looked at. Raises
    :class:`LoadError`, and nothing else for any ``data``, with a short reason for a person.
    """
    kind = _kind(data, PurePosixPath(source).suffix.lower())
    load = import_module(_LOADERS[kind][0]).load
    try:
        document: Document = load(data, source)
    except LoadError:
        raise
    except Exception as error:  # the one edge where whatever a parser throws becomes a reason
        raise LoadError(
            f"cannot be read as {kind.upper() if kind != 'text' else 'text'}: it is damaged or "
            f"malformed ({type(error).__name__}); open it in its own program and save it again"
        ) from error
    if not document.text.strip():
        raise LoadError("holds no text; remove it or add text to it")
    return document


def _kind(data: bytes, suffix: str) -> str:
    """The key of :data:`_LOADERS` to use. Raises :class:`LoadError` for what has none."""
    if not data:
        raise LoadError("is empty; remove it or fill it")
    promised = _KIND_OF_SUFFIX.get(suffix)
    found = sniff(data, promised)
    if found in REFUSED:
        raise LoadError(REFUSED[found])
    if found in _LOADERS:
        return found
    if promised is not None:
        return promised
    if suffix == "":  # README, LICENSE and the like
        return "text"
    raise LoadError(
        f"is of an unsupported type ({suffix}); convert it to one of {' '.join(SUFFIXES)}"
    )
