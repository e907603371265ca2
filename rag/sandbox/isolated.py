"""Works on files in a worker process, so that a hostile file costs that file alone.

The worker has limits of memory and time and an empty environment; on Linux it can open no file of
the user and no socket, see :mod:`rag.sandbox.confine`. One worker reads many files. It is replaced
when it hangs, dies or has grown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Generic, Self, TypeVar

from rag.dataclass_json import from_plain
from rag.errors import BusyError, LoadError
from rag.load.registry import Load, Loaded, load_file
from rag.sandbox.process import NO_ANSWER, Limits, Worker, WorkerDiedError, crashes, too_large
from rag.sandbox.protocol import check

__all__ = ["Isolated", "IsolatedLoader", "Limits", "Work"]

T = TypeVar("T")

Work = Callable[[bytes, str], T]
"""Takes the bytes of a file and what is asked of it; a function at the top level of a module."""

_SECONDS_BETWEEN_CALLS = 0.5


class Isolated(Generic[T]):
    """Does some work on a file in a worker process. Safe to use from threads.

    The worker starts with the first file and ends with :meth:`close`, with this process, or when
    it must be replaced; what was closed can be used again. ``understood`` makes of the JSON that
    came back, and of what was asked, what ``work`` returned; ValueError where that is no answer.

    ``meanwhile`` may be set to what is called, in the thread that asked, twice a second while the
    worker is busy; what it raises ends the worker, and is raised.
    """

    meanwhile: Callable[[], None] | None = None

    def __init__(
        self, limits: Limits | None, work: Work[T], understood: Callable[[Any, str], T]
    ) -> None:
        self.limits = limits or Limits()
        self._work = work
        self._understood = understood
        self._worker: Worker | None = None
        self._lock = threading.Lock()
        self._closings = 0

    def __call__(self, data: bytes, asked: str) -> T:
        """Work on the bytes of one file.

        Raises :class:`LoadError` with the reason: that of the loader, or that the file needs too
        much memory or time or crashes its parser; :class:`KnowledgeBaseError` where no worker can
        be started, for then nothing is known about the file; :class:`BusyError` if it is closed
        meanwhile.
        """
        closings = self._closings
        with self._lock:
            return self._answer(data, asked, closings)

    def _answer(self, data: bytes, asked: str, closings: int) -> T:
        """As ``__call__``; one file at a time. ``closings`` counted them when it was asked."""
        is_fresh = self._worker is None
        try:
            return self._ask(data, asked, closings)
        except WorkerDiedError as lost:
            if is_fresh:
                raise LoadError(lost.reason) from None
        # A file before it may have left a worker that was about to fall: ask a new one.
        try:
            return self._ask(data, asked, closings)
        except WorkerDiedError as lost:
            raise LoadError(lost.reason) from None

    def close(self) -> None:
        """End the worker, at once, also for those who still wait for it."""
        self._closings += 1
        if (worker := self._worker) is not None:
            worker.kill()
        with self._lock:
            self._end()

    def _require_open(self, closings: int) -> None:
        if closings != self._closings:
            raise BusyError("the program is ending: ask again later")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def measures(self) -> tuple[str, ...]:
        """What confines the worker on this system.

        At most ``memory resources files privileges calls``.
        """
        with self._lock:
            return self._started().measures

    def _started(self) -> Worker:
        if self._worker is None:
            self._worker = Worker(self.limits, self._work)
        return self._worker

    def _end(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def _ask(self, data: bytes, asked: str, closings: int) -> T:
        self._require_open(closings)
        worker = self._started()
        try:
            self._require_open(closings)  # a worker that is started meanwhile was not killed
            kind, value = self._wait_for(worker, data, asked)
        except BaseException:  # also Ctrl-C: what the worker says next is of no use
            self._end()
            self._require_open(closings)
            raise
        if worker.needs_recycling:
            self._end()
        if kind == "refused":
            raise LoadError(str(value))
        if kind == "memory":
            self._end()
            raise WorkerDiedError(too_large(self.limits))
        if kind == "broken":
            raise LoadError(crashes(str(value)))
        try:
            return self._understood(value, asked)
        except (ValueError, TypeError):
            self._end()
            raise WorkerDiedError(crashes(NO_ANSWER)) from None

    def _wait_for(self, worker: Worker, data: bytes, asked: str) -> tuple[str, Any]:
        """What the worker says."""
        if self.meanwhile is None:
            return worker.ask(data, asked)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(worker.ask, data, asked)
            try:
                while not wait([answer], _SECONDS_BETWEEN_CALLS).done:
                    self.meanwhile()
            except BaseException:
                worker.kill()  # which ends the thread
                raise
            return answer.result()


class IsolatedLoader(Isolated[Loaded]):
    """Loads as :func:`rag.load.registry.load_file` does, or ``load``, in a worker process.

    >>> with IsolatedLoader() as load:       # doctest: +SKIP
    ...     load(b"Some text.", "a.txt").documents[0].text
    'Some text.'
    """

    def __init__(self, limits: Limits | None = None, load: Load = load_file) -> None:
        super().__init__(
            limits, load, lambda value, source: check(from_plain(Loaded, value), source)
        )
