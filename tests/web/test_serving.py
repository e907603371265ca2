"""The server while documents are indexed, as a browser uses it: a process of its own over HTTP."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from samples import open_kb, write_folder
from serving import ONE_REQUEST

from rag.web import server as web_server
from rag.web.page.library import SECONDS_TO_END

pytest.importorskip("gradio")

PATIENCE = 120.0
FILES = 600
SECONDS_A_FILE = 0.5
QUESTIONS = 20
NOISE_SECONDS = 0.01
"""A question takes as little with this reader: what the machine does beside must not count."""

SERVER = f"""
import sys, time
from rag.web.app import serve_page
from fakes_page import WordReader
from rag import KnowledgeBase, Settings
from rag.load.registry import load_file
from rag.web.api import make_api

def slow(data, source):
    if source.startswith("slow"):
        time.sleep({SECONDS_A_FILE})
    return load_file(data, source)

settings = Settings(embedder="hashing")
with KnowledgeBase(sys.argv[1], settings, reader=WordReader(), load=slow) as kb:
    serve_page(kb, port=0, routes=make_api(kb).routes, on_ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


@dataclass
class Process:
    """A server of its own, and the folder that it follows."""

    process: subprocess.Popen[str]
    http: httpx.Client
    folder: Path

    def press(self, label: str, session: str) -> None:
        """Press the button of this label, as the page does, and go without looking further."""
        config = self.http.get("/config").json()
        (button,) = [c["id"] for c in config["components"] if c["props"].get("value") == label]
        (wired,) = [d for d in config["dependencies"] if [button, "click"] in d["targets"]]
        body = {
            "data": [None] * len(wired["inputs"]), "fn_index": wired["id"],
            "trigger_id": button, "session_hash": session, "event_data": None,
        }  # fmt: skip
        self.http.post("/gradio_api/queue/join", json=body).raise_for_status()
        with self.http.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as events:
            for line in events.iter_lines():  # until something of the progress is seen
                if "process_generating" in line or "process_completed" in line:
                    break

    def seconds(self) -> float:
        """The median of what questions take."""
        taken = []
        for _ in range(QUESTIONS):
            begun = time.perf_counter()
            answer = self.http.post("/v1/ask", json={"question": "Where do whales swim?"}).json()
            taken.append(time.perf_counter() - begun)
            assert answer["text"] == "Whales swim near Iceland. [1]"
        return statistics.median(taken)

    def until(self, reached: Callable[[dict[str, Any]], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not reached(self.http.get("/v1/status").json()):
            assert time.monotonic() < end
            time.sleep(0.2)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    folder = write_folder(tmp_path / "docs", {"whales.txt": "Whales swim near Iceland.\n"})
    with open_kb(tmp_path / "index") as kb:
        kb.sync(folder)
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path / "index")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stdout
        url = process.stdout.readline().strip()
        with httpx.Client(base_url=url, timeout=PATIENCE, limits=ONE_REQUEST) as http:
            yield Process(process, http, folder)
    finally:
        process.kill()
        process.communicate()


def test_a_client_that_goes_away_holds_nobody_up(server: Process) -> None:
    usual = server.seconds()
    long_text = "Filler about nothing. " * 3000
    write_folder(server.folder, {f"slow{i:03}.txt": f"{i} {long_text}" for i in range(FILES)})
    server.press("Look for changes in the folder", "gone")
    meanwhile = server.seconds()
    assert meanwhile < 2 * usual + NOISE_SECONDS, (meanwhile, usual)
    assert server.http.get("/").status_code == 200
    server.until(lambda status: status["documents"] > 1)  # it goes on though nobody looks

    page = server.http.get("/config").json()
    assert page["dependencies"], "another page can be opened"
    begun = time.monotonic()
    server.process.send_signal(signal.SIGINT)
    out, err = server.process.communicate(timeout=PATIENCE)
    taken = time.monotonic() - begun
    assert (server.process.returncode, out, err) == (0, "ended\n", "")
    assert taken < web_server.SECONDS_TO_END + SECONDS_TO_END + 2, taken


def test_what_is_left_of_an_interrupted_index_is_done_next_time(server: Process) -> None:
    texts = {f"slow{i:03}.txt": f"Topic {i}. " + "Filler. " * 12_000 for i in range(40)}
    write_folder(server.folder, texts)
    server.press("Look for changes in the folder", "gone")
    server.until(lambda status: status["documents"] > 1)
    server.process.send_signal(signal.SIGINT)
    server.process.communicate(timeout=PATIENCE)
    with open_kb(server.folder.parent / "index") as kb:
        assert kb.verify() == []
        assert 1 < len(kb.sources()) < len(texts)
        kb.sync()
        assert kb.sources() == sorted([*texts, "whales.txt"])
