"""The bytes of a file, and the signature by which it need not be read again."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

from rag.errors import LoadError
from rag.indexing.folder_root import open_file
from rag.indexing.scan import FoundFile

MAX_FILE_BYTES = 256_000_000
"""Bytes. Larger files are reported, not read: they would have to fit into memory."""

RACY_SECONDS = 3.0
"""A file that was changed less than this before it was read could be changed once more without
its signature telling: some file systems count in steps of two seconds. It is read again."""


def signature(status: os.stat_result) -> str:
    """What stands for a file's bytes while it stays the same: its size, times and inode."""
    values = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return "-".join(map(str, values))


def read_file(file: Path | FoundFile) -> tuple[bytes, str | None]:
    """The bytes of a regular file, and its signature; None where that cannot be trusted.

    Raises :class:`LoadError` for what is too large, no regular file or, where it was found in a
    folder, replaced by a link since; and ``OSError``.
    """
    opened = file.open() if isinstance(file, FoundFile) else open_file(file)
    with os.fdopen(opened, "rb") as stream:
        before = os.fstat(stream.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise LoadError("is not a regular file")
        if before.st_size > MAX_FILE_BYTES:
            raise LoadError(
                f"is {before.st_size / 1e6:,.0f} MB; files above {MAX_FILE_BYTES / 1e6:,.0f} MB "
                "are not read: split it"
            )
        begun = time.time()
        data = stream.read()
        after = os.fstat(stream.fileno())
    still = signature(before) == signature(after) and len(data) == after.st_size
    racy = begun - max(after.st_mtime, after.st_ctime) < RACY_SECONDS
    return data, None if racy or not still else signature(after)
