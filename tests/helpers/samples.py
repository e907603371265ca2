"""What several tests use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from rag import KnowledgeBase
from rag.embed import HashingEmbedder
from rag.load.registry import load_file
from rag.store.local import LocalStore
from rag.types import Embedder

SEED = "000_4d99796a1b9c3cb8.txt"

MakeKb = Callable[..., KnowledgeBase]
"""The fixture ``make_kb``: ``make_kb({"a.txt": "its text"})``."""


def write_folder(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files by name, in subfolders where the name has ``/``; text is written as UTF-8."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def open_kb(path: Path, embedder: Embedder | None = None) -> KnowledgeBase:
    """A knowledge base over hashed bags of words, which reads files in this process."""
    return KnowledgeBase(path, embedder=embedder or HashingEmbedder(), load=load_file)


def local_store(kb: KnowledgeBase) -> LocalStore:
    """The store that the knowledge base has open, for tests that look inside."""
    store = kb._open()
    assert isinstance(store, LocalStore)
    return store


def on_disk(index: Path, word: bytes) -> list[str]:
    """Names of the files below ``index`` that hold a word, in lower case, in any of their bytes."""
    files = (path for path in index.rglob("*") if path.is_file())
    return [path.name for path in files if word in path.read_bytes().lower()]
