"""An index of format 1, as the first released program wrote it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from rag.embed import HashingEmbedder
from rag.text.index_text import index_text
from rag.text.terms import TOKENIZE, index_terms
from rag.types import Chunk, Document

_TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE documents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source TEXT NOT NULL UNIQUE,
        file_sha256 TEXT NOT NULL,
        text TEXT NOT NULL,
        title TEXT NOT NULL,
        pages TEXT NOT NULL,
        headings TEXT NOT NULL
    )""",
    """CREATE TABLE vectors (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        text_sha256 TEXT NOT NULL UNIQUE,
        embedding BLOB NOT NULL
    )""",
    """CREATE TABLE chunks (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        vector_id INTEGER NOT NULL REFERENCES vectors (id),
        "start" INTEGER NOT NULL,
        "end" INTEGER NOT NULL
    )""",
    "CREATE INDEX chunks_by_document ON chunks (document_id)",
    "CREATE INDEX chunks_by_vector ON chunks (vector_id)",
    f'CREATE VIRTUAL TABLE words USING fts5 (body, tokenize = "{TOKENIZE}")',
)


def write_format1(index: Path, folder: Path, documents: Mapping[Document, bytes]) -> None:
    """Write the index that format 1 had of ``folder``: documents of one chunk each, with the
    bytes of their files, made with the hashing embedder and the default settings."""
    index.mkdir(parents=True)
    manifest = {"format": 1, "embedder": "hashing-256", "chunk_tokens": 160, "chunk_overlap": 1}
    meta = {
        "manifest": json.dumps(manifest),
        "generation": str(len(documents)),
        "epoch": "0123456789abcdef",
        "note:folder": str(folder.resolve()),
    }
    with closing(sqlite3.connect(index / "knowledge.sqlite")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        for statement in _TABLES:
            database.execute(statement)
        database.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        for document, data in documents.items():
            _write_document(database, document, data)
        database.commit()


def _write_document(database: sqlite3.Connection, document: Document, data: bytes) -> None:
    chunk = Chunk(document, 0, len(document.text))
    text = index_text(chunk)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (row,) = HashingEmbedder().embed_documents([text])
    database.execute(
        "INSERT OR IGNORE INTO vectors (text_sha256, embedding) VALUES (?, ?)",
        (digest, row.astype("<f4").tobytes()),
    )
    document_id = database.execute(
        "INSERT INTO documents (source, file_sha256, text, title, pages, headings) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            document.source,
            hashlib.sha256(data).hexdigest(),
            document.text,
            document.title,
            json.dumps([(p.number, p.start, p.end) for p in document.pages]),
            json.dumps([(h.level, h.start, h.end) for h in document.headings]),
        ),
    ).lastrowid
    chunk_id = database.execute(
        'INSERT INTO chunks (document_id, vector_id, "start", "end") '
        "SELECT ?, id, ?, ? FROM vectors WHERE text_sha256 = ?",
        (document_id, chunk.start, chunk.end, digest),
    ).lastrowid
    database.execute("INSERT INTO words (rowid, body) VALUES (?, ?)", (chunk_id, index_terms(text)))
