"""``GET /v1/pages/SOURCE?start=0&end=9&page=1``: a page of a document as PNG, the span marked.

Apart from the rest of the API, for the chat page needs it too. Importing this imports Starlette.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rag.knowledge_base import KnowledgeBase
from rag.web.http_errors import as_http_errors

PATH = "/v1/pages/"


def page_route(kb: KnowledgeBase) -> Route:
    """Return the route, for any Starlette or FastAPI application."""

    def page(request: Request) -> Response:
        source = request.path_params["source"]
        start, end = (_number(request, name) for name in ("start", "end"))
        number = _number(request, "page") if "page" in request.query_params else None
        with as_http_errors():
            image = kb.page_image(source, start, end, number)
        if image is None:
            raise HTTPException(404, f"no page of {source!r} can be shown")
        # A deleted document must not live on in the browser.
        return Response(image.png, media_type="image/png", headers={"Cache-Control": "no-store"})

    return Route(PATH + "{source:path}", page)


def _number(request: Request, name: str) -> int:
    value = request.query_params.get(name, "")
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise HTTPException(422, f"{name} is {value!r}: give a number")
    return int(value)
