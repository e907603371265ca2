"""The default store: SQLite holds everything, FAISS is derived from it.

SQLite is the one source of truth and gives crash safety: a write is one transaction. Each raises
the ``generation``; the FAISS index in memory, and its checkpoint on disk, know the generation
that they equal and follow it. All methods may be called from any thread.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from cachetools import LRUCache

from rag.errors import KnowledgeBaseError, NotFoundError
from rag.store import schema
from rag.store.dense import DenseIndex, with_ties
from rag.store.lexical import index_terms, match_expression
from rag.types import Candidate, Chunk, Document, Heading, Page, Vectors

DATABASE = "knowledge.sqlite"
CHECKPOINT = "dense.faiss"

_CACHED_CHARACTERS = 32_000_000
"""Text of documents kept in memory for the next question."""

_VARIABLES = 500
"""SQL variables in one statement; SQLite's own limit is 999 in old builds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A document to write: its chunks, and for each the text that is indexed for it."""

    document: Document
    file_sha256: str
    chunks: Sequence[Chunk]
    index_texts: Sequence[str]
    text_sha256s: Sequence[str]
    """Digest of each index text: the key of its vector."""


class LocalStore:
    """Documents, chunks, vectors and words in the folder ``path``.

    ``manifest`` says what the index is made with (embedder, chunk settings); it is recorded at
    creation, and a store made with another one is refused with :class:`KnowledgeBaseError`.
    ``rebuild`` empties the store, in one step, and records the manifest anew: other processes
    that have it open see the empty store, or are told that it was made with other settings.
    """

    def __init__(
        self, path: Path, manifest: Mapping[str, str | int], *, rebuild: bool = False
    ) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._documents: LRUCache[tuple[int, str], Document] = LRUCache(
            _CACHED_CHARACTERS, getsizeof=lambda document: len(document.text) + 1
        )
        self._dense: DenseIndex | None = None
        self._epoch: str | None = None
        self._manifest = {"format": schema.FORMAT_VERSION, **manifest}
        with explained(path):
            path.mkdir(parents=True, exist_ok=True)
            if rebuild and not _is_database(path / DATABASE):
                for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
                    (path / name).unlink(missing_ok=True)
            self._db = schema.connect(path / DATABASE)
            try:
                self._create(rebuild)
                with self._reading():  # refuses another manifest
                    pass
            except BaseException:
                self._db.close()
                raise

    def _create(self, rebuild: bool) -> None:
        if schema.has_tables(self._db) and not rebuild:
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            if rebuild:
                schema.drop_tables(self._db)
            if not schema.has_tables(self._db):
                schema.create_tables(self._db)
                self._set_meta("manifest", json.dumps(self._manifest))
                self._set_meta("generation", "0")
                self._set_meta("epoch", secrets.token_hex(8))
                self._set_meta("unsettled", "1")
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    @classmethod
    def exists(cls, path: Path) -> bool:
        """Whether an index stands in the folder ``path``."""
        return (path / DATABASE).is_file()

    def close(self) -> None:
        """Close the database; the store cannot be used afterwards."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # Reading

    def sources(self) -> list[str]:
        """Sources of all documents, sorted."""
        return sorted(self.file_digests())

    def file_digests(self) -> dict[str, str]:
        """Source of each document, with the SHA-256 of its file."""
        with self._reading():
            return dict(self._db.execute("SELECT source, file_sha256 FROM documents"))

    def counts(self) -> dict[str, int]:
        """Number of documents, chunks and vectors."""
        with self._reading():
            return {
                table: self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("documents", "chunks", "vectors")
            }

    def is_empty(self) -> bool:
        """Whether there is nothing to search."""
        with self._reading():
            return self._db.execute("SELECT 1 FROM chunks LIMIT 1").fetchone() is None

    def note(self, key: str) -> str | None:
        """What :meth:`set_note` kept under ``key``."""
        with self._reading():
            return self._meta(f"note:{key}")

    def document(self, source: str) -> Document:
        """The document; :class:`NotFoundError` if there is none of that name."""
        with self._reading():
            row = self._db.execute(
                "SELECT id FROM documents WHERE source = ?", (source,)
            ).fetchone()
            if row is None:
                raise NotFoundError(f"no document {source!r}; 'rag status' lists them")
            return self._document(row[0], source)

    def chunks(self, source: str) -> list[Chunk]:
        """The document's chunks, in order."""
        document = self.document(source)
        with self._reading():
            rows = self._db.execute(
                'SELECT c."start", c."end" FROM chunks c JOIN documents d ON d.id = c.document_id '
                'WHERE d.source = ? ORDER BY c."start", c."end"',
                (source,),
            ).fetchall()
        return [Chunk(document, start, end) for start, end in rows]

    def missing_vectors(self, text_sha256s: Iterable[str]) -> set[str]:
        """Those of the digests of index texts that have no vector yet."""
        wanted = set(text_sha256s)
        with self._reading():
            found = self._select_in("SELECT text_sha256 FROM vectors WHERE text_sha256 IN", wanted)
        return wanted - {row[0] for row in found}

    def search(self, question: str, vector: Vectors, n: int) -> list[Candidate]:
        """The ``n`` best chunks by vector and the ``n`` best by words, each chunk once.

        ``vector`` has shape ``(dimension,)`` and length 1. Both scores are exact for every
        candidate, whichever side found it. Order: by source, then by position.
        """
        if n < 1:
            raise ValueError(f"n is {n}: ask for at least 1")
        match = match_expression(question)
        with self._reading():
            by_vector = self._nearest(vector, n)
            by_words = self._best_by_words(match, n) if match else {}
            rows = self._chunk_rows(by_vector | set(by_words))
            dense = self._similarities({row[0]: row[4] for row in rows}, vector)
            found_by_vector = _best(rows, dense, n)
            kept = found_by_vector | _best(rows, by_words, n)
            lexical = dict.fromkeys(kept, 0.0) | {i: by_words[i] for i in kept if i in by_words}
            if match:
                lexical |= self._word_scores(match, kept - set(by_words))
            documents = {row[1]: self._document(row[1], row[5]) for row in rows if row[0] in kept}
            candidates = [
                Candidate(Chunk(documents[row[1]], row[2], row[3]), dense[i], lexical[i])
                for row in rows
                if (i := row[0]) in kept
            ]
        return sorted(candidates, key=lambda c: (c.chunk.source, c.chunk.start, c.chunk.end))

    # Writing

    def write(self, entries: Sequence[Entry], removed: Sequence[str] = ()) -> None:
        """Put documents in place of those of the same source, and remove others, in one step.

        Every index text must have its vector: see :meth:`missing_vectors`, :meth:`keep_vectors`.
        """
        with self._writing():
            for source in (*removed, *(entry.document.source for entry in entries)):
                self._delete_document(source)
            for entry in entries:
                self._insert(entry)

    def keep_vectors(self, vectors: Mapping[str, Vectors]) -> None:
        """Keep vectors, of shape ``(dimension,)`` and length 1, by the digest of their text.

        They are found by no search until a document that has the text is written; those that
        none has are dropped by :meth:`settle`.
        """
        with self._writing():
            self._insert_vectors(vectors)

    def set_note(self, key: str, value: str) -> None:
        """Keep a small text beside the index, such as the folder it follows."""
        with self._lock, explained(self._path):
            self._set_meta(f"note:{key}", value)

    def settle(self) -> None:
        """After a sync: overwrite what was deleted since the last, checkpoint the dense index.

        What an interrupted sync, or a reader in another process, kept from being overwritten is
        overwritten by the next.
        """
        with self._lock, explained(self._path):
            unused = "DELETE FROM vectors WHERE id NOT IN (SELECT vector_id FROM chunks)"
            if self._db.execute(unused).rowcount:
                self._set_meta("unsettled", "1")
            unsettled = self._meta("unsettled") is not None
            if unsettled:
                # Merging all segments drops the deleted words that FTS5 still keeps in old ones.
                self._db.execute("INSERT INTO words (words) VALUES ('optimize')")
            self._save_checkpoint()
            busy, _, _ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if unsettled and not busy:
                self._db.execute("DELETE FROM meta WHERE key = 'unsettled'")

    def _save_checkpoint(self) -> None:
        with self._reading():
            generation, saved = self._generation(), json.loads(self._meta("checkpoint") or "[]")
            path = self._path / CHECKPOINT
            if saved and saved[0] == generation and DenseIndex.is_saved(path, saved[1]):
                return
            dense = self._fresh_dense()
        sha256 = dense.save(path)
        self._set_meta("checkpoint", json.dumps([dense.generation, sha256]))

    # Inside

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """One consistent state of the database, whatever other processes write meanwhile."""
        with self._lock, explained(self._path):
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN")
            try:
                self._notice_rebuild()
                yield
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, explained(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._notice_rebuild()
                yield
                self._set_meta("generation", str(self._generation() + 1))
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _notice_rebuild(self) -> None:
        """Forget what was remembered of the store before it was emptied, here or elsewhere."""
        epoch = self._meta("epoch") if schema.has_tables(self._db) else None
        if epoch != self._epoch or epoch is None:
            _require_same(self._path, json.loads(self._meta("manifest") or "{}"), self._manifest)
            self._dense = None
            self._documents.clear()
            self._epoch = epoch

    def _meta(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _set_meta(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _generation(self) -> int:
        return int(self._meta("generation") or 0)

    def _select_in(self, select: str, values: Iterable[Any], *first: Any) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        listed = list(values)
        for begin in range(0, len(listed), _VARIABLES):
            part = listed[begin : begin + _VARIABLES]
            marks = ", ".join("?" * len(part))
            rows.extend(self._db.execute(f"{select} ({marks})", (*first, *part)))
        return rows

    def _document(self, document_id: int, source: str) -> Document:
        key = (document_id, source)
        cached = self._documents.get(key)
        if cached is not None:
            return cached
        text, title, pages, headings = self._db.execute(
            "SELECT text, title, pages, headings FROM documents WHERE id = ?", (document_id,)
        ).fetchone()
        document = Document(
            source,
            text,
            title,
            tuple(Page(*values) for values in json.loads(pages)),
            tuple(Heading(*values) for values in json.loads(headings)),
        )
        if len(text) < _CACHED_CHARACTERS:
            self._documents[key] = document
        return document

    def _fresh_dense(self) -> DenseIndex:
        """The dense index, brought to the state that the current transaction sees."""
        generation = self._generation()
        dense = self._dense or self._checkpoint() or DenseIndex.empty(1)
        if dense.generation != generation:
            stored = {row[0] for row in self._db.execute("SELECT vector_id FROM chunks")}
            held = dense.ids()
            added = sorted(stored - held)
            vectors = self._vectors(added)
            if not held and added:
                dense = DenseIndex.empty(vectors.shape[1])
            dense.update(held - stored, added, vectors)
            dense.generation = generation
        self._dense = dense
        return dense

    def _checkpoint(self) -> DenseIndex | None:
        saved = self._meta("checkpoint")
        if saved is None:
            return None
        generation, sha256 = json.loads(saved)
        return DenseIndex.load(self._path / CHECKPOINT, sha256, generation)

    def _vectors(self, ids: Sequence[int]) -> Vectors:
        """The stored vectors of ``ids``, in that order, of shape ``(len(ids), dimension)``."""
        blobs = dict(self._select_in("SELECT id, embedding FROM vectors WHERE id IN", ids))
        rows = np.frombuffer(b"".join(blobs[i] for i in ids), dtype="<f4")
        return rows.reshape(len(ids), rows.size // len(ids) if ids else 0)

    def _nearest(self, vector: Vectors, n: int) -> set[int]:
        """Ids of the chunks with the ``n`` nearest vectors."""
        dense = self._fresh_dense()
        if not len(dense):
            return set()
        nearest = dense.search(vector, n)
        return {
            row[0] for row in self._select_in("SELECT id FROM chunks WHERE vector_id IN", nearest)
        }

    def _best_by_words(self, match: str, n: int) -> dict[int, float]:
        """BM25 of the ``n`` best chunks by words, and of those that tie with the last."""
        scores: dict[int, float] = {}

        def best(limit: int) -> tuple[list[int], list[float]]:
            rows = self._db.execute(
                "SELECT rowid, -rank FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?",
                (match, limit),
            ).fetchall()
            scores.update(rows)
            return [row[0] for row in rows], [row[1] for row in rows]

        total = self._db.execute("SELECT count(*) FROM chunks").fetchone()[0]
        return {i: scores[i] for i in with_ties(best, n, total)}

    def _word_scores(self, match: str, ids: Iterable[int]) -> dict[int, float]:
        """BM25 of those of the chunks ``ids`` that share a word with the question."""
        return dict(
            self._select_in(
                "SELECT rowid, -rank FROM words WHERE words MATCH ? AND rowid IN", ids, match
            )
        )

    def _chunk_rows(self, ids: Iterable[int]) -> list[tuple[Any, ...]]:
        """``(id, document id, start, end, vector id, source)`` of each chunk."""
        return self._select_in(
            'SELECT c.id, d.id, c."start", c."end", c.vector_id, d.source '
            "FROM chunks c JOIN documents d ON d.id = c.document_id WHERE c.id IN",
            ids,
        )

    def _similarities(self, vector_ids: Mapping[int, int], vector: Vectors) -> dict[int, float]:
        """Cosine similarity of each chunk to ``vector``, independent of the order of storage."""
        if not vector_ids:
            return {}
        ids = sorted(set(vector_ids.values()))
        # float64: a chunk's score does not depend on which others it is computed with.
        rows = self._vectors(ids).astype(np.float64)
        scores = dict(zip(ids, (rows @ vector.astype(np.float64)).tolist(), strict=True))
        return {chunk_id: scores[vector_id] for chunk_id, vector_id in vector_ids.items()}

    def _insert_vectors(self, vectors: Mapping[str, Vectors]) -> None:
        self._db.executemany(
            "INSERT OR IGNORE INTO vectors (text_sha256, embedding) VALUES (?, ?)",
            ((key, np.asarray(row, dtype="<f4").tobytes()) for key, row in vectors.items()),
        )

    def _delete_document(self, source: str) -> None:
        self._db.execute(
            "DELETE FROM words WHERE rowid IN (SELECT c.id FROM chunks c "
            "JOIN documents d ON d.id = c.document_id WHERE d.source = ?)",
            (source,),
        )
        gone = self._db.execute("DELETE FROM documents WHERE source = ?", (source,)).rowcount
        if gone:
            self._set_meta("unsettled", "1")

    def _insert(self, entry: Entry) -> None:
        document = entry.document
        document_id = self._db.execute(
            "INSERT INTO documents (source, file_sha256, text, title, pages, headings) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                document.source,
                entry.file_sha256,
                document.text,
                document.title,
                json.dumps([(p.number, p.start, p.end) for p in document.pages]),
                json.dumps([(h.level, h.start, h.end) for h in document.headings]),
            ),
        ).lastrowid
        for chunk, text, digest in zip(
            entry.chunks, entry.index_texts, entry.text_sha256s, strict=True
        ):
            chunk_id = self._db.execute(
                'INSERT INTO chunks (document_id, vector_id, "start", "end") '
                "SELECT ?, id, ?, ? FROM vectors WHERE text_sha256 = ?",
                (document_id, chunk.start, chunk.end, digest),
            ).lastrowid
            self._db.execute(
                "INSERT INTO words (rowid, body) VALUES (?, ?)", (chunk_id, index_terms(text))
            )


def _best(rows: Sequence[tuple[Any, ...]], scores: Mapping[int, float], n: int) -> set[int]:
    """The ``n`` best scored chunks; of equal ones, those first by source and position."""
    scored = [row for row in rows if row[0] in scores]
    scored.sort(key=lambda row: (-round(scores[row[0]], 6), row[5], row[2]))
    return {row[0] for row in scored[:n]}


def _is_database(path: Path) -> bool:
    """Whether SQLite can read the file; a missing one it can make."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()
    return True


def _require_same(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for key, value in wanted.items():
        if found.get(key) != value:
            raise KnowledgeBaseError(
                f"the index in {str(path)!r} was made with {key} {found.get(key)!r}, but now "
                f"{value!r} is wanted: run 'rag index FOLDER --rebuild --index {path}', or use "
                "the settings it was made with"
            )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's and the file system's errors into ones a user can act on."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            advice = "another process is writing: try again"
        else:
            advice = f"run 'rag index FOLDER --rebuild --index {path}'"
        raise KnowledgeBaseError(f"the index in {str(path)!r} failed: {error}; {advice}") from error
    except OSError as error:
        raise KnowledgeBaseError(
            f"cannot use {str(path)!r} as the folder of an index: {error.strerror or error}; "
            "name another with --index"
        ) from error
