"""The rows of the local store: what a file, a content and a document are in its tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable

from rag.store.document_codec import encode_layout
from rag.store.port import Content, FileRecord
from rag.store.schema import row_digest
from rag.text.terms import index_terms
from rag.types import Document

_CHUNKS_PER_CHECK = 256


def read_files(connection: sqlite3.Connection, sha256: str | None = None) -> dict[str, FileRecord]:
    """All files by source, or those of the bytes that have this digest."""
    where, values = ("", ()) if sha256 is None else (" WHERE sha256 = ? ORDER BY source", (sha256,))
    rows = connection.execute(
        f"SELECT source, sha256, loader, signature, failures FROM files{where}", values
    )
    return {
        source: FileRecord(source, digest, loader, signature, _failures(failures))
        for source, digest, loader, signature, failures in rows
    }


def _failures(stored: str) -> tuple[tuple[str, str], ...]:
    return tuple((source, reason) for source, reason in json.loads(stored))


def insert_file(connection: sqlite3.Connection, file: FileRecord, documents: int) -> int:
    """Store a file that is not there yet; returns its id."""
    failures = json.dumps(file.failures, ensure_ascii=False)
    row = (file.source, file.sha256, file.loader, file.signature, failures, documents)
    done = connection.execute(
        "INSERT INTO files (source, sha256, loader, signature, failures, documents, digest) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*row, row_digest(*row)),
    )
    return int(done.lastrowid or 0)


def sign_file(connection: sqlite3.Connection, source: str, signature: str | None) -> None:
    """Note another signature of a file whose bytes are the same."""
    row = connection.execute(
        "SELECT source, sha256, loader, failures, documents FROM files WHERE source = ?", (source,)
    ).fetchone()
    if row:
        digest = row_digest(*row[:3], signature, *row[3:])
        connection.execute(
            "UPDATE files SET signature = ?, digest = ? WHERE source = ?",
            (signature, digest, source),
        )


def insert_content(
    connection: sqlite3.Connection, document: Document, sha256: str, chunks: int
) -> int:
    """Store a content that is not there yet, without its chunks; returns its id."""
    row = (sha256, document.title, encode_layout(document), chunks, document.text)
    done = connection.execute(
        "INSERT INTO contents (sha256, title, layout, chunks, text) VALUES (?, ?, ?, ?, ?)", row
    )
    return int(done.lastrowid or 0)


def insert_chunks(
    connection: sqlite3.Connection,
    content_id: int,
    content: Content,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Store a content's chunks and their words; each index text must have its vector.

    ``check`` is called again and again; what it raises ends the work.
    """
    rows = zip(content.spans, content.index_texts, content.text_sha256s, strict=True)
    for number, ((start, end), text, digest) in enumerate(rows):
        if number % _CHUNKS_PER_CHECK == 0:
            check()
        (vector_id,) = connection.execute(
            "SELECT id FROM vectors WHERE text_sha256 = ?", (digest,)
        ).fetchone()
        row = (content_id, vector_id, start, end)
        chunk_id = connection.execute(
            'INSERT INTO chunks (content_id, vector_id, "start", "end", digest) '
            "VALUES (?, ?, ?, ?, ?)",
            (*row, row_digest(*row)),
        ).lastrowid
        connection.execute(
            "INSERT INTO words (rowid, body) VALUES (?, ?)", (chunk_id, index_terms(text))
        )


def insert_document(
    connection: sqlite3.Connection, source: str, file_id: int, content_id: int
) -> None:
    """Give a content a name that no other document has."""
    row = (source, file_id, content_id)
    connection.execute(
        "INSERT INTO documents (source, file_id, content_id, digest) VALUES (?, ?, ?, ?)",
        (*row, row_digest(*row)),
    )


def insert_vectors(connection: sqlite3.Connection, vectors: Iterable[tuple[str, bytes]]) -> None:
    """Store vectors by the digest of their text, but those that are there already."""
    connection.executemany(
        "INSERT OR IGNORE INTO vectors (text_sha256, embedding, digest) VALUES (?, ?, ?)",
        ((key, data, row_digest(key, data)) for key, data in vectors),
    )


def delete_orphans(connection: sqlite3.Connection, content_ids: Iterable[int]) -> int:
    """Delete those contents that no document has any more; returns how many that were."""
    gone = 0
    for content_id in content_ids:
        named = connection.execute(
            "SELECT 1 FROM documents WHERE content_id = ?", (content_id,)
        ).fetchone()
        if named is None:
            connection.execute(
                "DELETE FROM words WHERE rowid IN (SELECT id FROM chunks WHERE content_id = ?)",
                (content_id,),
            )
            connection.execute("DELETE FROM contents WHERE id = ?", (content_id,))
            gone += 1
    return gone
