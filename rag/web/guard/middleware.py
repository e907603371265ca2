"""The guard: an ASGI application around another one, which sees only what may pass.

In this order a request must name this server, come from its own page or from no page, ask for
something that is served, be of the right kind and size, and come from somebody who may ask.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.formparsers import MultiPartException
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.web.guard.access import FORGET_SECONDS, SESSION_SECONDS, Access
from rag.web.guard.hosts import Hosts, Proxies, is_same_origin
from rag.web.guard.login import BLOCKED, WRONG, login_page
from rag.web.guard.paths import with_aliases, with_length, without_aliases
from rag.web.guard.uploads import UploadCheck, UploadLimits

MAX_BODY_BYTES = 1_000_000
"""Bytes of a request that is no upload."""

SECONDS_FOR_BODY = 30.0
"""How long such a request may take to arrive."""

UPLOAD = "/gradio_api/upload"
LOGIN, LOGOUT = "/login", "/logout"

_SERVED: tuple[tuple[str, str], ...] = (
    ("GET", r"/"),
    ("GET", r"/(config|theme\.css|favicon\.ico|manifest\.json|robots\.txt)"),
    ("GET", r"/(assets|static|svelte)/.+"),
    ("GET", r"/gradio_api/(info|app_id|startup-events|queue/data|upload_progress)/?"),
    ("GET", r"/gradio_api/heartbeat/[\w-]+"),
    ("POST", r"/gradio_api/(queue/join|cancel|reset|upload)/?"),
)
"""What the page needs of Gradio. All else that Gradio offers is not served: files by path, a proxy,
calls past the queue, functions of components, recordings, the editor, monitoring."""

_POLICY = "; ".join(
    (
        "default-src 'none'",
        # Gradio's page starts with inline scripts and compiles its templates.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "script-src-attr 'none'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'self'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # "no-referrer" would have browsers send the login form with "Origin: null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_NEVER_SENT = (
    "access-control-allow-origin access-control-allow-credentials access-control-allow-methods "
    "access-control-allow-headers access-control-max-age server"
).split()
_NEVER_TAKEN = (b"x-forwarded-host", b"x-gradio-server", b"x-forwarded-prefix")
_UNCHANGING = ("/assets/", "/static/", "/svelte/")


@dataclass(slots=True)
class Guard:
    """Wraps ``app``. ``own`` are patterns of the paths of routes beside Gradio's, with methods.

    ``uploads`` is the folder that holds uploaded files until they are indexed.
    """

    app: ASGIApp
    hosts: Hosts
    access: Access
    uploads: Path
    port: int
    own: Sequence[tuple[str, str]] = ()
    proxies: Proxies = field(default_factory=Proxies)
    limits: UploadLimits = field(default_factory=UploadLimits)
    _served: list[tuple[str, re.Pattern[str]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        served = (*_SERVED, *self.own)
        self._served = [(method, re.compile(pattern)) for method, pattern in served]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI asks."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":  # none is served
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._answer(scope, receive, self._with_headers(scope, send))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is None and scope["path"] in (LOGIN, LOGOUT):
            refusal = await self._sign(scope, headers, receive)
        elif refusal is None:
            refusal = self._unknown_visitor(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if scope["path"].rstrip("/") == UPLOAD:
            if objection := self.limits.objection(headers, self.uploads):
                await Response(objection, 413, media_type="text/plain")(scope, receive, send)
                return
            try:
                receive = UploadCheck(receive, headers, self.limits).receive
            except MultiPartException as error:
                await _said(400, error.message)(scope, receive, send)
                return
        elif scope["method"] == "POST":
            body = await _read(receive)
            if isinstance(body, Response):
                await body(scope, receive, send)
                return
            if scope["path"].startswith("/gradio_api/"):
                named = without_aliases(body, self.uploads)
                if named is None:
                    await _said(400, "That is no uploaded file.")(scope, receive, send)
                    return
                body = named
                scope["headers"] = with_length(scope["headers"], len(body))
            receive = _replay(body, receive)
        if scope["path"].startswith("/gradio_api/"):
            send = with_aliases(send, self.uploads)
        scope["headers"] = [(k, v) for k, v in scope["headers"] if k not in _NEVER_TAKEN]
        await self.app(scope, receive, send)

    # From where, and for what

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """What a request is answered with that must not pass, whoever sent it."""
        method, path = scope["method"], scope["path"]
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.hosts.know(hosts[0]):
            return _said(
                400,
                "This server does not go by that name. Open it by its address, or name it in "
                "RAG_ALLOWED_HOSTS.",
            )
        origin = headers.get("origin")
        if origin is not None and not is_same_origin(origin, hosts[0]):
            return _said(403, "A page of another origin may not ask. (A proxy must pass Host on.)")
        if _is_foreign(headers) and not _is_visit(method, path, headers):
            return _said(403, "A page of another site may not ask.")
        methods = self._methods(path)
        if not methods:
            return _said(404, "Not found.")
        if method not in methods:
            return _said(405, "That method is not served here.", Allow=", ".join(sorted(methods)))
        if method == "POST" and not _is_of_kind(path, headers):
            return _said(415, "The body must be JSON, with Content-Type: application/json.")
        return None

    def _methods(self, path: str) -> set[str]:
        if path in (LOGIN, LOGOUT):
            needed = {"POST"} if path == LOGOUT else {"GET", "HEAD", "POST"}
            return needed if self.access.is_required else set()
        methods = {method for method, pattern in self._served if pattern.fullmatch(path)}
        return methods | ({"HEAD"} if "GET" in methods else set())

    # Who

    def _unknown_visitor(self, scope: Scope, headers: Headers) -> Response | None:
        """What somebody is answered with who has not shown that he may ask; None for others."""
        if not self.access.is_required or self.access.is_session(self._session(headers)):
            return None
        scheme, _, token = headers.get("authorization", "").partition(" ")
        address = self._address(scope, headers)
        if scheme.lower() == "bearer":
            if self.access.is_token(token.strip(), address):
                return None
            if self.access.is_blocked("token", address):
                return _said(429, "Too many wrong tokens.", **{"Retry-After": str(FORGET_SECONDS)})
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            return RedirectResponse(LOGIN, 303)
        return _said(
            401,
            "Log in, or send the token: 'Authorization: Bearer TOKEN'.",
            **{"WWW-Authenticate": "Bearer"},
        )

    async def _sign(self, scope: Scope, headers: Headers, receive: Receive) -> Response:
        """Logging in and out."""
        if scope["path"] == LOGOUT:
            self.access.log_out(self._session(headers))
            response: Response = RedirectResponse(LOGIN, 303)
            response.delete_cookie(self._cookie, httponly=True, samesite="strict")
            return response
        if scope["method"] != "POST":
            return HTMLResponse(login_page())
        body = await _read(receive)
        if isinstance(body, Response):
            return body
        given = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10).get("password", [""])
        address = self._address(scope, headers)
        session = self.access.log_in(given[0], address)
        if session is None and self.access.is_blocked("password", address):
            return HTMLResponse(login_page(BLOCKED), 429, {"Retry-After": str(FORGET_SECONDS)})
        if session is None:
            return HTMLResponse(login_page(WRONG), 401)
        response = RedirectResponse("/", 303)
        secure = scope["scheme"] == "https" or headers.get("x-forwarded-proto") == "https"
        response.set_cookie(
            self._cookie, session, SESSION_SECONDS, httponly=True, samesite="strict", secure=secure
        )
        return response

    def _address(self, scope: Scope, headers: Headers) -> str:
        """Where a request comes from, as the proxies say that are trusted."""
        peer = str((scope.get("client") or ("",))[0])
        return self.proxies.client(peer, ",".join(headers.getlist("x-forwarded-for")))

    @property
    def _cookie(self) -> str:
        """Cookies do not tell ports apart, and two servers may run on one machine."""
        return f"rag-session-{self.port}"

    def _session(self, headers: Headers) -> str:
        try:
            cookies = SimpleCookie("; ".join(headers.getlist("cookie")))
        except CookieError:
            return ""
        return cookies[self._cookie].value if self._cookie in cookies else ""

    # What the browser is told

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in _NEVER_SENT:
                    del headers[name]
                headers.update(SECURITY_HEADERS)
                if not scope["path"].startswith(_UNCHANGING):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        return guarded


def _said(status: int, detail: str, **headers: str) -> Response:
    return JSONResponse({"detail": detail}, status, headers)


def _is_foreign(headers: Headers) -> bool:
    """Whether a browser says that another site's page made it ask."""
    return headers.get("sec-fetch-site", "none") not in ("none", "same-origin")


