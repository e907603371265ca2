"""Proof that a local index is whole: every row, offset, vector and derived index is checked."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import KnowledgeBaseError
from rag.store import schema
from rag.store.dense import DenseIndex
from rag.store.document_codec import decode_document, stored_sha256
from rag.store.schema import DATABASE, row_digest
from rag.store.troubles import OF_ANOTHER_KIND, is_damage, require_database
from rag.store.vector_index import CHECKPOINT
from rag.types import Chunk

IndexText = Callable[[Chunk], str]
"""The text that is indexed for a chunk."""

STALE = "the dense index is missing or damaged; the next sync makes it again"
_UNEQUAL = "the dense index does not hold the same vectors as the database"
DERIVED = {STALE, _UNEQUAL}
"""Problems that a new checkpoint of the dense index mends."""

_DIGESTED = {
    "meta": ("key", "value"),
    "files": ("source", "sha256", "loader", "signature", "failures", "documents"),
    "documents": ("source", "file_id", "content_id"),
    "vectors": ("text_sha256", "embedding"),
    "chunks": ("content_id", "vector_id", '"start"', '"end"'),
}
"""The columns that a table's digest is of."""

_COUNTS = (
    (
        "SELECT count(*) FROM documents WHERE file_id NOT IN (SELECT id FROM files) "
        "OR content_id NOT IN (SELECT id FROM contents)",
        "documents belong to no file or have no content",
    ),
    (
        "SELECT count(*) FROM files f WHERE documents != "
        "(SELECT count(*) FROM documents d WHERE d.file_id = f.id)",
        "files have lost a document, or gained one",
    ),
    (
        "SELECT count(*) FROM contents WHERE id NOT IN (SELECT content_id FROM documents)",
        "contents belong to no document",
    ),
    (
        "SELECT count(*) FROM contents t WHERE chunks != "
        "(SELECT count(*) FROM chunks c WHERE c.content_id = t.id)",
        "contents have lost a chunk, or gained one",
    ),
    (
        "SELECT count(*) FROM chunks WHERE content_id NOT IN (SELECT id FROM contents) "
        "OR vector_id NOT IN (SELECT id FROM vectors)",
        "chunks belong to no document or have no vector",
    ),
    (
        "SELECT count(*) FROM chunks WHERE id NOT IN (SELECT rowid FROM words)",
        "chunks cannot be found by their words",
    ),
    (
        "SELECT count(*) FROM words WHERE rowid NOT IN (SELECT id FROM chunks)",
        "entries of the word index belong to no chunk",
    ),
)


def problems(path: Path, index_text: IndexText | None = None) -> list[str]:
    """What is wrong with the index in ``path``, one line each; empty if all is well.

    With ``index_text`` each chunk is also held against the text that its vector was made from.
    Nothing may write to the index meanwhile (:func:`rag.indexing.write_lock.only_writer`). Raises
    ``sqlite3.DatabaseError`` where nothing can be told, for the disk is full or fails.
    """
    try:
        require_database(path)
    except KnowledgeBaseError as error:
        return [str(error)]
    try:
        with closing(schema.connect(path / DATABASE)) as database:
            # As bytes, so that a text that is no UTF-8 any more can be looked at.
            database.text_factory = bytes
            return list(_Proof(path, database, index_text).problems())
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return [f"the database is damaged: {error}"]


