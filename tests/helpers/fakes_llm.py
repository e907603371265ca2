"""A scripted OpenAI-compatible server on loopback: real sockets, real SSE, no model.

Each request takes the next queued :class:`Reply` and is recorded in ``requests``::

    with ScriptedServer() as server:
        server.enqueue(sse("Hel", "lo"))
        ...  # point a client at server.url
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal

End = Literal["done", "cut", "eof", "hang", "repeat"]


@dataclass(frozen=True)
class Reply:
    """What one request is answered with.

    ``body`` is sent part by part. ``end`` says how it ends: ``done`` properly; ``cut`` the
    connection breaks within the body; ``eof`` the connection closes where only that marks the
    end of the body; ``hang`` silence after the last part, or before the status line when there
    is no part; ``repeat`` the last part again and again until the client is gone.
    ``status`` 0 closes the connection without any answer.
    """

    body: tuple[bytes, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    end: End = "done"


@dataclass(frozen=True)
class Request:
    """What the server was sent; header names are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


def event(value: object) -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps(value)}\n\n".encode()


def chunk(content: str | None = None, finish: str | None = None, **delta: object) -> bytes:
    """A chat completion chunk as an event."""
    choice = {"index": 0, "delta": {"content": content, **delta}, "finish_reason": finish}
    return event({"id": "x", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})


def sse(*pieces: str, finish: str | None = "stop", end: End = "done") -> Reply:
    """A completion that streams ``pieces``; without ``finish`` it stops after the last one."""
    body = [chunk("", role="assistant"), *(chunk(piece) for piece in pieces)]
    if finish:
        body += [chunk(finish=finish), b"data: [DONE]\n\n"]
    return Reply(tuple(body), end=end)


def failure(status: int, message: str, **headers: str) -> Reply:
    """An error as OpenAI words it; ``retry_after_ms`` becomes the header ``retry-after-ms``."""
    body = json.dumps({"error": {"message": message, "code": status}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply((body,), status, {"content-type": "application/json", **named})


class ScriptedServer(ThreadingHTTPServer):
    """Serves queued replies from a free port; stops, with its threads, when the block ends."""

    daemon_threads = False  # server_close() then waits for them

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        self.requests: list[Request] = []
        self.client_left = threading.Event()
        self.stopping = threading.Event()
        self.errors: list[BaseException] = []
        self.replies: deque[Reply] = deque()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def enqueue(self, *replies: Reply) -> None:
        self.replies.extend(replies)

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self._thread.join()
        if self.errors and error is None:
            raise self.errors[0]

    def handle_error(self, request: object, client_address: object) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError):
            self.errors.append(error)


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append(Request(self.path, headers, json.loads(body)))
        reply = self.server.replies.popleft()
        self.close_connection = True
        if reply.status == 0:
            return
        if reply.end == "hang" and not reply.body:
            self.server.stopping.wait(5)
            return
        chunked = reply.end != "eof"
        self._head(reply, chunked)
        self._send_body(reply, chunked)

    def _head(self, reply: Reply, chunked: bool) -> None:
        self.send_response(reply.status)
        for name, value in {"content-type": "text/event-stream", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header(
            *(("transfer-encoding", "chunked") if chunked else ("connection", "close"))
        )
        self.end_headers()

    def _send_body(self, reply: Reply, chunked: bool) -> None:
        for part in reply.body:
            self._send(part, chunked)
        if reply.end == "repeat":
            self._repeat(reply.body[-1])
        elif reply.end == "hang":
            self.server.stopping.wait(5)
        elif reply.end == "done":
            self._send(b"", chunked)

    def _repeat(self, part: bytes) -> None:
        try:
            while not self.server.stopping.wait(0.005):
                self._send(part, True)
        except ConnectionError:
            self.server.client_left.set()

    def _send(self, part: bytes, chunked: bool) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
        self.wfile.flush()


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
