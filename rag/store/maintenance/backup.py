"""One file that holds an index, checksummed; and putting another database in an index's place.

A backup is a ZIP archive of ``backup.json`` (what it is, and the SHA-256 of the other member) and
``knowledge.sqlite``. What is derived from the database is left out.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag.atomic_files import move_whole, require_target
from rag.digests import file_sha256
from rag.errors import KnowledgeBaseError, OutputError
from rag.scratch import ScratchFolder
from rag.store import schema
from rag.store.maintenance.verify import IndexText, problems
from rag.store.schema import DATABASE, FILES
from rag.store.troubles import is_damage

KIND = "rag backup"
_ABOUT = "backup.json"
_BLOCK = 1 << 20
_SCRATCH = ".rag-backup-"
"""Where a backup is made, beside its place; it holds a copy of all text."""


def write_backup(path: Path, file: Path, index_text: IndexText) -> dict[str, Any]:
    """Write one state of the index in ``path`` to ``file``, whole or not at all.

    Others may read and write meanwhile. The copy is proved first. Returns what ``backup.json``
    says. Raises :class:`OutputError` where it cannot be written, and :class:`KnowledgeBaseError`
    for a damaged index.
    """
    require_target(file)
    try:
        with ScratchFolder(file.absolute().parent, _SCRATCH) as scratch:
            copy = scratch.path / DATABASE
            partial = scratch.path / "backup.zip"
            about = _copy(path, copy, index_text)
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                archive.writestr(_ABOUT, json.dumps(about, indent=2))
                archive.write(copy, DATABASE)
            move_whole(partial, file)
    except OSError as error:
        raise OutputError(
            f"cannot write {str(file)!r}: {error.strerror or error}; name a file in a folder that "
            "can be written to and has room"
        ) from error
    return about


def _copy(path: Path, copy: Path, index_text: IndexText) -> dict[str, Any]:
    with (
        closing(schema.connect(path / DATABASE)) as database,
        closing(sqlite3.connect(copy, isolation_level=None)) as target,
    ):
        database.backup(target)  # all pages in one step: one state
        target.execute("PRAGMA journal_mode = DELETE")
        target.execute("PRAGMA secure_delete = ON")
        target.execute("DELETE FROM meta WHERE key = 'checkpoint'")
        documents = target.execute("SELECT count(*) FROM documents").fetchone()[0]
        manifest = target.execute("SELECT value FROM meta WHERE key = 'manifest'").fetchone()[0]
    if found := problems(copy.parent, index_text):
        raise KnowledgeBaseError(
            f"the index is damaged ({found[0]}), so no backup of it was made: run "
            "'rag verify --repair' first"
        )
    return {
        "kind": KIND,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "documents": documents,
        "manifest": json.loads(manifest),
        "bytes": copy.stat().st_size,
        "sha256": file_sha256(copy),
    }


def unpack_backup(file: Path, folder: Path) -> dict[str, Any]:
    """Put the database of a backup into ``folder``; returns what ``backup.json`` says.

    Raises :class:`KnowledgeBaseError` for a file that is no backup, or a damaged one.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            about = json.loads(archive.read(_ABOUT))
            if not isinstance(about, Mapping) or about.get("kind") != KIND:
                raise KeyError(_ABOUT)
            if archive.getinfo(DATABASE).file_size != about["bytes"]:
                raise zipfile.BadZipFile("its size is not the one that was written")
            with archive.open(DATABASE) as packed, (folder / DATABASE).open("wb") as target:
                digest = hashlib.sha256()
                while block := packed.read(_BLOCK):
                    digest.update(block)
                    target.write(block)
    except KeyError as error:
        raise KnowledgeBaseError(f"{str(file)!r} is no backup of an index") from error
    except OSError as error:
        raise KnowledgeBaseError(f"cannot read {str(file)!r}: {error.strerror}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise KnowledgeBaseError(
            f"{str(file)!r} is no backup, or a damaged one ({error}): use another"
        ) from error
    if digest.hexdigest() != about["sha256"]:
        raise KnowledgeBaseError(f"{str(file)!r} is damaged (checksum): use another backup")
    return dict(about)


def replace_database(path: Path, new: Path) -> None:
    """Put the database of the folder ``new`` in the place of that of ``path``.

    Readers see the old content or the new one, and notice by the epoch. A database that is too
    damaged to be written into makes way for the new file.
    """
    with closing(schema.connect(new / DATABASE)) as source:
        schema.set_meta(source, "epoch", secrets.token_hex(8))
        schema.set_meta(source, "unsettled", "1")
        source.execute("DELETE FROM meta WHERE key = 'checkpoint'")
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        try:
            with closing(schema.connect(path / DATABASE)) as live:
                source.backup(live)
                live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
        source.execute("PRAGMA journal_mode = DELETE")
    for name in FILES[1:]:
        (path / name).unlink(missing_ok=True)
    move_whole(new / DATABASE, path / DATABASE)
