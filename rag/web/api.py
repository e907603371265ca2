"""The chat page and a JSON API on one port. Importing this imports FastAPI.

``POST /v1/ask`` and ``POST /v1/search`` take ``{"question": str}`` and give what ``rag ask --json``
and ``rag search --json`` print; ``GET /v1/status`` (with names in the place of paths) and
``GET /v1/documents/SOURCE`` likewise.
``GET /v1/locations/SOURCE?start=&end=`` tells where a quote stands: its pages, and where on them.
``GET /v1/pages/SOURCE?start=&end=&page=`` is such a page as PNG, the quote marked. The chat page's
guards hold for all: on loopback, a request under another host's name is refused, so no site can
reach a local knowledge base through the user's browser.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, BeforeValidator, Field

from rag.answering.compute_slots import IsWanted
from rag.knowledge_base import KnowledgeBase
from rag.web.client_work import ClientWork
from rag.web.http_errors import as_http_errors, without_folders
from rag.web.page_image import page_route

MAX_QUESTION_LENGTH = 10_000
"""Characters; longer ones are refused with status 422."""


def _encodable(value: Any) -> Any:
    """JSON can hold lone surrogates, which no UTF-8 answer could repeat."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


QuestionText = Annotated[
    str, BeforeValidator(_encodable), Field(min_length=1, max_length=MAX_QUESTION_LENGTH)
]


class SearchQuery(BaseModel):
    """What ``POST /v1/search`` takes."""

    question: QuestionText
    k: Annotated[int, Field(ge=1, le=100)] = 5


class AskQuery(BaseModel):
    """What ``POST /v1/ask`` takes; ``history`` is ``[[question, answer text], ...]``."""

    question: QuestionText
    history: list[tuple[str, str]] = []
    answerer: str | None = None


def serve(
    kb: KnowledgeBase,
    host: str,
    port: int,
    on_ready: Callable[[str], None],
    *,
    watch: bool = False,
) -> None:
    """Serve until interrupted; ``on_ready`` gets the address. OSError if the port is taken.

    ``watch`` keeps the index synced with its folders meanwhile.
    """
    from rag.web.app import serve_page

    serve_page(kb, host, port, routes=make_api(kb).routes, on_ready=on_ready, watch=watch)


def _without_paths(status: dict[str, Any]) -> dict[str, Any]:
    """The status for clients: folders by their names, not where they are on this machine."""
    folder = status["folder"]
    return {
        **status,
        "index": Path(status["index"]).name,
        "folder": Path(folder).name if folder else None,
        "folders": [Path(path).name for path in status["folders"]],
        "failed": [{**f, "reason": without_folders(f["reason"])} for f in status["failed"]],
    }


def make_api(kb: KnowledgeBase) -> APIRouter:
    """Return the API's routes, for any FastAPI application."""
    api = APIRouter(prefix="/v1")

    client_work = ClientWork()

    @api.post("/ask")
    async def ask(query: AskQuery, request: Request) -> Any:
        def work(is_wanted: IsWanted) -> dict[str, Any]:
            answer = kb.ask(query.question, query.history, query.answerer, is_wanted=is_wanted)
            return answer.to_dict()

        with as_http_errors():
            return await client_work.run(request, work)

    @api.post("/search")
    async def search(query: SearchQuery, request: Request) -> Any:
        def work(is_wanted: IsWanted) -> list[dict[str, Any]]:
            found = kb.search(query.question, query.k, is_wanted=is_wanted)
            return [hit.to_dict() for hit in found]

        with as_http_errors():
            return await client_work.run(request, work)

    @api.get("/status")
    def status() -> dict[str, Any]:
        with as_http_errors():
            return _without_paths(kb.status())

    @api.get("/documents/{source:path}")
    def document(source: str) -> dict[str, Any]:
        with as_http_errors():
            found = kb.document(source)
        return {"source": source, "title": found.title, "text": found.text, "sha256": found.sha256}

    @api.get("/locations/{source:path}")
    def locations(source: str, start: int, end: int) -> list[dict[str, Any]]:
        with as_http_errors():
            return [location.to_dict() for location in kb.locate(source, start, end)]

    api.routes.append(page_route(kb))
    return api
