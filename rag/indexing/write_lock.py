"""The right to change an index: one has it at a time, others wait in line and are told who has it.

Who works long makes way between two steps: it gives the right to the one who waits first, and
stands in line itself. Three locks of the operating system do this, so that whoever dies leaves
none behind: the right itself; the head of the line, held by the one who is next; and the mark of
one who has made way, held until the right is back.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import KnowledgeBaseError
from rag.store.schema import FILES
from rag.store.troubles import explained
from rag.store.vector_index import CHECKPOINT
from rag.types import Progress

LOCK = "sync.lock"
LINE = "sync.line"
PAUSED = "sync.paused"
PROGRESS = "sync.progress"

PATIENCE = 60.0
"""Seconds to wait for the right while who has it gives no sign of life."""

_SECONDS_BETWEEN_TRIES = 0.05
_SECONDS_BETWEEN_NOTES = 1.0


@dataclass(slots=True)
class Writing:
    """The right to change the index in the folder ``index``, for the thread that made this.

    Others that want it are told by notes who has it and how far the work is.
    """

    index: Path
    begun: float = field(default_factory=time.time)
    noted: float = 0.0
    right: FileLock = field(init=False)
    line: FileLock = field(init=False)
    paused: FileLock = field(init=False)

    def __post_init__(self) -> None:
        self.right, self.line, self.paused = (
            FileLock(self.index / name) for name in (LOCK, LINE, PAUSED)
        )

    def note(self, done: int, total: int) -> None:
        """So much of the work is done, of a ``total`` that is 0 where it is not known."""
        now = time.time()
        if not self.right.is_locked or 0.0 <= now - self.noted < _SECONDS_BETWEEN_NOTES:
            return
        self.noted = now
        share = done / total if total else None
        told = json.dumps({"process": os.getpid(), "begun": self.begun, "share": share})
        with contextlib.suppress(OSError):  # a full disk is told by what is really written
            (self.index / PROGRESS).write_text(told, encoding="utf-8")

    def noting(self, progress: Progress | None) -> Progress:
        """A progress that is noted, and told to ``progress``."""

        def tell(stage: str, done: int, total: int) -> None:
            self.note(done, total)
            if progress:
                progress(stage, done, total)

        return tell

    @property
    def is_wanted(self) -> bool:
        """Whether another waits for the right."""
        return _is_held(self.line) or self.is_wanted_back

    @property
    def is_wanted_back(self) -> bool:
        """Whether one that has made way, a sync, waits to go on."""
        return _is_held(self.paused)

    def make_way(self, tell: Callable[[str], None]) -> None:
        """Give the right to the one who waits first, and wait for it in line.

        ``tell`` is told of it again and again; where it raises, the right is not held any more.
        """
        with contextlib.suppress(Timeout):  # of several that have made way, one needs the mark
            self.paused.acquire(timeout=0)
        try:
            self.give_up()
            self.take(tell, math.inf)
        finally:
            self.paused.release()

    def take(self, tell: Callable[[str], None], patience: float) -> None:
        """Wait in line for the right.

        Raises :class:`KnowledgeBaseError` where another has it and gives no sign of life for
        ``patience`` seconds.
        """
        self._wait_for(self.line, tell, patience)
        try:
            self._wait_for(self.right, tell, patience)
        finally:
            self.line.release()
        self.noted = 0.0
        self.note(0, 0)

    def give_up(self) -> None:
        """Let others have the right; nothing is to be done where it is not held."""
        if self.right.is_locked:
            with contextlib.suppress(OSError):
                (self.index / PROGRESS).unlink(missing_ok=True)
            self.right.release()

    def _wait_for(self, lock: FileLock, tell: Callable[[str], None], patience: float) -> None:
        heard = time.time()
        while True:
            with contextlib.suppress(Timeout):
                lock.acquire(timeout=0)
                return
            holder = _holder(self.index / PROGRESS)
            heard = max(heard, _last_sign(self.index / PROGRESS))
            if time.time() - heard > patience:
                raise KnowledgeBaseError(
                    f"the index in {str(self.index)!r} is being changed by another sync{holder}: "
                    "wait for its end, or end it; it keeps what is done"
                )
            tell(f"Waiting for another sync{holder}")
            time.sleep(_SECONDS_BETWEEN_TRIES)


def _is_held(lock: FileLock) -> bool:
    try:
        with lock.acquire(timeout=0):
            return False
    except Timeout:
        return True


@contextmanager
def only_writer(
    index: Path, progress: Progress | None = None, patience: float | None = None
) -> Iterator[Writing]:
    """Hold the right to change the index, after those that wait for it already.

    Raises :class:`KnowledgeBaseError` where another has it and gives no sign of life for
    ``patience`` seconds, :data:`PATIENCE` unless it is given. It is held until all is done, but
    where :meth:`Writing.make_way` is called: another may have changed anything then.
    """
    with explained(index):
        index.mkdir(parents=True, exist_ok=True)
        _clear_folders(index)
        writing = Writing(index)
        try:
            writing.take(
                lambda stage: progress(stage, 0, 0) if progress else None,
                PATIENCE if patience is None else patience,
            )
        except BaseException:
            writing.give_up()
            raise
    try:
        yield writing
    finally:
        writing.give_up()


def _clear_folders(index: Path) -> None:
    """Remove empty folders from where the index has files.

    :class:`KnowledgeBaseError` where one is not empty, and where the index is read-only.
    """
    for place in (index / name for name in (*FILES, CHECKPOINT, LOCK, LINE, PAUSED, PROGRESS)):
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


def _last_sign(path: Path) -> float:
    """When the one who has the right told last how far it is; 0 where that is not told."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
