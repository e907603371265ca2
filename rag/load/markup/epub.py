"""EPUB -> the chapters in the order in which they are read; navigation and cover are left out."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from rag.errors import LoadError
from rag.load.builder import clean
from rag.load.markup import html
from rag.load.package import local_name, open_package, parse_xml, read_part
from rag.types import Document, Heading

_WHAT = "an EPUB book"
_DAMAGED = "is damaged or not an EPUB book; open it in its own program and save it again"
_PAGES = frozenset(("application/xhtml+xml", "text/html", "application/x-dtbook+xml"))
# Fonts that are made unusable outside the book; its text is not locked.
_OBFUSCATED_FONT = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_LEFT_OUT = frozenset(("cover", "toc"))
_MAX_CHAPTERS = 10_000
_GAP = "\n\n"


def load(data: bytes, source: str) -> Document:
    """Raises :class:`LoadError` for a book that is damaged, or locked by its seller."""
    archive = open_package(data, _WHAT)
    _refuse_locked(archive)
    book = _Book(archive)
    parts: list[str] = []
    headings: list[Heading] = []
    length = 0
    for path, content in book.chapters():
        try:
            chapter = html.load(content, path)
        except LoadError:  # one chapter that is no text is no reason to lose the others
            continue
        name = "" if chapter.headings else book.names.get(path, "")
        text = f"{name}{_GAP if name else ''}{chapter.text.strip(chr(10))}"
        if not chapter.text.strip():
            continue
        start = length + (len(_GAP) if parts else 0)
        shift = start + len(name) + (len(_GAP) if name else 0)
        shift -= len(chapter.text) - len(chapter.text.lstrip("\n"))
        if name:
            headings.append(Heading(1, start, start + len(name)))
        headings += [Heading(h.level, h.start + shift, h.end + shift) for h in chapter.headings]
        parts.append(text)
        length = start + len(text)
    return Document(source, _GAP.join(parts), book.title, headings=tuple(headings))


def _refuse_locked(archive: zipfile.ZipFile) -> None:
    locked = read_part(archive, "META-INF/encryption.xml")
    if locked is None:
        return
    for method in parse_xml(locked).iter("{*}EncryptionMethod"):
        within = local_name(method.getparent())
        if within == "EncryptedData" and method.get("Algorithm", "") not in _OBFUSCATED_FONT:
            raise LoadError("is encrypted (DRM); use a copy without protection")


@dataclass(frozen=True, slots=True)
class _Item:
    path: str
    kind: str
    is_navigation: bool


class _Book:
    """The package file: title, parts, their order, and the names of chapters."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._known = set(archive.namelist())
        path, root = self._package()
        self._folder = posixpath.dirname(path)
        self._root = root
        self._items = {
            item.get("id", ""): _Item(
                self._path(item.get("href", "")),
                item.get("media-type", ""),
                "nav" in item.get("properties", "").split(),
            )
            for item in root.iter("{*}item")
        }
        found = (e.text for e in root.iter("{http://purl.org/dc/elements/1.1/}title"))
        self.title = next((" ".join(clean(t).split()) for t in found if t and t.strip()), "")
        self.names = dict(self._names())

    def chapters(self) -> Iterator[tuple[str, bytes]]:
        """Yield the path and bytes of each page of the book, in reading order."""
        left_out = {
            self._path(reference.get("href", ""))
            for reference in self._root.iter("{*}reference")
            if reference.get("type", "") in _LEFT_OUT
        }
        seen: set[str] = set()
        for reference in list(self._root.iter("{*}itemref"))[:_MAX_CHAPTERS]:
            item = self._items.get(reference.get("idref", ""))
            if item is None or item.is_navigation or item.path in left_out | seen:
                continue
            seen.add(item.path)
            if item.kind in _PAGES and item.path in self._known:
                yield item.path, self._archive.read(item.path)

    def _package(self) -> tuple[str, Any]:
        try:
            container = parse_xml(self._archive.read("META-INF/container.xml"))
            path = next(container.iter("{*}rootfile")).get("full-path", "")
            return path, parse_xml(self._archive.read(path))
        except LoadError:
            raise
        except Exception as error:  # KeyError, StopIteration, XMLSyntaxError, BadZipFile ...
            raise LoadError(_DAMAGED) from error

    def _path(self, reference: str, folder: str | None = None) -> str:
        """The part that a link leads to, without its fragment."""
        try:
            path = unquote(urlsplit(reference).path)
        except ValueError:
            return ""
        base = self._folder if folder is None else folder
        return posixpath.normpath(posixpath.join(base, path)) if path else ""

    def _names(self) -> Iterator[tuple[str, str]]:
        """What the table of contents calls each part that begins a chapter."""
        for item in self._items.values():
            is_ncx = item.kind == "application/x-dtbncx+xml"
            if not (item.is_navigation or is_ncx) or item.path not in self._known:
                continue
            try:
                root = parse_xml(self._archive.read(item.path))
            except Exception:  # the chapters have their own headings
                continue
            folder = posixpath.dirname(item.path)
            for entry in root.iter("{*}navPoint" if is_ncx else "{*}a"):
                label, link = _entry(entry) if is_ncx else (entry, entry.get("href", ""))
                words = " ".join(clean("".join(label.itertext())).split()) if len(link) else ""
                path = self._path(link, folder)
                if words and "#" not in link:
                    yield path, words


def _entry(point: Any) -> tuple[Any, str]:
    """The label of an entry of an NCX table of contents, and where it leads."""
    label = next(point.iter("{*}text"), point)
    content = next(point.iter("{*}content"), None)
    return label, content.get("src", "") if content is not None else ""
