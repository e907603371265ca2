"""Changes of the documents, made one after the other in a thread that no request owns.

Pages put work in and look how far it is: closing one cancels nothing, and another that is opened
shows the same.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.errors import CancelledError, RagError
from rag.types import Progress
from rag.web.page.components import UNEXPECTED
from rag.web.render import Outcome, Running

if TYPE_CHECKING:
    from rag.indexing.sync_report import SyncReport

logger = logging.getLogger(__name__)

Work = Callable[[Progress], "SyncReport"]
"""Changes the documents. Ends early where the progress that it is given raises CancelledError."""

RATE_SECONDS = 60.0
"""The time left is told by how fast the work was this long."""

MIN_SECONDS = 8.0
MIN_SHARE = 0.01
"""How long work must go on, and how far, before the time left is told."""


class TimeLeft:
    """Estimates how long work takes still, from how fast it was lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._marks: deque[tuple[float, float]] = deque()

    def __call__(self, share: float) -> float | None:
        """Seconds left when ``share`` of the work is done; None while that cannot be told."""
        now = self._clock()
        self._marks.append((now, share))
        while len(self._marks) > 2 and now - self._marks[1][0] > RATE_SECONDS:
            self._marks.popleft()
        begun, before = self._marks[0]
        if now - begun < MIN_SECONDS or share - before < MIN_SHARE:
            return None
        return (1 - share) * (now - begun) / (share - before)


@dataclass(frozen=True, slots=True)
class JobsState:
    """How things stand: an unchanging picture.

    ``outcomes`` are of work that has ended, until they are dismissed. ``waiting`` counts work
    that has not begun. ``changes`` is raised whenever work has ended.
    """

    running: Running | None = None
    waiting: int = 0
    outcomes: tuple[Outcome, ...] = ()
    changes: int = 0


class Jobs:
    """Does one piece of work at a time. All methods return at once, but :meth:`close`.

    ``numbers`` are for the work: others that share them have none of the same number.
    """

    def __init__(self, numbers: Iterator[int] | None = None) -> None:
        self._lock = threading.Lock()
        self._queue: deque[tuple[str, Work]] = deque()
        self._state = JobsState()
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._numbers = itertools.count(1) if numbers is None else numbers

    @property
    def state(self) -> JobsState:
        """How things stand now."""
        with self._lock:
            return replace(self._state, waiting=len(self._queue))

    def submit(self, title: str, work: Work) -> None:
        """Do ``work`` as soon as what was put in before is done.

        Reports of earlier work go, but for those that tell of something that went wrong.
        """
        with self._lock:
            if self._is_closed:
                return
            self._queue.append((title, work))
            kept = tuple(o for o in self._state.outcomes if o.failed or o.error or o.stopped)
            self._state = replace(self._state, outcomes=kept)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
                self._thread.start()

    def cancel(self, number: int) -> None:
        """End this work, if it still goes on, as soon as what it has begun is whole."""
        with self._lock:
            running = self._state.running
            if running and running.number == number:
                self._cancelled.set()
                self._state = replace(self._state, running=replace(running, stopping=True))

    def dismiss(self, number: int) -> None:
        """Forget what came of this work."""
        with self._lock:
            kept = tuple(o for o in self._state.outcomes if o.number != number)
            self._state = replace(self._state, outcomes=kept)

    def stop(self) -> None:
        """Cancel all work, and take no more."""
        with self._lock:
            self._is_closed = True
            self._queue.clear()
            self._cancelled.set()

    def close(self, wait: float) -> None:
        """:meth:`stop`, and wait at most so many seconds for the end."""
        self.stop()
        if (thread := self._thread) is not None:
            thread.join(wait)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._thread = None
                    return
                title, work = self._queue.popleft()
                number = next(self._numbers)
                if not self._is_closed:
                    self._cancelled.clear()
                self._state = replace(self._state, running=Running(title, number, "Starting"))
            outcome = self._outcome(number, work)
            with self._lock:
                self._state = replace(
                    self._state,
                    running=None,
                    outcomes=(*self._state.outcomes, outcome),
                    changes=self._state.changes + 1,
                )

    def _outcome(self, number: int, work: Work) -> Outcome:
        try:
            report = work(self._progress())
        except CancelledError:
            return Outcome(number, stopped=True)
        except RagError as error:
            return Outcome(number, error=str(error))
        except Exception:
            logger.exception("Changing the documents failed")
            return Outcome(number, error=UNEXPECTED)
        return Outcome(
            number,
            report.added,
            report.updated,
            report.deleted,
            [(failure.source, failure.reason) for failure in report.newly_failed],
            stopped=self._cancelled.is_set() and report.left > 0,
            left=report.left,
        )

    def _progress(self) -> Progress:
        time_left = TimeLeft()

        def tell(stage: str, done: int, total: int) -> None:
            if self._cancelled.is_set():
                raise CancelledError
            seconds = time_left(done / total) if total else None
            with self._lock:
                if running := self._state.running:
                    told = replace(
                        running, stage=stage, done=done, total=total, seconds_left=seconds
                    )
                    self._state = replace(self._state, running=told)

        return tell
