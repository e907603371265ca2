"""Connections: how many, and how long one may take to say what it wants.

uvicorn has a time-out for connections that wait between two requests, but none for a request that
does not arrive. Here it has, and a log that cannot be flooded.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from typing import Any

import h11
from cachetools import TTLCache
from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS_FOR_HEADER = 10.0
"""How long a connection may take to send the whole header of a request."""

SECONDS_BETWEEN_PARTS = 30.0
"""How long a connection may pause while it sends the body of one."""

MIN_BYTES_PER_SECOND = 1_000
"""What a connection must send of a body on average, once :data:`SECONDS_BETWEEN_PARTS` are over."""

MAX_CONNECTIONS = 512
BACKLOG = 64
"""Connections that the system holds until they are accepted, and accepted in one go at most."""

LINES_PER_MINUTE = 5
"""Times that one message is logged within a minute."""

_MAX_MESSAGES = 1_000


def max_connections() -> int:
    """Connections at once: a third of the files that this process may open, for it needs others."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return MAX_CONNECTIONS
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, soft // 3)


class TimedProtocol(H11Protocol):
    """Ends connections whose requests do not arrive.

    Where there are more than ``config.limit_concurrency`` connections, the one that has kept the
    server waiting longest for a request goes; so none of these can keep another out. What is left
    are requests that are being answered: uvicorn refuses one more with status 503.
    """

    _deadline: asyncio.TimerHandle | None = None
    _in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a header; make room if need be."""
        super().connection_made(transport)
        self._make_room()
        self._wait(SECONDS_FOR_HEADER)

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait for the rest of the header or body, if any."""
        super().data_received(data)
        state = self.conn.their_state
        if self.transport.is_closing() or state not in (h11.IDLE, h11.SEND_BODY):
            self._stop_waiting()
        elif state is h11.SEND_BODY:
            self._wait_for_body(len(data))
        elif self._deadline is None:  # later parts of a header do not prolong it
            self._wait(SECONDS_FOR_HEADER)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    @property
    def _is_idle(self) -> bool:
        """Whether it asks for nothing: no whole header has come since the last answer."""
        answered = self.cycle is None or self.cycle.response_complete
        return answered and self.conn.their_state is h11.IDLE

    def _make_room(self) -> None:
        most = self.config.limit_concurrency
        if most is None or len(self.connections) < most:
            return
        others = (c for c in self.connections if isinstance(c, TimedProtocol) and c is not self)
        idle = [c for c in others if c._is_idle]
        if idle:
            longest = min(idle, key=lambda c: c._deadline.when() if c._deadline else math.inf)
            self.connections.discard(longest)  # ``abort`` does it a moment later
            longest.transport.abort()

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(seconds, self._end)

    def _wait_for_body(self, arrived: int) -> None:
        """Each byte buys some time; none can be saved up beyond the pause that is allowed."""
        left = SECONDS_BETWEEN_PARTS
        if self._in_body and self._deadline is not None:
            bought = arrived / MIN_BYTES_PER_SECOND
            left = min(left, self._deadline.when() - self.loop.time() + bought)
        self._wait(max(0.0, left))
        self._in_body = True

    def _stop_waiting(self) -> None:
        self._in_body = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        self._deadline = None
        if self.flow.read_paused:  # it is the server that lets the client wait
            self._wait(SECONDS_BETWEEN_PARTS)
        else:
            self.transport.abort()


class RepeatFilter(logging.Filter):
    """Lets a message pass :data:`LINES_PER_MINUTE` times a minute, errors by where they arose.

    The last one says that others follow which are not shown.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: TTLCache[tuple[Any, ...], int] = TTLCache(_MAX_MESSAGES, 60, time.monotonic)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it."""
        error = record.exc_info[1] if record.exc_info else None
        trace = error.__traceback__ if error else None
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace else None
        key = (record.levelno, record.msg, type(error), place)
        times = self._seen.get(key, 0) + 1
        if times <= LINES_PER_MINUTE:
            self._seen[key] = times
        if times == LINES_PER_MINUTE:
            record.msg = f"{record.msg} (not logged again for a minute)"
        return times <= LINES_PER_MINUTE
