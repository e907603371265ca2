"""Where indexes are held: the one place that knows every kind of store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from rag.errors import SettingsError
from rag.store.local import LocalStore
from rag.store.port import KnowledgeStore

Manifest = Mapping[str, str | int]
"""What an index is made with: its embedder and the settings of its chunks."""


class Backend(Protocol):
    """Finds and opens indexes, each by the folder that goes with it."""

    def exists(self, path: Path) -> bool:
        """Whether there is an index that belongs to the folder ``path``."""

    def open(self, path: Path, manifest: Manifest, *, rebuild: bool = False) -> KnowledgeStore:
        """Open that index, or create it; with ``rebuild`` it is emptied, in one step.

        Raises :class:`rag.errors.KnowledgeBaseError` if it was made with another manifest.
        """


class LocalBackend:
    """Indexes in their folders, as files of :class:`LocalStore`."""

    def exists(self, path: Path) -> bool:
        """Whether an index stands in the folder ``path``."""
        return LocalStore.exists(path)

    def open(self, path: Path, manifest: Manifest, *, rebuild: bool = False) -> KnowledgeStore:
        """Open the index in the folder ``path``, or create it there."""
        return LocalStore(path, manifest, rebuild=rebuild)


BACKENDS: Mapping[str, Callable[[], Backend]] = {"local": LocalBackend}
"""By the value of the setting ``store``."""


def make_backend(store: str) -> Backend:
    """Return what the setting ``store`` names. Raises :class:`SettingsError` if nothing is."""
    if store not in BACKENDS:
        raise SettingsError(f"setting store is {store!r}: use {' or '.join(BACKENDS)}")
    return BACKENDS[store]()