@dataclass(frozen=True, slots=True)
class _Proof:
    path: Path
    database: sqlite3.Connection
    index_text: IndexText | None

    def problems(self) -> Iterator[str]:
        """Each check by itself: what one cannot read does not keep the others from looking."""
        checks = (
            self._structure,
            self._rows,
            self._contents,
            self._counts,
            self._words,
            self._vectors,
            self._checkpoint,
        )
        for check in checks:
            try:
                yield from check()
            except (sqlite3.DatabaseError, *OF_ANOTHER_KIND) as error:
                if isinstance(error, sqlite3.DatabaseError) and not is_damage(error):
                    raise
                name = check.__name__.removeprefix("_")
                yield f"the database is damaged: its {name} cannot be checked ({error})"

    def _structure(self) -> Iterator[str]:
        for (line,) in self.database.execute("PRAGMA integrity_check"):
            if line != b"ok":
                yield f"the database is damaged: {line.decode('utf-8', 'replace')}"
        found = sorted(
            row[0].decode("utf-8", "replace")
            for row in self.database.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL")
        )
        if found != _statements():
            yield "the database is damaged: its tables are not those of this format"

    def _rows(self) -> Iterator[str]:
        for table, columns in _DIGESTED.items():
            rows = self.database.execute(f"SELECT {', '.join(columns)}, digest FROM {table}")
            bad = sum(row_digest(*row[:-1]) != row[-1] for row in rows)
            if bad:
                yield f"{bad} rows of {table} are not what was written"
        for name, last in self.database.execute("SELECT name, seq FROM sqlite_sequence"):
            (highest,) = self.database.execute(
                f"SELECT coalesce(max(id), 0) FROM {name.decode()}"
            ).fetchone()
            if not isinstance(last, int) or last < highest:
                yield f"ids of {name.decode()} would be used twice"

    def _contents(self) -> Iterator[str]:
        """Documents as they were written, chunks within them, texts that vectors were made of."""
        ids = [row[0] for row in self.database.execute("SELECT id FROM contents")]
        damaged = outside = strange = 0
        for content_id in ids:
            sha256, title, layout, text = self.database.execute(
                "SELECT sha256, title, layout, text FROM contents WHERE id = ?", (content_id,)
            ).fetchone()
            if stored_sha256(title, layout, text) != sha256.decode("utf-8", "replace"):
                damaged += 1
                continue
            document = decode_document("", title.decode(), layout.decode(), text.decode())
            chunks = self.database.execute(
                'SELECT c."start", c."end", v.text_sha256 FROM chunks c '
                "JOIN vectors v ON v.id = c.vector_id WHERE c.content_id = ?",
                (content_id,),
            )
            for start, end, digest in chunks:
                if not 0 <= start < end <= len(document.text):
                    outside += 1
                elif self.index_text:
                    indexed = self.index_text(Chunk(document, start, end))
                    strange += hashlib.sha256(indexed.encode()).hexdigest() != digest.decode()
        if damaged:
            yield f"{damaged} documents are not what was written"
        if outside:
            yield f"{outside} chunks are outside their document"
        if strange:
            yield f"{strange} chunks have a vector of another text"

    def _counts(self) -> Iterator[str]:
        for question, message in _COUNTS:
            count = self.database.execute(question).fetchone()[0]
            if count:
                yield f"{count} {message}"

    def _words(self) -> Iterator[str]:
        try:
            self.database.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            yield f"the word index is damaged: {error}"

    def _vectors(self) -> Iterator[str]:
        lengths: set[int] = set()
        crooked = 0
        for (data,) in self.database.execute("SELECT embedding FROM vectors"):
            lengths.add(len(data))
            with np.errstate(over="ignore", invalid="ignore"):  # damage makes numbers huge, or none
                length = float(np.linalg.norm(np.frombuffer(data, dtype="<f4")))
            crooked += not abs(length - 1.0) <= 1e-3
        if len(lengths) > 1:
            yield "vectors differ in dimension"
        if crooked:
            yield f"{crooked} vectors are not of length 1"

    def _checkpoint(self) -> Iterator[str]:
        saved, generation = (self._meta(key) for key in ("checkpoint", "generation"))
        if saved is None:
            return
        saved_generation, sha256 = json.loads(saved)
        dense = DenseIndex.load(self.path / CHECKPOINT, sha256, saved_generation)
        if dense is None:
            yield STALE
            return
        used = {row[0] for row in self.database.execute("SELECT vector_id FROM chunks")}
        if saved_generation == int(generation or 0) and dense.ids() != used:
            yield _UNEQUAL

    def _meta(self, key: str) -> Any:
        row = self.database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row and row[0]


@cache
def _statements() -> list[str]:
    """The statements that a new database's tables and indexes are made with."""
    with closing(sqlite3.connect(":memory:")) as database:
        schema.create_tables(database)
        rows = database.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL")
        return sorted(str(row[0]) for row in rows)
