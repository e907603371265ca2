"""The JSON API."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes_page import WordReader
from fastapi import FastAPI
from fastapi.testclient import TestClient
from samples import MakeKb, write_folder

from rag import KnowledgeBase, Settings
from rag.answering.compute_slots import LOOK_SECONDS
from rag.load.registry import load_file
from rag.types import Hit, Span
from rag.web.api import MAX_QUESTION_LENGTH, make_api
from rag.web.http_errors import without_folders

TEXT = "Lexus sold 851,200 vehicles worldwide in 2024. Production is expected to begin in 2027."
QUESTION = "How many vehicles did Lexus sell worldwide in 2024?"


@pytest.fixture
def client(make_kb: MakeKb) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(make_api(make_kb({"sub/lexus.txt": TEXT})))
    with TestClient(app) as client:
        yield client


def test_an_answer_is_the_contracts_json(client: TestClient) -> None:
    answer = client.post("/v1/ask", json={"question": QUESTION}).json()
    assert answer["refused"] is False
    citation = answer["citations"][0]
    document = client.get(f"/v1/documents/{citation['source']}").json()
    assert document["sha256"] == citation["sha256"]
    assert document["text"][citation["start"] : citation["end"]] == citation["quote"]
    assert "851,200" in citation["quote"]


def test_a_follow_up_has_its_history(client: TestClient) -> None:
    body = {"question": "And in 2023?", "history": [[QUESTION, "851,200 [1]"]]}
    answer = client.post("/v1/ask", json=body).json()
    assert answer["question"] == "And in 2023?"
    assert answer["hits"][0]["source"] == "sub/lexus.txt"


def test_overviews(client: TestClient) -> None:
    found = client.get("/v1/overview/sub/lexus.txt").json()
    [group] = found["groups"]
    assert [TEXT[s["start"] : s["end"]] for s in group["sentences"]] == [
        s["quote"] for s in group["sentences"]
    ]
    assert group["sentences"][0]["quote"].startswith("Lexus sold")
    assert client.get("/v1/overview").json() == found
    assert client.get("/v1/overview/none.txt").status_code == 404
    answer = client.post("/v1/ask", json={"question": "What is this about?"}).json()
    assert (answer["kind"], answer["confidence"]) == ("overview", 1.0)
    assert [c["quote"] for c in answer["citations"]] == [s["quote"] for s in group["sentences"]]


def test_search_and_status(client: TestClient) -> None:
    hits = client.post("/v1/search", json={"question": "Lexus", "k": 1}).json()
    assert [(hit["source"], hit["text"]) for hit in hits] == [("sub/lexus.txt", TEXT)]
    assert client.get("/v1/status").json()["sources"] == ["sub/lexus.txt"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/ask", {}, 422),
        ("/v1/ask", {"question": ""}, 422),
        ("/v1/ask", {"question": "  "}, 400),
        ("/v1/ask", {"question": "x" * (MAX_QUESTION_LENGTH + 1)}, 422),
        ("/v1/ask", {"question": "Lexus?", "answerer": "llm"}, 400),
        ("/v1/search", {"question": "Lexus", "k": 0}, 422),
    ],
)
def test_what_cannot_be_answered_is_explained(
    client: TestClient, path: str, body: dict[str, object], status: int
) -> None:
    response = client.post(path, json=body)
    assert response.status_code == status
    assert response.json()["detail"]


def test_no_path_of_the_machine_is_told(client: TestClient, tmp_path: Path) -> None:
    status = client.get("/v1/status").json()
    assert (status["index"], status["folder"]) == ("kb", "kb-docs")
    assert status["folders"] == ["kb-docs"]
    assert str(tmp_path) not in client.get("/v1/status").text
    assert without_folders("no index in '/home/me/x/index': sync") == "no index in 'index': sync"
    kept = "no document 'sub/a.txt' at http://127.0.0.1/v1/a; 1/2"
    assert without_folders(kept) == kept


class Gate:
    """Answers as another reader does, once it is opened; counts the questions that it read."""

    name = version = "gate"

    def __init__(self) -> None:
        self.opened, self.count = threading.Event(), 0

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        self.count += 1
        assert self.opened.wait(60)
        return WordReader().read(question, hits)

    def threshold(self, precision: float) -> float:
        return 0.0


def test_what_nobody_waits_for_is_not_begun(tmp_path: Path) -> None:
    """Clients ask and go: only those whose turn has come were worked for."""
    folder = write_folder(tmp_path / "docs", {"whales.txt": "Whales swim near Iceland."})
    gate, others = Gate(), 100
    settings = Settings(embedder="hashing")
    with KnowledgeBase(tmp_path / "index", settings, reader=gate, load=load_file) as kb:
        kb.sync(folder)
        app = FastAPI()
        app.include_router(make_api(kb))
        turns = len(os.sched_getaffinity(0))

        async def ask_and_go() -> int:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
                body = {"question": "Where do whales swim?"}
                gone = [
                    asyncio.create_task(_leaving(app, body, lambda: gate.count < turns))
                    for _ in range(others)
                ]
                while gate.count < turns:
                    await asyncio.sleep(0.01)
                asked = asyncio.create_task(http.post("/v1/ask", json=body))
                await asyncio.sleep(3 * LOOK_SECONDS)  # they have all gone
                gate.opened.set()
                await asyncio.gather(*gone)
                return (await asked).status_code

        assert asyncio.run(ask_and_go()) == 200
    assert gate.count == turns + 1


async def _leaving(app: FastAPI, body: dict[str, str], stays: Callable[[], bool]) -> None:
    """Ask, and go as soon as ``stays`` is false."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False},
        {"type": "http.disconnect"},
    ]
    scope = {
        "type": "http", "method": "POST", "path": "/v1/ask", "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        while len(messages) == 1 and stays():
            await asyncio.sleep(0.01)
        return messages.pop(0) if len(messages) > 1 else messages[0]

    async def send(message: MutableMapping[str, Any]) -> None:
        pass

    await app(scope, receive, send)


def test_a_lone_surrogate_is_replaced(client: TestClient) -> None:
    content = '{"question": "How many \\ud800 vehicles did Lexus sell?"}'
    response = client.post("/v1/ask", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 200
    assert response.json()["question"] == "How many ? vehicles did Lexus sell?"


def test_an_unknown_document_is_not_found(client: TestClient) -> None:
    response = client.get("/v1/documents/../secret.txt")
    assert response.status_code == 404
    assert (
        client.get("/v1/documents/none.txt").json()["detail"].startswith("no document 'none.txt'")
    )
