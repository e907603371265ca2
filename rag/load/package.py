"""Opens the containers that office formats and books are: ZIP packages of XML parts.

All of them are looked at before anything is unpacked: what a package claims to unpack to is what
Python's ``zipfile`` holds it to.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

from rag.errors import LoadError

MAX_SIZE = 500_000_000
"""Bytes that a package may unpack to; a larger one is made to fill the memory."""

MAX_TREE_BYTES = 64_000_000
"""Bytes of an XML part that is read as a tree, which takes up to ten times as much memory."""

_MAX_PARTS = 20_000
_MAX_RATIO = 250
_SMALL = 20_000_000  # bytes up to which a package may be packed as tightly as it likes

_STRICT = b"http://purl.oclc.org/ooxml/"
# The names of ISO 29500 Strict, and those that the libraries know.
_TRANSITIONAL = (
    (_STRICT + b"officeDocument/", b"http://schemas.openxmlformats.org/officeDocument/2006/"),
    (
        _STRICT + b"wordprocessingml/main",
        b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    ),
    (
        _STRICT + b"presentationml/main",
        b"http://schemas.openxmlformats.org/presentationml/2006/main",
    ),
    (
        _STRICT + b"spreadsheetml/main",
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    ),
    (_STRICT + b"drawingml/", b"http://schemas.openxmlformats.org/drawingml/2006/"),
)


def open_package(data: bytes, what: str, *, as_trees: bool = False) -> zipfile.ZipFile:
    """Return the package, within its limits. ``what`` names the type: "a Word document".

    ``as_trees`` is for libraries that read all XML parts at once, as trees.
    Raises :class:`LoadError` for one that is damaged, encrypted, or would unpack to too much.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # zipfile raises many kinds
        raise LoadError(
            f"is damaged or not {what}; open it in its own program and save it again"
        ) from error
    parts = archive.infolist()
    size = sum(part.file_size for part in parts)
    if size > MAX_SIZE:
        raise LoadError("unpacks to more than 500 MB; split it or remove its images")
    if size > max(_SMALL, len(data) * _MAX_RATIO):
        raise LoadError(
            f"unpacks to {size // max(len(data), 1)} times its size, as a file made to do harm "
            "does; open it in its own program and save it again"
        )
    if len(parts) > _MAX_PARTS:
        raise LoadError(f"has {len(parts):,} parts, {_MAX_PARTS:,} at most are read; split it")
    if any(part.flag_bits & 1 for part in parts):
        raise LoadError("is encrypted; remove its password and save it again")
    # A few bytes packed in any other way may unpack to gigabytes at once.
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        raise LoadError(f"is packed in a way that {what} never is; save it again")
    xml = sum(part.file_size for part in parts if part.filename.lower().endswith(".xml"))
    if as_trees and xml > MAX_TREE_BYTES:
        raise LoadError(
            f"has {xml // 1_000_000} MB of text and markup, {MAX_TREE_BYTES // 1_000_000} MB at "
            "most are read; split it"
        )
    return archive


def read_part(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """Return the bytes of a part, whatever the case of its name; None if there is none."""
    try:
        return archive.read(name)
    except KeyError:
        found = next((n for n in archive.namelist() if n.lower() == name.lower()), None)
        return archive.read(found) if found else None


def parse_xml(data: bytes) -> Any:
    """Return the root element; entities are not replaced, nothing is fetched, ``recover`` is off.

    Raises :class:`LoadError` where the tree would take too much memory.
    """
    from lxml import etree

    if len(data) > MAX_TREE_BYTES:
        raise LoadError(
            f"has an XML part of {len(data) // 1_000_000} MB, "
            f"{MAX_TREE_BYTES // 1_000_000} MB at most are read; split it"
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True
    )
    return etree.fromstring(data, parser)


def local_name(element: Any) -> str:
    """Tag without its namespace; "" for comments, processing instructions and entities."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def forget(element: Any) -> None:
    """Free an element of a stream that was read, and those before it."""
    element.clear()
    while (done := element.getprevious()) is not None:
        element.getparent().remove(done)


def transitional(data: bytes, archive: zipfile.ZipFile, main: str) -> bytes:
    """Return ``data``, or a copy that has the usual names where the package is ISO 29500 Strict.

    ``main`` is a part that tells which it is.
    """
    if _STRICT not in (read_part(archive, main) or b"")[:4000]:
        return data
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as copy:
        for part in archive.infolist():
            content = archive.read(part)
            if part.filename.lower().endswith((".xml", ".rels")):
                for strict, usual in _TRANSITIONAL:
                    content = content.replace(strict, usual)
            copy.writestr(part.filename, content)
    return buffer.getvalue()