def _is_visit(method: str, path: str, headers: Headers) -> bool:
    """Whether a user only follows a link to the page, which no script of that site can read."""
    return (
        method == "GET"
        and path in ("/", LOGIN)
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )


def _is_of_kind(path: str, headers: Headers) -> bool:
    """Whether the body is of the kind that the path takes.

    A form of another site can send some kinds, without asking first; JSON is none of them.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if path == LOGOUT:
        return True
    if path == LOGIN:
        return kind == "application/x-www-form-urlencoded"
    if path.rstrip("/") == UPLOAD:
        return kind == "multipart/form-data"
    return kind == "application/json"


async def _read(receive: Receive) -> bytes | Response:
    """The whole body, or what a request is answered with whose body is too long or slow."""
    body = b""
    try:
        async with asyncio.timeout(SECONDS_FOR_BODY):
            while True:
                message = await receive()
                body += bytes(message.get("body", b""))
                if len(body) > MAX_BODY_BYTES:
                    return _said(413, f"The body has more than {MAX_BODY_BYTES:,} bytes.")
                if not message.get("more_body", False):
                    return body
    except TimeoutError:
        return _said(408, "The body did not arrive in time.")


def _replay(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives ``body``, and then what comes after it."""
    messages: Iterable[Message] = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replayed() -> Message:
        for message in messages:
            return message
        return await receive()

    return replayed
