"""The right to change an index: one process has it at a time, and the others are told who."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import KnowledgeBaseError
from rag.store.schema import FILES
from rag.store.troubles import explained
from rag.store.vector_index import CHECKPOINT
from rag.types import Progress

LOCK = "sync.lock"
PROGRESS = "sync.progress"

PATIENCE = 1.0
"""Seconds to wait for another writer's end."""

_SECONDS_BETWEEN_NOTES = 1.0


@dataclass(slots=True)
class Writing:
    """Notes, for other processes that want to change the index, who does and how far that is."""

    path: Path
    begun: float
    noted: float = 0.0

    def note(self, done: int, total: int) -> None:
        """So much of the work is done, of a ``total`` that is 0 where it is not known."""
        now = time.time()
        if 0.0 <= now - self.noted < _SECONDS_BETWEEN_NOTES:
            return
        self.noted = now
        share = done / total if total else None
        told = json.dumps({"process": os.getpid(), "begun": self.begun, "share": share})
        with contextlib.suppress(OSError):  # a full disk is told by what is really written
            self.path.write_text(told, encoding="utf-8")

    def noting(self, progress: Progress | None) -> Progress:
        """A progress that is noted, and told to ``progress``."""

        def tell(stage: str, done: int, total: int) -> None:
            self.note(done, total)
            if progress:
                progress(stage, done, total)

        return tell


@contextmanager
def only_writer(index: Path) -> Iterator[Writing]:
    """Hold the right to change the index; :class:`KnowledgeBaseError` if another has it.

    It is held until all is done: what a sync has listed, and what it knows of the index, must not
    be changed by another meanwhile.
    """
    lock = FileLock(index / LOCK, timeout=PATIENCE)
    with explained(index):
        index.mkdir(parents=True, exist_ok=True)
        _make_way(index)
        try:
            lock.acquire()
        except Timeout:
            raise KnowledgeBaseError(
                f"the index in {str(index)!r} is being changed by another sync"
                f"{_holder(index / PROGRESS)}: wait for its end, or end it; it keeps what is done"
            ) from None
    writing = Writing(index / PROGRESS, begun=time.time())
    try:
        writing.note(0, 0)
        yield writing
    finally:
        with contextlib.suppress(OSError):
            writing.path.unlink(missing_ok=True)
        lock.release()


def _make_way(index: Path) -> None:
    """Remove empty folders from where the index has files.

    :class:`KnowledgeBaseError` where one is not empty, and where the index is read-only.
    """
    for place in (index / name for name in (*FILES, CHECKPOINT, LOCK, PROGRESS)):
        if place.is_dir():
            try:
                place.rmdir()
            except OSError:
                raise KnowledgeBaseError(
                    f"{str(place)!r} is a folder, and the index has a file there: move it away, "
                    "then run the same again"
                ) from None
    if not os.access(index, os.W_OK):
        raise KnowledgeBaseError(
            f"the index in {str(index)!r} is read-only: it can be asked, but not changed, checked "
            "or repaired; copy it to where you may write, or name another with --index"
        )


def _holder(path: Path) -> str:
    """Who holds the right, since when, and how far the work is; "" where that is not told."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        minutes = max(0, int(time.time() - told["begun"])) // 60
        parts = [f"process {int(told['process'])}", f"for {minutes} min"]
        if told["share"] is not None:
            parts.append(f"{told['share']:.0%} done")
    except (OSError, ValueError, TypeError, LookupError):
        return ""
    return f" ({', '.join(parts)})"
