"""The files that documents were read from: where a span stands in one, and how its page looks."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from rag.errors import LoadError
from rag.indexing.file_bytes import read_file
from rag.indexing.folders import Folders
from rag.store.port import IndexStore
from rag.types import Document, Location, PageImage
from rag.viewer import pages


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A document and the source of its file.

    ``data`` are the file's bytes; None if its pages cannot be shown, or it is no longer the file
    that was indexed.
    """

    document: Document
    file: str
    data: bytes | None

    @classmethod
    def of(cls, document: Document, store: IndexStore, folders: Folders) -> Self:
        """Read the file of a document that is in the store."""
        file = store.file_of(document.source)
        drawn = document.pages and not document.places  # slides have no look that is drawn here
        path = folders.find(file) if drawn else None
        with suppress(LoadError, OSError):
            data = read_file(path)[0] if path else b""
            if hashlib.sha256(data).hexdigest() == store.file_digest(file):
                return cls(document, file, data)
        return cls(document, file, None)

    def locate(self, start: int, end: int, show: pages.PageRenderer) -> list[Location]:
        """Where ``text[start:end]`` of the document stands, with marks if its pages are shown."""
        if self.data is None:
            return list(self.document.locate(start, end))
        return pages.locate(self.data, self.file, self.document, start, end, show)

    def page_image(
        self, start: int, end: int, page: int | None, show: pages.PageRenderer
    ) -> PageImage | None:
        """Return a page with ``text[start:end]`` marked.

        Without ``page`` the first that it stands on.
        """
        number = page if page is not None else self.document.page_at(start)
        if self.data is None or number is None:
            return None
        return pages.page_image(self.data, self.file, self.document, number, start, end, show)
