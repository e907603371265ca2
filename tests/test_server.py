"""The JSON API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from helpers import MakeKb

from rag.server import LONGEST_QUESTION, make_api

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
        ("/v1/ask", {"question": "x" * (LONGEST_QUESTION + 1)}, 422),
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
