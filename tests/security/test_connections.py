"""Connections that ask for nothing: a server of its own, with few files to open."""

from __future__ import annotations

import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest
from samples import open_kb, write_folder
from serving import ONE_REQUEST

from rag.web.guard.connections import LINES_PER_MINUTE, SECONDS_FOR_HEADER, RepeatFilter

pytest.importorskip("gradio")

PATIENCE = 120.0
FILES = 256
HALF_OPEN = 300
QUESTION = {"question": "Where do whales swim?"}
PARTS = (b"", b"GET / HTTP/1.1\r\nHost: 127.0", b"POST /v1/ask HTTP/1.1\r\nHost: 127.0.0.1\r\n")

SERVER = """
import sys
import rag.web.guard.connections
from rag.web.app import serve_page
from fakes_page import WordReader
from rag import KnowledgeBase, Settings
from rag.web.api import make_api

rag.web.guard.connections.SECONDS_BETWEEN_PARTS = 4.0

with KnowledgeBase(sys.argv[1], Settings(embedder="hashing"), reader=WordReader()) as kb:
    serve_page(kb, port=0, routes=make_api(kb).routes, on_ready=lambda url: print(url, flush=True))
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served") / "log.txt"


@pytest.fixture(scope="module")
def url(log: Path) -> Iterator[str]:
    tmp_path = log.parent
    folder = write_folder(tmp_path / "docs", {"whales.txt": "Whales swim near Iceland.\n"})
    with open_kb(tmp_path / "index") as kb:
        kb.sync(folder)
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(tmp_path / "index")],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES)),
        )
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        if process.stdout:
            process.stdout.close()


def connect(url: str) -> socket.socket:
    parsed = httpx.URL(url)
    return socket.create_connection((parsed.host, parsed.port or 80), timeout=PATIENCE)


def test_half_open_connections_keep_nobody_out_and_fill_no_log(url: str, log: Path) -> None:
    with ExitStack() as open_ones:
        for number in range(HALF_OPEN):
            connection = open_ones.enter_context(connect(url))
            connection.sendall(PARTS[number % len(PARTS)])
        with httpx.Client(base_url=url, timeout=PATIENCE, limits=ONE_REQUEST) as http:
            for _ in range(3):
                asked = http.post("/v1/ask", json=QUESTION)
                assert asked.status_code == 200, asked.text
                assert asked.json()["text"] == "Whales swim near Iceland. [1]"
        for _ in range(3 * LINES_PER_MINUTE):  # what is no HTTP is logged, but not each time
            with connect(url) as connection:
                connection.sendall(b"\0\r\n\r\n")
                connection.recv(1000)
    assert log.stat().st_size < 20_000, log.read_text()[:2_000]


def test_a_connection_that_sends_no_whole_header_is_closed(url: str) -> None:
    begun = time.monotonic()
    with ExitStack() as open_ones:
        waiting = [open_ones.enter_context(connect(url)) for _ in PARTS]
        for connection, part in zip(waiting, PARTS, strict=True):
            connection.sendall(part)
        for byte in b"X-Slow: 1":  # a byte now and then does not prolong it
            time.sleep(0.5)
            waiting[-1].send(bytes([byte]))
        for connection in waiting:
            with suppress(ConnectionResetError):
                assert connection.recv(1000) == b""
    assert time.monotonic() - begun > SECONDS_FOR_HEADER - 1


def begin_upload(url: str, size: int) -> socket.socket:
    connection = connect(url)
    host = url.partition("//")[2].strip("/")
    connection.sendall(
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: {host}\r\nContent-Length: {size}\r\n"
        "Content-Type: multipart/form-data; boundary=X\r\n\r\n".encode()
    )
    connection.settimeout(0.2)
    return connection


def test_an_upload_that_trickles_is_ended_but_not_a_slow_one(url: str) -> None:
    part = b'--X\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
    body = part + b"x" * 30_000 + b"\r\n--X--\r\n"
    steps = [body[at : at + 600] for at in range(0, len(body), 600)]
    with begin_upload(url, len(body)) as trickling, begin_upload(url, len(body)) as slow:
        ended = 0
        for number, step in enumerate(steps):  # about 3,000 bytes a second, and 5
            slow.sendall(step)
            if not ended:
                try:
                    trickling.sendall(body[number : number + 1])
                    if trickling.recv(1000) == b"":
                        ended = number
                except TimeoutError:
                    continue
                except OSError:
                    ended = number
            time.sleep(0.2)
        slow.settimeout(PATIENCE)
        assert slow.recv(1000).startswith(b"HTTP/1.1 200"), "slow is no fault"
        assert ended > 2 / 0.2, "it had its time"


def test_a_message_is_logged_a_few_times_a_minute() -> None:
    sparing = RepeatFilter()

    def passes(text: str) -> bool:
        return bool(sparing.filter(logging.LogRecord("x", 30, "f", 1, text, None, None)))

    assert [passes("a") for _ in range(LINES_PER_MINUTE + 2)] == [True] * LINES_PER_MINUTE + [
        False
    ] * 2
    assert passes("b")
