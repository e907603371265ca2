"""The SQLite side of the local store: opening, transactions, and noticing a rebuild.

A write is one transaction and raises the ``generation``. A rebuild empties the tables in place,
and a restore fills them anew, under a new ``epoch``, by which every process that has the database
open notices; one whose file was put in another's place is opened anew.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from rag.errors import KnowledgeBaseError
from rag.store import schema
from rag.store.migrate import migrate
from rag.store.schema import DATABASE, FILES
from rag.store.troubles import explained, is_damage

_VARIABLES = 500
"""SQL variables in one statement; SQLite's own limit is 999 in old builds."""


class Database:
    """The database in the folder ``path``; every method may be called from any thread.

    It is made if it is missing, brought up to date if it is of an earlier format, and emptied for
    ``rebuild``. One whose ``manifest`` differs is refused with :class:`KnowledgeBaseError`, at
    opening or when another process made it anew; ``on_rebuild`` is called when what was
    remembered of its content no longer holds.
    """

    def __init__(
        self,
        path: Path,
        manifest: Mapping[str, str | int],
        *,
        rebuild: bool = False,
    ) -> None:
        self._path = path
        self._manifest = {"format": schema.FORMAT_VERSION, **manifest}
        self.on_rebuild: Callable[[], None] = lambda: None
        self._epoch: str | None = None
        self._lock = threading.RLock()
        with explained(path):
            path.mkdir(parents=True, exist_ok=True)
            try:
                self._open(rebuild)
            except sqlite3.DatabaseError as error:
                if not rebuild or not is_damage(error):
                    raise
                _put_away(path)  # too damaged to be emptied
                self._open(rebuild)

    def _open(self, rebuild: bool) -> None:
        self._connect()
        try:
            self._prepare(rebuild)
            with self.reading():  # refuses another manifest
                pass
        except BaseException:
            self._connection.close()
            raise

    def _connect(self) -> None:
        self._connection = schema.connect(self._path / DATABASE)
        self._stands = self._identity()

    @property
    def is_read_only(self) -> bool:
        """Whether this process may not change the index."""
        return not all(os.access(path, os.W_OK) for path in (self._path, self._path / DATABASE))

    def _identity(self) -> object:
        """What changes when another database must be read; None if there is none any more.

        SQLite does not notice by itself that another changes what it was told never does.
        """
        try:
            status = (self._path / DATABASE).stat()
        except OSError:
            return None
        if not self._connection.is_immutable:
            return status.st_ino
        wal = self._path / f"{DATABASE}-wal"
        return status.st_ino, status.st_size, status.st_mtime_ns, wal.exists()

    def _prepare(self, rebuild: bool) -> None:
        """Make the tables where there are none or others are wanted, or bring them up to date."""
        if schema.has_tables(self._connection) and not rebuild:
            self._require_known_format()
            if schema.stored_format(self._connection) < schema.FORMAT_VERSION:
                with _transaction(self._connection):
                    if schema.stored_format(self._connection) < schema.FORMAT_VERSION:
                        migrate(self._connection)
            return
        with _transaction(self._connection):
            if rebuild:
                schema.drop_tables(self._connection)
            if not schema.has_tables(self._connection):
                schema.create_tables(self._connection)
                self.set_meta("manifest", json.dumps(self._manifest))
                self.set_meta("generation", "0")
                self.set_meta("epoch", secrets.token_hex(8))
                self.set_meta("unsettled", "1")

    def _require_known_format(self) -> None:
        found = schema.stored_format(self._connection)
        if found > schema.FORMAT_VERSION:
            raise KnowledgeBaseError(
                f"the index in {str(self._path)!r} is of format {found}, and this program knows "
                f"formats up to {schema.FORMAT_VERSION}: use the newer program that wrote it, or "
                f"run 'rag index FOLDER --rebuild --index {self._path}'"
            )

    def close(self) -> None:
        """Close the database; it cannot be used afterwards."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """No other thread uses the database meanwhile; each statement is its own transaction."""
        with self._lock, explained(self._path):
            if not self._connection.in_transaction and self._identity() != self._stands:
                self._reopen()
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
        with self.exclusive(), _transaction(self._connection):
            self._notice_rebuild()
            yield
            self.set_meta("generation", str(self.generation() + 1))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """As :meth:`writing`, for what no search and no answer depends on."""
        with self.exclusive(), _transaction(self._connection):
            self._notice_rebuild()
            yield

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
        schema.set_meta(self._connection, key, value)

    def generation(self) -> int:
        """How often documents were written since the last rebuild."""
        return int(self.meta("generation") or 0)

    @property
    def connection(self) -> sqlite3.Connection:
        """For statements within what the caller has begun."""
        return self._connection

    def _reopen(self) -> None:
        """Another file stands in the database's place: that one counts from now on."""
        if self._identity() is None:
            self._raise_gone()
        self._connection.close()
        self._connect()
        self._epoch = None

    def _raise_gone(self) -> NoReturn:
        raise KnowledgeBaseError(
            f"the index in {str(self._path)!r} is gone: run 'rag index FOLDER --index {self._path}'"
        )

    def _notice_rebuild(self) -> None:
        epoch = self.meta("epoch") if schema.has_tables(self._connection) else None
        if epoch is None:
            self._raise_gone()
        if epoch != self._epoch:
            self._require_known_format()
            _require_same(self._path, json.loads(self.meta("manifest") or "{}"), self._manifest)
            self.on_rebuild()
            self._epoch = epoch


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _put_away(path: Path) -> None:
    for name in FILES:
        (path / name).unlink(missing_ok=True)


def _require_same(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for key, value in wanted.items():
        if found.get(key) != value:
            raise KnowledgeBaseError(
                f"the index in {str(path)!r} was made with {key} {found.get(key)!r}, but now "
                f"{value!r} is wanted: run 'rag index FOLDER --rebuild --index {path}', or use "
                "the settings it was made with"
            )
