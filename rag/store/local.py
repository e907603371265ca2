"""The default store: SQLite holds everything, FAISS is derived from it.

SQLite is the one source of truth and gives crash safety: a write is one transaction. Each raises
the ``generation``; the FAISS index in memory, and its checkpoint on disk, know the generation
that they equal and follow it. All methods may be called from any thread.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, Self

import numpy as np
from cachetools import LRUCache

from rag.errors import NotFoundError
from rag.store import records
from rag.store.database import Database
from rag.store.document_codec import decode_document
from rag.store.port import Content, Entry, FileRecord
from rag.store.schema import DATABASE, FILES
from rag.store.search import search
from rag.store.troubles import damage_explained
from rag.store.vector_index import CHECKPOINT, VectorIndex
from rag.text.terms import match_expression
from rag.types import Candidate, Chunk, Document, Vectors

_CACHED_CHARACTERS = 32_000_000
"""Text of documents kept in memory for the next question."""


class LocalStore:
    """Files, documents, chunks, vectors and words in the folder ``path``.

    ``manifest`` says what the index is made with (embedder, chunk settings); it is recorded at
    creation, and a store made with another one is refused with :class:`KnowledgeBaseError`.
    ``rebuild`` empties the store, in one step, and records the manifest anew: other processes
    that have it open see the empty store, or are told that it was made with other settings.
    """

    def __init__(
        self, path: Path, manifest: Mapping[str, str | int], *, rebuild: bool = False
    ) -> None:
        self._path = path
        # By the content's id, whatever its names: these can change while it stays.
        self._contents: LRUCache[int, Document] = LRUCache(
            _CACHED_CHARACTERS, getsizeof=lambda document: len(document.text) + 1
        )
        self._seen = -1
        self._db = Database(path, manifest, rebuild=rebuild)
        self._index = VectorIndex(path, self._db)
        self._db.on_rebuild = self.forget

    def forget(self) -> None:
        """Keep nothing of the content in memory: it is read anew from the disk."""
        with self._db.exclusive():
            self._contents.clear()
            self._index.forget()

    @classmethod
    def exists(cls, path: Path) -> bool:
        """Whether an index stands in the folder ``path``; an empty file is none."""
        database = path / DATABASE
        return database.is_file() and database.stat().st_size > 0

    @property
    def is_read_only(self) -> bool:
        """Whether the index can be asked, but not changed, by this process."""
        return self._db.is_read_only

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
        with self._reading():
            return sorted(row[0] for row in self._db.execute("SELECT source FROM documents"))

    def titles(self) -> dict[str, str]:
        """Source of each document, sorted, with its title."""
        with self._reading():
            return dict(
                self._db.execute(
                    "SELECT d.source, c.title FROM documents d "
                    "JOIN contents c ON c.id = d.content_id ORDER BY d.source"
                )
            )

    def require_readable(self) -> None:
        """Raise :class:`KnowledgeBaseError` if a page of the database is damaged."""
        with self._reading():
            found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(" ".join(str(found).split()))

    def file_digests(self) -> dict[str, str]:
        """Source of each document, with the SHA-256 of the file it is of."""
        with self._reading():
            return dict(
                self._db.execute(
                    "SELECT d.source, f.sha256 FROM documents d JOIN files f ON f.id = d.file_id"
                )
            )

    def content_digests(self) -> dict[str, str]:
        """Source of each document, with the SHA-256 of all that it holds: equal for copies."""
        with self._reading():
            return dict(
                self._db.execute(
                    "SELECT d.source, c.sha256 FROM documents d "
                    "JOIN contents c ON c.id = d.content_id"
                )
            )

    def files(self) -> dict[str, FileRecord]:
        """Every file that was loaded, or that failed to, by its source."""
        with self._reading():
            return records.read_files(self._db.connection)

    def files_of(self, sha256: str) -> list[FileRecord]:
        """The files of these bytes, by source."""
        with self._reading():
            return list(records.read_files(self._db.connection, sha256).values())

    def file_of(self, source: str) -> str:
        """Source of the file that a document is of; :class:`NotFoundError` if there is none."""
        with self._reading():
            row = self._db.execute(
                "SELECT f.source FROM documents d JOIN files f ON f.id = d.file_id "
                "WHERE d.source = ?",
                (source,),
            ).fetchone()
            if row is None:
                self._raise_missing(source)
        return str(row[0])

    def file_digest(self, file_source: str) -> str | None:
        """Hex SHA-256 of a file's bytes; None for one that was never loaded."""
        with self._reading():
            row = self._db.execute(
                "SELECT sha256 FROM files WHERE source = ?", (file_source,)
            ).fetchone()
        return str(row[0]) if row else None

    def documents_of(self, file_source: str) -> list[Document]:
        """The documents of a file, by source."""
        with self._reading():
            rows = self._db.execute(
                "SELECT d.content_id, d.source FROM documents d JOIN files f ON f.id = d.file_id "
                "WHERE f.source = ? ORDER BY d.source",
                (file_source,),
            ).fetchall()
            return [self._document(*row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Number of documents, chunks and vectors."""
        with self._reading():
            return {
                table: self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("documents", "chunks", "vectors")
            }

    def sizes(self) -> dict[str, int]:
        """Bytes on disk of the database, with its log, and of the dense index."""
        names = {"database": FILES, "dense": (CHECKPOINT,)}
        return {
            kind: sum(path.stat().st_size for n in listed if (path := self._path / n).exists())
            for kind, listed in names.items()
        }

    def is_empty(self) -> bool:
        """Whether there is nothing to search."""
        with self._reading():
            return self._db.execute("SELECT 1 FROM chunks LIMIT 1").fetchone() is None

    def mentions(self, words: str) -> bool:
        """Whether any of the ``words`` stands in any document, in some ending."""
        match = match_expression(words)
        if match is None:
            return False
        with self._reading():
            found = self._db.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (match,))
            return found.fetchone() is not None

    def note(self, key: str) -> str | None:
        """What :meth:`set_note` kept under ``key``."""
        with self._reading():
            return self._db.meta(f"note:{key}")

    def document(self, source: str) -> Document:
        """The document; :class:`NotFoundError` if there is none of that name."""
        with self._reading():
            return self._document(self._content_id(source), source)

    def names(self, source: str) -> list[str]:
        """Sources of all copies of a document, itself among them, sorted; empty if it is gone."""
        with self._reading():
            rows = self._db.execute(
                "SELECT source FROM documents WHERE content_id = "
                "(SELECT content_id FROM documents WHERE source = ?) ORDER BY source",
                (source,),
            )
            return [row[0] for row in rows]

    def chunks(self, source: str) -> list[Chunk]:
        """The document's chunks, in order."""
        with self._reading():
            content_id = self._content_id(source)
            document = self._document(content_id, source)
            rows = self._db.execute(
                'SELECT "start", "end" FROM chunks WHERE content_id = ? ORDER BY "start", "end"',
                (content_id,),
            ).fetchall()
        return [Chunk(document, start, end) for start, end in rows]

    def chunk_vectors(self, source: str) -> tuple[list[tuple[int, int]], Vectors]:
        """Return the places of the document's chunks, in order, and their vectors."""
        with self._reading():
            rows = self._db.execute(
                'SELECT c."start", c."end", v.embedding FROM chunks c '
                "JOIN vectors v ON v.id = c.vector_id WHERE c.content_id = ? "
                'ORDER BY c."start", c."end"',
                (self._content_id(source),),
            ).fetchall()
        vectors = np.frombuffer(b"".join(row[2] for row in rows), dtype="<f4")
        return [row[:2] for row in rows], vectors.reshape(len(rows), -1 if rows else 0)

    def document_vectors(self) -> tuple[list[str], Vectors]:
        """Return the first source of each content that has chunks, sorted, and its mean vector.

        The means are of its chunks' vectors, scaled to length 1.
        """
        with self._reading():
            sums: dict[str, Vectors] = {}
            for source, embedding in self._db.execute(
                "SELECT (SELECT min(source) FROM documents WHERE content_id = c.content_id), "
                "v.embedding FROM chunks c JOIN vectors v ON v.id = c.vector_id"
            ):
                vector = np.frombuffer(embedding, dtype="<f4")
                sums[source] = sums[source] + vector if source in sums else vector
        sources = sorted(sums)
        rows = np.array([sums[source] for source in sources], dtype=np.float32)
        lengths = np.linalg.norm(rows, axis=-1, keepdims=True) if sources else 1.0
        return sources, rows / np.maximum(lengths, 1e-12)

    def chunk_count(self, content_sha256: str) -> int | None:
        """The number of chunks of a content; None if it is not stored."""
        with self._reading():
            row = self._db.execute(
                "SELECT chunks FROM contents WHERE sha256 = ?", (content_sha256,)
            ).fetchone()
        return int(row[0]) if row else None

    def missing_vectors(self, text_sha256s: Iterable[str]) -> set[str]:
        """Those of the digests of index texts that have no vector yet."""
        wanted = set(text_sha256s)
        select = "SELECT text_sha256 FROM vectors WHERE text_sha256 IN"
        with self._reading():
            return wanted - {row[0] for row in self._db.select_in(select, wanted)}

    def search(self, question: str, vector: Vectors, n: int) -> list[Candidate]:
        """The ``n`` best chunks by vector and the ``n`` best by words, each chunk once.

        ``vector`` has shape ``(dimension,)`` and length 1. Both scores are exact for every
        candidate, whichever side found it. Copies are found once, under the first of their names.
        Order: by source, then by position.
        """
        if n < 1:
            raise ValueError(f"n is {n}: ask for at least 1")
        with self._reading():
            found = search(self._db, self._index, question, vector, n)
            documents = {f.content_id: self._document(f.content_id, f.source) for f in found}
            found.sort(key=lambda f: (f.source, f.start, f.end))
        return [
            Candidate(Chunk(documents[f.content_id], f.start, f.end), f.dense, f.lexical)
            for f in found
        ]

    # Writing

    def write(
        self,
        entries: Sequence[Entry],
        contents: Iterable[Content] = (),
        removed: Iterable[str] = (),
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Put files in place of those of the same source, and remove others, in one step.

        ``contents`` has those that are not stored yet, and every index text of theirs must have
        its vector: see :meth:`chunk_count`, :meth:`missing_vectors`, :meth:`keep_vectors`.
        ``check`` is called meanwhile; where it raises, nothing is written.
        """
        new = {content.sha256: content for content in contents}
        with self._db.writing():
            gone = {*removed, *(entry.file.source for entry in entries)}
            # A file that was an archive may have become a folder, whose files have its members'
            # names: the archive is gone then.
            taken = [source for entry in entries for source, _ in entry.documents]
            rows = self._db.select_in(
                "SELECT f.source FROM documents d JOIN files f ON f.id = d.file_id "
                "WHERE d.source IN",
                taken,
            )
            orphans = self._delete_files(gone | {row[0] for row in rows})
            for entry in entries:
                self._insert(entry, new, check)
            if records.delete_orphans(self._db.connection, orphans):
                self._db.set_meta("unsettled", "1")

    def keep_vectors(self, vectors: Mapping[str, Vectors]) -> None:
        """Keep vectors, of shape ``(dimension,)`` and length 1, by the digest of their text.

        They are found by no search until a document that has the text is written; those that
        none has are dropped by :meth:`compact`.
        """
        rows = ((key, np.asarray(row, dtype="<f4").tobytes()) for key, row in vectors.items())
        with self._db.transaction():
            records.insert_vectors(self._db.connection, rows)

    def sign(self, signatures: Mapping[str, str | None]) -> None:
        """Note other signatures of files whose bytes are the same."""
        if signatures:
            with self._db.transaction():
                for source, signature in signatures.items():
                    records.sign_file(self._db.connection, source, signature)

    def set_note(self, key: str, value: str) -> None:
        """Keep a small text beside the index, such as the folders it follows."""
        if self.note(key) != value:
            with self._db.exclusive():
                self._db.set_meta(f"note:{key}", value)

    def followed(self) -> list[tuple[str, int | None, int]]:
        """The folders as :meth:`follow` noted them."""
        with damage_explained(self._path):
            return [
                (path, device, files)
                for path, device, files in json.loads(self.note("folders") or "[]")
            ]

    def follow(self, folders: Sequence[tuple[str, int | None, int]]) -> None:
        """Note the folders that the index is to equal: path, device, number of files of each."""
        self.set_note("folders", json.dumps(folders))

    def state(self) -> object:
        """What is the same as long as no document is written, whoever writes."""
        with self._reading():
            return self._db.meta("epoch"), self._db.generation()

    def compact(self, *, keep_vectors: bool = False) -> None:
        """After a sync: overwrite what was deleted since the last, checkpoint the dense index.

        With ``keep_vectors`` those stay that no document has yet, for a sync that goes on. What
        an interrupted sync, or a reader in another process, kept from being overwritten is
        overwritten by the next.
        """
        with self._db.exclusive():
            unused = "DELETE FROM vectors WHERE id NOT IN (SELECT vector_id FROM chunks)"
            if not keep_vectors and self._db.execute(unused).rowcount:
                self._db.set_meta("unsettled", "1")
            needs_compaction = self._db.meta("unsettled") is not None
            if needs_compaction:
                # Merging all segments drops the deleted words that FTS5 still keeps in old ones.
                self._db.execute("INSERT INTO words (words) VALUES ('optimize')")
            self._index.save()
            busy, _, _ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if needs_compaction and not busy:
                self._db.execute("DELETE FROM meta WHERE key = 'unsettled'")

    # Inside

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """One consistent state; what is remembered of documents that it lacks is forgotten."""
        with self._db.reading(), damage_explained(self._path):
            generation = self._db.generation()
            if generation != self._seen:
                known = list(self._contents)
                rows = self._db.select_in("SELECT id FROM contents WHERE id IN", known)
                for content_id in set(known) - {row[0] for row in rows}:
                    del self._contents[content_id]
                self._seen = generation
            yield

    def _content_id(self, source: str) -> int:
        row = self._db.execute(
            "SELECT content_id FROM documents WHERE source = ?", (source,)
        ).fetchone()
        if row is None:
            self._raise_missing(source)
        return int(row[0])

    def _raise_missing(self, source: str) -> NoReturn:
        """Raise :class:`NotFoundError`; if the document is there, the tree of names is damaged."""
        select = "SELECT 1 FROM documents NOT INDEXED WHERE source = ?"
        if self._db.execute(select, (source,)).fetchone():
            raise sqlite3.DatabaseError("a document is not found by its name")
        raise NotFoundError(f"no document {source!r}; 'rag status' lists them")

    def _document(self, content_id: int, source: str) -> Document:
        cached = self._contents.get(content_id)
        if cached is None:
            title, layout, text = self._db.execute(
                "SELECT title, layout, text FROM contents WHERE id = ?", (content_id,)
            ).fetchone()
            cached = decode_document(source, title, layout, text)
            if len(text) < _CACHED_CHARACTERS:
                self._contents[content_id] = cached
        return cached if cached.source == source else replace(cached, source=source)

    def _delete_files(self, sources: Iterable[str]) -> set[int]:
        """Delete files with their documents; returns the ids of the contents these had."""
        contents: set[int] = set()
        for source in sources:
            row = self._db.execute("SELECT id FROM files WHERE source = ?", (source,)).fetchone()
            if row:
                held = self._db.execute("SELECT content_id FROM documents WHERE file_id = ?", row)
                contents |= {content_id for (content_id,) in held}
                self._db.execute("DELETE FROM files WHERE id = ?", row)
                self._db.set_meta("unsettled", "1")
        return contents

    def _insert(self, entry: Entry, new: Mapping[str, Content], check: Callable[[], None]) -> None:
        connection = self._db.connection
        file_id = records.insert_file(connection, entry.file, len(entry.documents))
        for source, sha256 in entry.documents:
            row = self._db.execute("SELECT id FROM contents WHERE sha256 = ?", (sha256,)).fetchone()
            if row is None:
                content = new[sha256]
                content_id = records.insert_content(
                    connection, content.document, sha256, len(content.spans)
                )
                records.insert_chunks(connection, content_id, content, check)
            else:
                content_id = row[0]
            records.insert_document(connection, source, file_id, content_id)
