"""A page that draws slowly: who asks for it again and again keeps nobody else waiting."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import fakes_hostile
import httpx
import pytest
from load_pdf import make_pdf, make_slow_pdf, text
from samples import open_kb, write_folder
from serving import ONE_REQUEST

from rag.errors import BusyError, LoadError
from rag.sandbox.isolated import Limits
from rag.viewer.pages import MAX_WAITING, IsolatedPages, PageRequest, Piece, _as_json

pytest.importorskip("gradio")

PATIENCE = 120.0
REQUESTS = 45
SECONDS_TO_END = 10.0
WHALE = make_pdf(text(100, 700, "The whale is blue."))

SERVER = """
import sys
from rag.web.app import serve_page
from fakes_page import WordReader
from rag import KnowledgeBase, Settings
from rag.web.api import make_api

with KnowledgeBase(sys.argv[1], Settings(embedder="hashing"), reader=WordReader()) as kb:
    serve_page(kb, port=0, routes=make_api(kb).routes, on_ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


def asked(page: int = 1, start: int = 0) -> str:
    return _as_json(PageRequest("a.pdf", "a.pdf", (Piece(page, "a text", start, 6),), draw=True))


def test_a_page_that_failed_is_not_drawn_again_for_a_while() -> None:
    with IsolatedPages(Limits(seconds=1.0), fakes_hostile.draw_slowly) as show:
        begun = time.monotonic()
        with pytest.raises(LoadError, match="not read within 1 s"):
            show(WHALE, asked())
        first = time.monotonic() - begun
        begun = time.monotonic()
        for start in range(5):
            with pytest.raises(LoadError, match="not read within 1 s"):
                show(WHALE, asked(start=start))
        assert time.monotonic() - begun < first / 2
        assert show._worker is None, "none was started for it"


def test_closing_ends_what_is_drawn_and_those_who_wait() -> None:
    show = IsolatedPages(Limits(), fakes_hostile.draw_slowly)
    told: list[str] = []

    def ask(page: int) -> None:
        try:
            show(WHALE, asked(page))
        except BusyError as error:
            told.append(str(error))

    waiting = [threading.Thread(target=ask, args=(page,)) for page in range(MAX_WAITING)]
    for thread in waiting:
        thread.start()
    while show._worker is None or show._places._value:
        time.sleep(0.01)
    with pytest.raises(BusyError, match="too many pages"):
        show(WHALE, asked(100))
    show.close()
    for thread in waiting:
        thread.join(PATIENCE)
    assert told == ["the program is ending: ask again later"] * MAX_WAITING


def test_a_small_file_that_draws_slowly_blocks_nothing_else_and_not_the_end(
    tmp_path: Path,
) -> None:
    slow = make_slow_pdf("The whale is blue.")
    assert len(slow) < 1_000
    files: dict[str, str | bytes] = {"whales.txt": "Whales swim near Iceland.\n", "a.pdf": slow}
    with open_kb(tmp_path / "index") as kb:
        assert kb.sync(write_folder(tmp_path / "docs", files)).added == ("a.pdf", "whales.txt")
    assert seconds_to_end_while_drawing(tmp_path / "index") < SECONDS_TO_END


def seconds_to_end_while_drawing(index: Path) -> float:
    """Serve the index, ask for its slow page many times and for an answer, and end the server."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(index)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    url = process.stdout.readline().strip()
    page = f"{url}/v1/pages/a.pdf?start=4&end=9&page=1"
    refused: list[httpx.Response] = []

    def ask(_: int) -> None:
        with suppress(httpx.HTTPError):  # it was drawn until the server ended
            refused.append(httpx.get(page, timeout=PATIENCE))

    try:
        with ThreadPoolExecutor(REQUESTS) as pool:
            pool.map(ask, range(REQUESTS))
            while len(refused) < REQUESTS - MAX_WAITING:
                time.sleep(0.05)
            with httpx.Client(base_url=url, timeout=PATIENCE, limits=ONE_REQUEST) as http:
                asked = http.post("/v1/ask", json={"question": "Where do whales swim?"})
                assert asked.json()["text"] == "Whales swim near Iceland. [1]"
            assert {answer.status_code for answer in refused} == {503}
            assert all(int(answer.headers["retry-after"]) for answer in refused)
            process.send_signal(signal.SIGTERM)
            begun = time.monotonic()
            assert process.communicate(timeout=PATIENCE)[0] == "ended\n"
            return time.monotonic() - begun
    finally:
        process.kill()
        process.communicate()
