"""What goes wrong with an index, told by its name and with what helps."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import KnowledgeBaseError
from rag.store.schema import DATABASE, FILES

OF_ANOTHER_KIND = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError
)  # fmt: skip
"""What handling a value raises that damage made one of another type, or none."""

_FULL_BYTES = 1_000_000
"""With less room than this the disk is full, whatever SQLite calls it."""

_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_DISK = ("SQLITE_FULL", "SQLITE_IOERR")
_ACCESS = ("SQLITE_CANTOPEN", "SQLITE_PERM")


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether the file is to blame, and not what is around it: another process, the disk."""
    name = getattr(error, "sqlite_errorname", "")
    return not name.startswith((*_BUSY, *_DISK, *_ACCESS, "SQLITE_INTERRUPT"))


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's and the file system's errors into ones a user can act on."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        advice = _advice(getattr(error, "sqlite_errorname", ""), path)
        raise KnowledgeBaseError(f"the index in {str(path)!r} failed: {error}; {advice}") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            advice = _advice("SQLITE_FULL" if is_full else "SQLITE_IOERR", path)
            message = f"the index in {str(path)!r} failed: {error.strerror}; {advice}"
            raise KnowledgeBaseError(message) from error
        raise KnowledgeBaseError(
            f"cannot use {str(path)!r} as the folder of an index: {error.strerror or error}; "
            "name another with --index"
        ) from error


def _advice(name: str, path: Path) -> str:
    if name.startswith(_BUSY):
        return "another process is writing: try again"
    if name == "SQLITE_FULL" or (name.startswith(_DISK) and _is_full(path)):
        return "nothing is lost: the disk is full; free some space, then run the same again"
    if name.startswith(_DISK):
        return "nothing is lost: see to the disk and its free space, then run the same again"
    for place in (path / name for name in FILES):
        if place.is_dir():
            return f"{str(place)!r} is a folder: move it away, then run the same again"
    if name.startswith((*_ACCESS, "SQLITE_READONLY")):
        return "see to its permissions, or name another folder with --index"
    return (
        f"run 'rag verify --repair --index {path}', and if that does not help, "
        f"'rag index FOLDER --rebuild --index {path}'"
    )


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path).free < _FULL_BYTES
    except OSError:
        return False


def require_database(path: Path) -> None:
    """Raise :class:`KnowledgeBaseError` where something else has the place of the database.

    An empty file is what is left where a disk was full, or a copy broke off.
    """
    database = path / DATABASE
    if database.is_dir():
        raise KnowledgeBaseError(
            f"{str(database)!r} is a folder, and the index has a file there: move it away, then "
            f"run 'rag index FOLDER --index {path}'"
        )
    if database.is_file() and not database.stat().st_size:
        raise KnowledgeBaseError(
            f"the index in {str(path)!r} is lost: its file {DATABASE} is empty; run 'rag index "
            f"FOLDER --index {path}' to make it anew, or 'rag restore' with a backup"
        )


@contextmanager
def damage_explained(path: Path) -> Iterator[None]:
    """Tell of values that the database cannot hold, but for damage, as of damage."""
    try:
        yield
    except OF_ANOTHER_KIND as error:
        raise KnowledgeBaseError(
            f"the index in {str(path)!r} is damaged ({type(error).__name__}: {error}); "
            f"{_advice('', path)}"
        ) from error
