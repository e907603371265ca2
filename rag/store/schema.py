"""The tables of the local store, and opening its database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from rag.store.lexical import TOKENIZE

FORMAT_VERSION = 1
"""Raised whenever an index written before would answer differently or cannot be read."""

# Ids are never used twice (AUTOINCREMENT), so an id that a process remembers cannot come to
# mean another vector or text.
_TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE documents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source TEXT NOT NULL UNIQUE,
        file_sha256 TEXT NOT NULL,
        text TEXT NOT NULL,
        title TEXT NOT NULL,
        pages TEXT NOT NULL,
        headings TEXT NOT NULL,
        places TEXT NOT NULL
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


def connect(path: Path) -> sqlite3.Connection:
    """Open the database; transactions are begun and ended by the caller alone.

    WAL lets other processes read while one writes; ``secure_delete`` overwrites what is deleted.
    """
    connection = sqlite3.connect(path, timeout=30.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA journal_mode = WAL")
    return connection


def has_tables(connection: sqlite3.Connection) -> bool:
    """Whether the store's tables are there."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
    return found is not None


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the tables, within the caller's transaction."""
    for statement in _TABLES:
        connection.execute(statement)


def drop_tables(connection: sqlite3.Connection) -> None:
    """Drop all tables, of whatever format, within the caller's transaction."""
    # The full-text table first: dropping it drops its shadow tables. Chunks refer to the others.
    for name in ("words", "chunks", "vectors", "documents", "meta"):
        connection.execute(f"DROP TABLE IF EXISTS {name}")
