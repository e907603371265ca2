"""The documents that come with an imported set, as files that can be indexed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from rag.errors import LoadError
from rag.load.registry import Load
from rag.question_sets.locate import Documents

_MAX_NAME_LENGTH = 80


def write_documents(folder: Path, texts: Iterable[tuple[str, str]], load: Load) -> Documents:
    """Write each ``(name, text)`` as a text file into ``folder``, which is there and empty.

    Returns the documents as ``load`` reads them. A text that holds nothing is left out.
    """
    named: dict[str, str] = {}
    used: set[str] = set()
    for name, text in texts:
        if text.strip():
            source = _file_name(name, used)
            (folder / source).write_text(text, encoding="utf-8", newline="\n")
            named.setdefault(name, source)

    @lru_cache(maxsize=64)
    def text_of(source: str) -> str:
        try:
            (document,) = load((folder / source).read_bytes(), source).documents
        except (LoadError, ValueError):  # as the sync will report it: no document of that name
            return ""
        return document.text

    return Documents(sorted(path.name for path in folder.iterdir()), text_of, named)


def _file_name(name: str, used: set[str]) -> str:
    """A file name for ``name`` that no other document has, on any file system."""
    stem = re.sub(r"[^\w-]+", "_", name).strip("_")[:_MAX_NAME_LENGTH] or "document"
    chosen, number = stem, 1
    while chosen.casefold() in used:
        number += 1
        chosen = f"{stem}_{number}"
    used.add(chosen.casefold())
    return f"{chosen}.txt"
