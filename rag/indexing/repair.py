"""Proving, repairing, backing up and restoring an index, for who holds the right to change it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import KnowledgeBaseError
from rag.indexing.writer import Indexer
from rag.store import schema
from rag.store.backend import LocalBackend, Manifest
from rag.store.document_codec import decode_document, stored_sha256
from rag.store.maintenance.backup import replace_database, unpack_backup
from rag.store.maintenance.verify import DERIVED, problems
from rag.store.port import FileRecord, IndexStore
from rag.store.schema import DATABASE, Connection, row_digest
from rag.store.troubles import OF_ANOTHER_KIND, explained, is_damage, require_database
from rag.store.vector_index import CHECKPOINT
from rag.text.index_text import index_text
from rag.types import Document, Vectors

_LOCAL = LocalBackend()
"""Of all stores, what is repaired and restored here are the files of the local one."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What was wrong with an index, and the files that have to be loaded anew, for what was read
    of them is lost. The index is whole otherwise."""

    problems: tuple[str, ...]
    lost: tuple[str, ...] = ()


def repair(path: Path, manifest: Manifest, writer: Callable[[IndexStore], Indexer]) -> Repair:
    """Make all that is derived anew, and leave out what cannot be.

    Whatever is whole of files, documents and vectors is written into a new database, which takes
    the place of the damaged one in one step. ``writer`` gives what chunks and embeds for a store.
    Raises :class:`KnowledgeBaseError`, with the command that helps, where too little is left.
    """
    with explained(path):
        found = tuple(problems(path, index_text))
    if not found:
        return Repair(())
    require_database(path)
    if set(found) <= DERIVED:
        (path / CHECKPOINT).unlink(missing_ok=True)
        with _LOCAL.open(path, manifest) as store:
            store.compact()
        return Repair(found)
    with _partial(path, "repair") as folder, explained(path):
        try:
            with closing(sqlite3.connect(path / DATABASE, factory=Connection)) as damaged:
                damaged.text_factory = bytes
                with _LOCAL.open(folder, manifest) as store:
                    lost = _Salvage(path, damaged, manifest).into(store, writer(store))
            replace_database(path, folder)
        except (sqlite3.DatabaseError, *OF_ANOTHER_KIND) as error:
            if isinstance(error, sqlite3.DatabaseError) and not is_damage(error):
                raise
            raise KnowledgeBaseError(
                f"the index in {str(path)!r} cannot be repaired ({error}): run 'rag index FOLDER "
                f"--rebuild --index {path}'"
            ) from error
    (path / CHECKPOINT).unlink(missing_ok=True)
    return Repair(found, tuple(sorted(lost)))


def restore(path: Path, file: Path, manifest: Manifest) -> dict[str, Any]:
    """Put a backup in the place of the index in ``path``, in one step for every reader.

    Returns what the backup says of itself. Raises :class:`KnowledgeBaseError` for a file that is
    no backup, a damaged one, or one that was made with other settings; nothing is changed then.
    """
    with _partial(path, "restore") as folder, explained(path):
        about = unpack_backup(file, folder)
        _require_fitting(file, about["manifest"], manifest)
        with _LOCAL.open(folder, manifest):  # brings one of an earlier format up to date
            pass
        if found := problems(folder, index_text):
            raise KnowledgeBaseError(f"{str(file)!r} is damaged ({found[0]}): use another backup")
        replace_database(path, folder)
    with _LOCAL.open(path, manifest) as store:
        store.compact()
    return about


@contextmanager
def _partial(path: Path, name: str) -> Iterator[Path]:
    """A new folder below the index; a sync deletes what an interruption leaves of it."""
    folder = path / f"{name}.partial"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _require_fitting(file: Path, found: Mapping[str, Any], wanted: Manifest) -> None:
    if found["format"] > schema.FORMAT_VERSION:
        raise KnowledgeBaseError(
            f"{str(file)!r} is of format {found['format']}, and this program knows formats up to "
            f"{schema.FORMAT_VERSION}: use the newer program that wrote it"
        )
    for key, value in wanted.items():
        if found.get(key) != value:
            raise KnowledgeBaseError(
                f"{str(file)!r} was made with {key} {found.get(key)!r}, but now {value!r} is "
                f"wanted: set RAG_{key.upper()} to restore it"
            )


@dataclass(frozen=True, slots=True)
class _Salvage:
    """Reads what is whole of a damaged database, whose texts come as bytes."""

    path: Path
    database: sqlite3.Connection
    manifest: Manifest

    def into(self, store: IndexStore, writer: Indexer) -> set[str]:
        """Write all that is whole into an empty store; returns the sources of what is lost."""
        notes = self._notes()
        if self._same_models(notes):
            store.keep_vectors(self._vectors())
        whole = self._contents()
        documents: dict[int, dict[str, int]] = {}
        for _, source, file_id, content_id, digest in self._rows(
            "documents", "source", "file_id", "content_id", "digest"
        ):
            if digest == row_digest(source, file_id, content_id) and content_id in whole:
                documents.setdefault(file_id, {})[source.decode()] = content_id
        lost: set[str] = set()
        for file_id, *row, count, digest in self._rows(
            "files", "source", "sha256", "loader", "signature", "failures", "documents", "digest"
        ):
            held = documents.get(file_id, {})
            if digest == row_digest(*row, count) and len(held) == count:
                documents.pop(file_id, None)
                writer.write([(_record(row), [self._document(*item) for item in held.items()])])
            elif digest == row_digest(*row, count):
                documents.pop(file_id, None)
                lost.add(row[0].decode())
        for held in documents.values():  # what they were read from is not known any more
            lost |= held.keys()
        for key, value in notes.items():
            if key.startswith("note:"):
                store.set_note(key.removeprefix("note:"), value)
        return lost

    def _notes(self) -> dict[str, str]:
        rows = self.database.execute("SELECT key, value, digest FROM meta")
        return {
            key.decode(): value.decode() for key, value, d in rows if d == row_digest(key, value)
        }

    def _same_models(self, notes: Mapping[str, str]) -> bool:
        """Whether the stored vectors can be used. Raises for an index made with other settings."""
        if "manifest" not in notes:
            return False
        found = json.loads(notes["manifest"])
        for key, value in self.manifest.items():
            if found.get(key) != value:
                raise KnowledgeBaseError(
                    f"the index in {str(self.path)!r} was made with {key} {found.get(key)!r}, but "
                    f"now {value!r} is wanted: use the settings it was made with"
                )
        return True

    def _vectors(self) -> dict[str, Vectors]:
        rows = self._rows("vectors", "text_sha256", "embedding", "digest")
        return {
            key.decode(): np.frombuffer(data, dtype="<f4")
            for _, key, data, digest in rows
            if digest == row_digest(key, data)
        }

    def _contents(self) -> set[int]:
        """Ids of the contents that are what was written."""
        whole = set()
        for (content_id,) in self._rows("contents"):
            row = self._content(content_id)
            if row and stored_sha256(*row[1:]) == row[0].decode("utf-8", "replace"):
                whole.add(content_id)
        return whole

    def _content(self, content_id: int) -> tuple[bytes, ...] | None:
        try:
            row: tuple[bytes, ...] | None = self.database.execute(
                "SELECT sha256, title, layout, text FROM contents WHERE id = ?", (content_id,)
            ).fetchone()
        except sqlite3.DatabaseError:
            return None
        return row if row and all(isinstance(value, bytes) for value in row) else None

    def _document(self, source: str, content_id: int) -> Document:
        row = self._content(content_id)
        assert row  # it was read before
        return decode_document(source, row[1].decode(), row[2].decode(), row[3].decode())

    def _rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """``(id, *columns)`` of every row that can be read: a damaged page ends a walk, so the
        table is walked through from both ends."""
        found: dict[int, tuple[Any, ...]] = {}
        # NOT INDEXED: an index may be damaged by itself.
        select = f"SELECT {', '.join(('id', *columns))} FROM {table} NOT INDEXED ORDER BY id"
        for order in ("ASC", "DESC"):
            try:
                for row in self.database.execute(f"{select} {order}"):
                    found.setdefault(row[0], row)
            except sqlite3.DatabaseError:
                continue
        return list(found.values())


def _record(row: list[Any]) -> FileRecord:
    source, sha256, loader, signature, failures = (
        value.decode() if isinstance(value, bytes) else value for value in row
    )
    listed = tuple((name, reason) for name, reason in json.loads(failures))
    return FileRecord(source, sha256, loader, signature, listed)
