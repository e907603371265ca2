"""Bringing an index of an earlier format up to date, within one transaction."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3

from rag.store import schema
from rag.store.document_codec import content_sha256
from rag.store.port import FileRecord
from rag.store.records import insert_content, insert_document, insert_file
from rag.store.schema import row_digest
from rag.types import Document, Heading, Page


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables from format 1 to the current one, within the caller's transaction.

    Texts, chunks and vectors are kept, so nothing is embedded again. Every file counts as loaded
    by loaders that are not known: the next sync reads it anew.
    """
    values = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    for name in ("meta", "documents", "vectors", "chunks"):
        connection.execute(f"ALTER TABLE {name} RENAME TO {name}_1")
    for name in ("chunks_by_document", "chunks_by_vector"):
        connection.execute(f"DROP INDEX {name}")
    for statement in schema.TABLES:
        if "VIRTUAL" not in statement:  # the full-text index stays as it is
            connection.execute(statement)
    _move_vectors(connection)
    _move_documents(connection)
    for name in ("chunks_1", "documents_1", "vectors_1", "meta_1"):
        connection.execute(f"DROP TABLE {name}")
    _move_meta(connection, values)


def _move_vectors(connection: sqlite3.Connection) -> None:
    for row in connection.execute("SELECT id, text_sha256, embedding FROM vectors_1"):
        connection.execute("INSERT INTO vectors VALUES (?, ?, ?, ?)", (*row, row_digest(*row[1:])))


def _move_documents(connection: sqlite3.Connection) -> None:
    for (old,) in connection.execute("SELECT id FROM documents_1 ORDER BY id").fetchall():
        source, sha256, text, title, pages, headings = connection.execute(
            "SELECT source, file_sha256, text, title, pages, headings FROM documents_1 "
            "WHERE id = ?",
            (old,),
        ).fetchone()
        document = Document(
            source,
            text,
            title,
            tuple(Page(*values) for values in json.loads(pages)),
            tuple(Heading(*values) for values in json.loads(headings)),
        )
        content_id = _move_content(connection, old, document)
        file_id = insert_file(connection, FileRecord(source, sha256, loader=""), 1)
        insert_document(connection, source, file_id, content_id)


def _move_content(connection: sqlite3.Connection, old: int, document: Document) -> int:
    """Store what a document holds, with its chunks; a copy takes those of the first."""
    sha256 = content_sha256(document)
    chunks = connection.execute(
        'SELECT id, vector_id, "start", "end" FROM chunks_1 WHERE document_id = ?', (old,)
    ).fetchall()
    known = connection.execute("SELECT id FROM contents WHERE sha256 = ?", (sha256,)).fetchone()
    if known:
        connection.executemany("DELETE FROM words WHERE rowid = ?", [row[:1] for row in chunks])
        return int(known[0])
    content_id = insert_content(connection, document, sha256, len(chunks))
    for chunk_id, *place in chunks:
        row = (content_id, *place)
        connection.execute(
            "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?)", (chunk_id, *row, row_digest(*row))
        )
    return content_id


def _move_meta(connection: sqlite3.Connection, values: dict[str, str]) -> None:
    manifest = json.loads(values.pop("manifest")) | {"format": schema.FORMAT_VERSION}
    folder = values.pop("note:folder", None)
    if folder is not None:
        values["note:folders"] = json.dumps([[os.path.abspath(folder), None, 0]])  # noqa: PTH100
    values |= {"manifest": json.dumps(manifest), "unsettled": "1"}
    values["epoch"] = secrets.token_hex(8)  # who has the index open must read it anew
    for key, value in values.items():
        schema.set_meta(connection, key, value)
