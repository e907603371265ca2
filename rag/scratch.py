"""Folders for work that is under way, private from their creation, and gone with who made them.

A process that is killed leaves its folder behind. The next one that makes a folder of the same
kind in the same place removes it: each folder is locked by its process for as long as that lives.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Self

if os.name == "posix":
    import fcntl

_TRIES = 10


class ScratchFolder:
    """A new folder in ``parent`` whose name begins with ``prefix``; no other user can look in.

    What is left of killed processes there, under that prefix and of this user, is removed first.
    Where folders cannot be locked (on Windows, on some network drives) nothing is.
    """

    def __init__(self, parent: Path, prefix: str) -> None:
        _remove_abandoned(parent, prefix)
        for _ in range(_TRIES):
            self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
            lock = _locked(self.path)
            self._remove = weakref.finalize(self, _remove, self.path, lock)
            if self.path.exists():  # before it was locked, another may have thought it abandoned
                return
            self.close()
        raise OSError(f"no folder can be kept in {str(parent)!r}")

    def close(self) -> None:
        """Remove the folder with all that is in it; so does the end of the process."""
        self._remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _remove(folder: Path, lock: int | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        os.close(lock)


def _locked(folder: Path) -> int | None:
    """A descriptor that locks the folder while it is open; None where that cannot be.

    Waits for who looks whether the folder is abandoned.
    """
    if os.name != "posix":
        return None
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            return opened
        except OSError:
            os.close(opened)
    return None


def _remove_abandoned(parent: Path, prefix: str) -> None:
    """Remove this user's folders of that prefix whose processes have ended."""
    if os.name != "posix":
        return
    for folder in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # it is another user's, or locked, or gone by now
            opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(opened).st_uid == os.geteuid():
                    fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(opened)
