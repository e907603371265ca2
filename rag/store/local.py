"""The default store: SQLite holds everything, FAISS is derived from it.

SQLite is the one source of truth and gives crash safety: a write is one transaction. Each raises
the ``generation``; the FAISS index in memory, and its checkpoint on disk, know the generation
that they equal and follow it. All methods may be called from any thread.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from cachetools import LRUCache

from rag.errors import NotFoundError
from rag.store.database import DATABASE, Database
from rag.store.dense import DenseIndex, with_ties
from rag.store.lexical import index_terms, match_expression
from rag.types import Candidate, Chunk, Document, Heading, Page, Place, Vectors

CHECKPOINT = "dense.faiss"

_CACHED_CHARACTERS = 32_000_000
"""Text of documents kept in memory for the next question."""


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
        self._checkpoint_path = path / CHECKPOINT
        self._documents: LRUCache[tuple[int, str], Document] = LRUCache(
            _CACHED_CHARACTERS, getsizeof=lambda document: len(document.text) + 1
        )
        self._dense: DenseIndex | None = None
        self._db = Database(path, manifest, self._forget, rebuild=rebuild)

    def _forget(self) -> None:
        self._dense = None
        self._documents.clear()

    @classmethod
    def exists(cls, path: Path) -> bool:
        """Whether an index stands in the folder ``path``."""
        return (path / DATABASE).is_file()

    def close(self) -> None:
        """Close the database; the store cannot be used afterwards."""
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
        with self._db.reading():
            return dict(self._db.execute("SELECT source, file_sha256 FROM documents"))

    def counts(self) -> dict[str, int]:
        """Number of documents, chunks and vectors."""
        with self._db.reading():
            return {
                table: self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("documents", "chunks", "vectors")
            }

    def is_empty(self) -> bool:
        """Whether there is nothing to search."""
        with self._db.reading():
            return self._db.execute("SELECT 1 FROM chunks LIMIT 1").fetchone() is None

    def note(self, key: str) -> str | None:
        """What :meth:`set_note` kept under ``key``."""
        with self._db.reading():
            return self._db.meta(f"note:{key}")

    def document(self, source: str) -> Document:
        """The document; :class:`NotFoundError` if there is none of that name."""
        with self._db.reading():
            row = self._db.execute(
                "SELECT id FROM documents WHERE source = ?", (source,)
            ).fetchone()
            if row is None:
                raise NotFoundError(f"no document {source!r}; 'rag status' lists them")
            return self._document(row[0], source)

    def chunks(self, source: str) -> list[Chunk]:
        """The document's chunks, in order."""
        document = self.document(source)
        with self._db.reading():
            rows = self._db.execute(
                'SELECT c."start", c."end" FROM chunks c JOIN documents d ON d.id = c.document_id '
                'WHERE d.source = ? ORDER BY c."start", c."end"',
                (source,),
            ).fetchall()
        return [Chunk(document, start, end) for start, end in rows]

    def missing_vectors(self, text_sha256s: Iterable[str]) -> set[str]:
        """Those of the digests of index texts that have no vector yet."""
        wanted = set(text_sha256s)
        with self._db.reading():
            found = self._db.select_in(
                "SELECT text_sha256 FROM vectors WHERE text_sha256 IN", wanted
            )
        return wanted - {row[0] for row in found}

    def search(self, question: str, vector: Vectors, n: int) -> list[Candidate]:
        """The ``n`` best chunks by vector and the ``n`` best by words, each chunk once.

        ``vector`` has shape ``(dimension,)`` and length 1. Both scores are exact for every
        candidate, whichever side found it. Order: by source, then by position.
        """
        if n < 1:
            raise ValueError(f"n is {n}: ask for at least 1")
        match = match_expression(question)
        with self._db.reading():
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
        with self._db.writing():
            for source in (*removed, *(entry.document.source for entry in entries)):
                self._delete_document(source)
            for entry in entries:
                self._insert(entry)

    def keep_vectors(self, vectors: Mapping[str, Vectors]) -> None:
        """Keep vectors, of shape ``(dimension,)`` and length 1, by the digest of their text.

        They are found by no search until a document that has the text is written; those that
        none has are dropped by :meth:`settle`.
        """
        with self._db.writing():
            self._insert_vectors(vectors)

    def set_note(self, key: str, value: str) -> None:
        """Keep a small text beside the index, such as the folder it follows."""
        with self._db.exclusive():
            self._db.set_meta(f"note:{key}", value)

    def settle(self) -> None:
        """After a sync: overwrite what was deleted since the last, checkpoint the dense index.

        What an interrupted sync, or a reader in another process, kept from being overwritten is
        overwritten by the next.
        """
        with self._db.exclusive():
            unused = "DELETE FROM vectors WHERE id NOT IN (SELECT vector_id FROM chunks)"
            if self._db.execute(unused).rowcount:
                self._db.set_meta("unsettled", "1")
            unsettled = self._db.meta("unsettled") is not None
            if unsettled:
                # Merging all segments drops the deleted words that FTS5 still keeps in old ones.
                self._db.execute("INSERT INTO words (words) VALUES ('optimize')")
            self._save_checkpoint()
            busy, _, _ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if unsettled and not busy:
                self._db.execute("DELETE FROM meta WHERE key = 'unsettled'")

    def _save_checkpoint(self) -> None:
        with self._db.reading():
            generation, saved = (
                self._db.generation(),
                json.loads(self._db.meta("checkpoint") or "[]"),
            )
            if (
                saved
                and saved[0] == generation
                and DenseIndex.is_saved(self._checkpoint_path, saved[1])
            ):
                return
            dense = self._fresh_dense()
        sha256 = dense.save(self._checkpoint_path)
        self._db.set_meta("checkpoint", json.dumps([dense.generation, sha256]))

    # Inside

    def _document(self, document_id: int, source: str) -> Document:
        key = (document_id, source)
        cached = self._documents.get(key)
        if cached is not None:
            return cached
        text, title, pages, headings, places = self._db.execute(
            "SELECT text, title, pages, headings, places FROM documents WHERE id = ?",
            (document_id,),
        ).fetchone()
        document = Document(
            source,
            text,
            title,
            tuple(Page(*values) for values in json.loads(pages)),
            tuple(Heading(*values) for values in json.loads(headings)),
            tuple(Place(*values) for values in json.loads(places)),
        )
        if len(text) < _CACHED_CHARACTERS:
            self._documents[key] = document
        return document

    def _fresh_dense(self) -> DenseIndex:
        """The dense index, brought to the state that the current transaction sees."""
        generation = self._db.generation()
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
        saved = self._db.meta("checkpoint")
        if saved is None:
            return None
        generation, sha256 = json.loads(saved)
        return DenseIndex.load(self._checkpoint_path, sha256, generation)

    def _vectors(self, ids: Sequence[int]) -> Vectors:
        """The stored vectors of ``ids``, in that order, of shape ``(len(ids), dimension)``."""
        blobs = dict(self._db.select_in("SELECT id, embedding FROM vectors WHERE id IN", ids))
        rows = np.frombuffer(b"".join(blobs[i] for i in ids), dtype="<f4")
        return rows.reshape(len(ids), rows.size // len(ids) if ids else 0)

    def _nearest(self, vector: Vectors, n: int) -> set[int]:
        """Ids of the chunks with the ``n`` nearest vectors."""
        dense = self._fresh_dense()
        if not len(dense):
            return set()
        nearest = dense.search(vector, n)
        return {
            row[0]
            for row in self._db.select_in("SELECT id FROM chunks WHERE vector_id IN", nearest)
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
            self._db.select_in(
                "SELECT rowid, -rank FROM words WHERE words MATCH ? AND rowid IN", ids, match
            )
        )

    def _chunk_rows(self, ids: Iterable[int]) -> list[tuple[Any, ...]]:
        """``(id, document id, start, end, vector id, source)`` of each chunk."""
        return self._db.select_in(
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
            self._db.set_meta("unsettled", "1")

    def _insert(self, entry: Entry) -> None:
        document = entry.document
        document_id = self._db.execute(
            "INSERT INTO documents (source, file_sha256, text, title, pages, headings, places) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                document.source,
                entry.file_sha256,
                document.text,
                document.title,
                json.dumps([(p.number, p.start, p.end) for p in document.pages]),
                json.dumps([(h.level, h.start, h.end) for h in document.headings]),
                json.dumps([(p.label, p.start, p.end, p.row) for p in document.places]),
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
