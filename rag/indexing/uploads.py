"""Files that users add: each is tried before it is copied into a folder, and parsed once."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rag.errors import LoadError
from rag.indexing.file_bytes import read_file
from rag.indexing.file_names import checked_name, look_alike
from rag.indexing.folders import Folders
from rag.load.registry import Load, Loaded

MAX_CHARACTERS_KEPT = 16_000_000
"""Text of files that were tried, kept in memory for the sync that follows."""


class Uploads:
    """Puts files into the first of ``folders``; remembers what ``load`` made of them."""

    def __init__(self, folders: Folders, load: Load) -> None:
        self._folders = folders
        self.loader = load
        self._kept: dict[tuple[str, str], Loaded] = {}
        self._characters = 0

    def put(self, file: Path) -> str:
        """Copy a file into the folder; returns its source.

        Raises :class:`LoadError` for one that cannot be read, or has a name no document should.
        """
        name = checked_name(file.name)
        if other := look_alike(name, self._folders.paths[0]):
            raise LoadError(f"is named like {other!r}, written otherwise; rename it")
        source = self._folders.source_in_first(name)
        data = read_file(file)[0]
        loaded = self.loader(data, source)
        self._folders.put(file, name)
        characters = sum(len(document.text) for document in loaded.documents)
        if self._characters + characters <= MAX_CHARACTERS_KEPT:
            self._characters += characters
            self._kept[source, _digest(data)] = loaded
        return source

    def load(self, data: bytes, source: str) -> Loaded:
        """As ``load``; what is known of a file that was put is given, and forgotten."""
        return self._kept.pop((source, _digest(data)), None) or self.loader(data, source)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
