"""Opens files below a folder so that nothing put in their place meanwhile leads out of it."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rag.errors import LoadError

# A pipe put in a file's place must not block, nor a terminal become ours.
_FILE_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FOLDER_FLAGS = getattr(os, "O_PATH", 0) | getattr(os, "O_DIRECTORY", 0) | os.O_RDONLY
_HAS_OPENAT = os.open in os.supports_dir_fd and bool(_NO_LINK)
_IS_A_LINK = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK)
"""What systems say of a link where none is followed, or a file is no folder; EMLINK: FreeBSD."""


@dataclass(frozen=True, slots=True)
class Root:
    """A folder, links to it resolved, and what tells it from another one put in its place."""

    path: Path
    device: int
    inode: int

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Raises ``FileNotFoundError`` or ``NotADirectoryError`` for what is no folder."""
        path = folder.resolve(strict=True)
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        status = path.stat()
        return cls(path, status.st_dev, status.st_ino)

    def open(self, relative: str) -> int:
        """Return a descriptor of the file at ``relative`` (with ``/``), to read.

        The caller closes it.

        No part of the path may be a link. Raises :class:`LoadError` where one is, or the folder
        is another one by now, and ``OSError``.
        """
        if not _HAS_OPENAT:
            return self._open_and_compare(relative)
        *folders, name = relative.split("/")
        folder = os.open(self.path, _FOLDER_FLAGS)
        try:
            if self._is_other(os.fstat(folder)):
                raise LoadError(
                    "stands in a folder that was replaced while it was read: not read; index again"
                )
            for part in folders:
                below = os.open(part, _FOLDER_FLAGS | _NO_LINK, dir_fd=folder)
                os.close(folder)
                folder = below
            return os.open(name, _FILE_FLAGS | _NO_LINK, dir_fd=folder)
        except OSError as error:
            if error.errno in _IS_A_LINK:
                raise _was_replaced() from error
            raise
        finally:
            os.close(folder)

    def _open_and_compare(self, relative: str) -> int:
        """For systems that cannot open relative to a folder: looks afterwards where it was."""
        path = self.path / relative
        file = os.open(path, _FILE_FLAGS)
        try:
            if path.resolve(strict=True) == path and os.path.samestat(os.fstat(file), path.stat()):
                return file
            raise _was_replaced()
        except BaseException:
            os.close(file)
            raise

    def _is_other(self, status: os.stat_result) -> bool:
        return (status.st_dev, status.st_ino) != (self.device, self.inode)


def open_file(path: Path) -> int:
    """Return a descriptor of the file at ``path``, to read.

    The caller closes it. Raises ``OSError``.
    """
    return os.open(path, _FILE_FLAGS)


def _was_replaced() -> LoadError:
    return LoadError("was replaced by a link while the folder was read: not read; index again")
