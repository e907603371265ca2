"""Work for clients of the server: in threads of its own, and only while the client waits for it.

Importing this imports Starlette.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from rag.answering.compute_slots import IsWanted
from rag.errors import CancelledError

T = TypeVar("T")

MAX_AT_WORK = 16
"""Questions in a thread at once, some of which wait for a language model; others wait in line."""

CLIENT_CLOSED = 499
"""Status of a request whose client has gone: nobody sees it."""


class ClientWork:
    """Takes work for requests; what others ask for meanwhile is not held up by it."""

    def __init__(self) -> None:
        self._threads = anyio.CapacityLimiter(MAX_AT_WORK)

    async def run(self, request: Request, work: Callable[[IsWanted], T]) -> T | Response:
        """Return what ``work`` returns; it is told whether the client is still there.

        Work that waits in line when its client goes is not begun. The body of the request must
        have been read.
        """
        is_wanted = True
        with anyio.CancelScope() as waiting:

            async def watch() -> None:
                nonlocal is_wanted
                while (await request.receive())["type"] != "http.disconnect":
                    pass
                is_wanted = False
                waiting.cancel()

            watcher = asyncio.create_task(watch())
            try:
                asked = partial(work, lambda: is_wanted)
                return await anyio.to_thread.run_sync(asked, limiter=self._threads)
            except CancelledError:
                pass
            finally:
                is_wanted = False  # also where the server ends meanwhile
                watcher.cancel()
        return Response(status_code=CLIENT_CLOSED)
