"""The SQLite side of the local store: opening, transactions, and noticing a rebuild.

A write is one transaction and raises the ``generation``. A rebuild empties the tables in place,
under a new ``epoch``, by which every process that has the database open notices.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.errors import KnowledgeBaseError
from rag.store import schema

DATABASE = "knowledge.sqlite"

_VARIABLES = 500
"""SQL variables in one statement; SQLite's own limit is 999 in old builds."""


class Database:
    """The database in the folder ``path``; every method may be called from any thread.

    It is made if it is missing, and emptied for ``rebuild``. One whose ``manifest`` differs is
    refused with :class:`KnowledgeBaseError`, at opening or when another process made it anew;
    ``on_rebuild`` is called when what was remembered of its content no longer holds.
    """

    def __init__(
        self,
        path: Path,
        manifest: Mapping[str, str | int],
        on_rebuild: Callable[[], None],
        *,
        rebuild: bool = False,
    ) -> None:
        self._path = path
        self._manifest = {"format": schema.FORMAT_VERSION, **manifest}
        self._on_rebuild = on_rebuild
        self._epoch: str | None = None
        self._lock = threading.RLock()
        with explained(path):
            path.mkdir(parents=True, exist_ok=True)
            if rebuild and not _is_database(path / DATABASE):
                for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
                    (path / name).unlink(missing_ok=True)
            self._connection = schema.connect(path / DATABASE)
            try:
                self._create(rebuild)
                with self.reading():  # refuses another manifest
                    pass
            except BaseException:
                self._connection.close()
                raise

    def _create(self, rebuild: bool) -> None:
        if schema.has_tables(self._connection) and not rebuild:
            return
        self.execute("BEGIN IMMEDIATE")
        try:
            if rebuild:
                schema.drop_tables(self._connection)
            if not schema.has_tables(self._connection):
                schema.create_tables(self._connection)
                self.set_meta("manifest", json.dumps(self._manifest))
                self.set_meta("generation", "0")
                self.set_meta("epoch", secrets.token_hex(8))
                self.set_meta("unsettled", "1")
            self.execute("COMMIT")
        except BaseException:
            self.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the database; it cannot be used afterwards."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """No other thread uses the database meanwhile; each statement is its own transaction."""
        with self._lock, explained(self._path):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One consistent state of the database, whatever other processes write meanwhile."""
        with self.exclusive():
            if self._connection.in_transaction:
                yield
                return
            self.execute("BEGIN")
            try:
                self._notice_rebuild()
                yield
            finally:
                if self._connection.in_transaction:
                    self.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it is written, or nothing. Raises the generation."""
        with self.exclusive():
            self.execute("BEGIN IMMEDIATE")
            try:
                self._notice_rebuild()
                yield
                self.set_meta("generation", str(self.generation() + 1))
                self.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self.execute("ROLLBACK")
                raise

    def execute(self, statement: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """Run one statement, within what the caller has begun."""
        return self._connection.execute(statement, tuple(values))

    def executemany(self, statement: str, rows: Iterable[Iterable[Any]]) -> None:
        """Run one statement for each row of values."""
        self._connection.executemany(statement, (tuple(row) for row in rows))

    def select_in(self, select: str, values: Iterable[Any], *first: Any) -> list[tuple[Any, ...]]:
        """The rows of ``select``, which ends in ``IN``, for any number of ``values``."""
        rows: list[tuple[Any, ...]] = []
        listed = list(values)
        for begin in range(0, len(listed), _VARIABLES):
            part = listed[begin : begin + _VARIABLES]
            marks = ", ".join("?" * len(part))
            rows.extend(self.execute(f"{select} ({marks})", (*first, *part)))
        return rows

    def meta(self, key: str) -> str | None:
        """What :meth:`set_meta` kept under ``key``."""
        row = self.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Keep a value beside the documents."""
        self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def generation(self) -> int:
        """How often documents were written since the last rebuild."""
        return int(self.meta("generation") or 0)

    def _notice_rebuild(self) -> None:
        epoch = self.meta("epoch") if schema.has_tables(self._connection) else None
        if epoch != self._epoch or epoch is None:
            _require_same(self._path, json.loads(self.meta("manifest") or "{}"), self._manifest)
            self._on_rebuild()
            self._epoch = epoch


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
