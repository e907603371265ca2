"""Files and folders written whole: nobody ever sees half of one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rag.errors import OutputError


def require_target(path: Path, *read: Path) -> None:
    """Raise :class:`OutputError` unless the file ``path`` can be written into its folder.

    It must not be one of the files ``read``, which it would take the place of.
    """
    if path.is_dir():
        raise OutputError(f"cannot write {str(path)!r}: it is a folder; name a file")
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {str(path)!r}: no folder {str(path.parent)!r}; make it")
    if path.exists() and any(other.exists() and path.samefile(other) for other in read):
        raise OutputError(f"cannot write {str(path)!r}: it is read; name another file")
    with _explained(path), tempfile.TemporaryFile(dir=path.parent):
        pass


@contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """A text file (UTF-8, ``\\n``) that takes the place of ``path`` at the end, if all went well.

    Raises :class:`OutputError` where it cannot be written.
    """
    partial = _partial(path)
    try:
        with _explained(path):
            with partial.open("w", encoding="utf-8", newline="\n") as file:
                yield file
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Put ``data`` in the place of the file ``path``; it has reached the disk when this returns.

    Raises ``OSError``; then the file is what it was.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
        move_whole(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def move_whole(partial: Path, path: Path) -> None:
    """Put a finished file in the place of ``path``, so that even a power cut leaves one whole."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(path)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of ``folder`` at the end, if all went well.

    Raises :class:`OutputError` unless ``folder`` is new or empty, and can be written.
    """
    folder = folder.absolute()
    partial = _partial(folder)
    try:
        with _explained(folder):
            if folder.exists() and any(folder.iterdir()):
                raise OutputError(f"{str(folder)!r} is not empty: name a new folder")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            yield partial
            if folder.exists():
                folder.rmdir()
            partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _partial(path: Path) -> Path:
    """The hidden place beside ``path`` where it is made."""
    return path.with_name(f".{path.name}.partial")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot write {str(path)!r}: {error.strerror or error}; name a place in a folder that "
            "exists and can be written to"
        ) from error
