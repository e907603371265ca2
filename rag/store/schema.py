"""The tables of the local store, and opening its database."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from rag.text.terms import TOKENIZE

DATABASE = "knowledge.sqlite"
FILES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")

FORMAT_VERSION = 2
"""Raised whenever an index written before would answer differently or cannot be read.
:mod:`rag.store.migrate` brings an index of an earlier one up to date."""

# Ids are never used twice (AUTOINCREMENT), so an id that a process remembers cannot come to
# mean another vector or text. `digest` is the row_digest of the columns before it.
TABLES = (
    """CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL,
        digest BLOB NOT NULL
    ) WITHOUT ROWID""",
    # A file as it was last loaded. Its signature tells without reading it whether it is the same
    # still; NULL where that cannot be trusted. One that failed stands here with its failures.
    """CREATE TABLE files (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source TEXT NOT NULL UNIQUE,
        sha256 TEXT NOT NULL,
        loader TEXT NOT NULL,
        signature TEXT,
        failures TEXT NOT NULL,
        documents INTEGER NOT NULL,
        digest BLOB NOT NULL
    )""",
    "CREATE INDEX files_by_sha256 ON files (sha256)",
    # What a document holds, whatever its names: copies are one content. `sha256` is that of the
    # title, the layout and the text (rag.store.document_codec).
    """CREATE TABLE contents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        sha256 TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        layout TEXT NOT NULL,
        chunks INTEGER NOT NULL,
        text TEXT NOT NULL
    )""",
    """CREATE TABLE documents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source TEXT NOT NULL UNIQUE,
        file_id INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
        content_id INTEGER NOT NULL REFERENCES contents (id),
        digest BLOB NOT NULL
    )""",
    "CREATE INDEX documents_by_file ON documents (file_id)",
    "CREATE INDEX documents_by_content ON documents (content_id, source)",
    """CREATE TABLE vectors (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        text_sha256 TEXT NOT NULL UNIQUE,
        embedding BLOB NOT NULL,
        digest BLOB NOT NULL
    )""",
    """CREATE TABLE chunks (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        content_id INTEGER NOT NULL REFERENCES contents (id) ON DELETE CASCADE,
        vector_id INTEGER NOT NULL REFERENCES vectors (id),
        "start" INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        digest BLOB NOT NULL
    )""",
    "CREATE INDEX chunks_by_content ON chunks (content_id)",
    "CREATE INDEX chunks_by_vector ON chunks (vector_id)",
    f'CREATE VIRTUAL TABLE words USING fts5 (body, tokenize = "{TOKENIZE}")',
)


class Connection(sqlite3.Connection):
    """Tells of damage as such: a message that quotes a damaged schema may not be decodable.

    ``is_immutable`` where SQLite was told that the file never changes, for it can make no lock.
    """

    is_immutable = False

    def execute(self, *statement: Any) -> sqlite3.Cursor:
        """As that of ``sqlite3``, but that all damage is a ``sqlite3.DatabaseError``."""
        try:
            return super().execute(*statement)
        except UnicodeDecodeError as error:
            raise sqlite3.DatabaseError("its schema is not readable text") from error


def connect(path: Path) -> Connection:
    """Open the database; transactions are begun and ended by the caller alone.

    WAL lets other processes read while one writes; ``secure_delete`` overwrites what is deleted;
    a committed write has reached the disk (``synchronous = FULL``). Where this process may not
    write, the database is opened for reading.
    """
    try:
        connection = _connect(path)
    except sqlite3.OperationalError as error:
        if not _is_locked_up(error, path):
            raise
        return _connect_read_only(path)
    return connection


def _connect(path: Path) -> Connection:
    connection = sqlite3.connect(
        path, timeout=30.0, isolation_level=None, check_same_thread=False, factory=Connection
    )
    try:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: an fsync there is not enough
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _is_locked_up(error: sqlite3.OperationalError, path: Path) -> bool:
    """Whether the database is there, and cannot be opened only since nothing can be written."""
    name = getattr(error, "sqlite_errorname", "")
    may_write = os.access(path.parent, os.W_OK) and os.access(path, os.W_OK)
    is_refused = name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_IOERR"))
    return is_refused and path.is_file() and not may_write


def _connect_read_only(path: Path) -> Connection:
    """Read with the log that others write, where it is; without one, as what never changes."""
    address = path.resolve().as_uri()
    log = path.with_name(f"{path.name}-wal")
    has_log = log.exists() and log.stat().st_size > 0
    connection = sqlite3.connect(
        f"{address}?mode=ro" if has_log else f"{address}?mode=ro&immutable=1",
        uri=True,
        timeout=30.0,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
    )
    connection.is_immutable = not has_log
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def has_tables(connection: sqlite3.Connection) -> bool:
    """Whether the store's tables are there."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
    return found is not None


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the tables, within the caller's transaction."""
    for statement in TABLES:
        connection.execute(statement)


def drop_tables(connection: sqlite3.Connection) -> None:
    """Drop all tables, of whatever format, within the caller's transaction."""
    # The full-text table first: dropping it drops its shadow tables. Then those that refer.
    for name in ("words", "chunks", "vectors", "documents", "contents", "files", "meta"):
        connection.execute(f"DROP TABLE IF EXISTS {name}")


def stored_format(connection: sqlite3.Connection) -> int:
    """The format version that the index was written with."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'manifest'").fetchone()
    try:
        return int(json.loads(row[0])["format"])
    except (TypeError, ValueError, LookupError) as error:
        raise sqlite3.DatabaseError("it does not say what it was made with") from error


def set_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a value beside the documents."""
    row = (key, value, row_digest(key, value))
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", row)


def row_digest(*values: str | bytes | int | None) -> bytes:
    """Eight bytes that change with any of a row's values; a text counts as its UTF-8."""
    digest = hashlib.blake2b(digest_size=8)
    for value in values:
        if value is None:
            digest.update(b"-")
            continue
        data = value if isinstance(value, bytes) else str(value).encode()
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.digest()
