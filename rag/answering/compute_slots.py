"""Slots to compute in: as many questions are worked on at once as there are cores.

More would only slow each other down, and each needs memory of its own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag.errors import CancelledError

IsWanted = Callable[[], bool]
"""Tells whether anybody waits for the answer still."""

LOOK_SECONDS = 0.2
"""How often those who wait for their turn look whether they are wanted."""


class ComputeSlots:
    """At most ``count`` at once; the cores that this process may use unless given."""

    def __init__(self, count: int | None = None) -> None:
        self._free = threading.BoundedSemaphore(count or len(os.sched_getaffinity(0)))

    @contextmanager
    def one(self, is_wanted: IsWanted) -> Iterator[None]:
        """Wait for a turn and take it. Raises :class:`CancelledError` for one not wanted."""
        while not self._free.acquire(timeout=LOOK_SECONDS):
            require(is_wanted)
        try:
            require(is_wanted)
            yield
        finally:
            self._free.release()


def require(is_wanted: IsWanted) -> None:
    """Raise :class:`CancelledError` if nobody waits for the answer any more."""
    if not is_wanted():
        raise CancelledError
