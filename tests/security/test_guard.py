"""The guard around the server: names, origins, methods, passwords, tokens, sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from rag.errors import SettingsError
from rag.web.guard import Access, Guard, Hosts, Proxies, UploadLimits
from rag.web.guard.access import FORGET_SECONDS, MAX_FAILURES
from rag.web.guard.hosts import is_same_origin, parse_host
from rag.web.guard.middleware import MAX_BODY_BYTES
from rag.web.server import address

PASSWORD, TOKEN = "correct horse", "a-token-for-programs"
JSON = {"content-type": "application/json"}


async def echo(request: Request) -> JSONResponse:
    """Says what reached the application."""
    body = await request.body()
    return JSONResponse(
        {"path": request.url.path, "length": len(body), "headers": dict(request.headers)},
        headers={"Access-Control-Allow-Origin": "*", "Server": "secret/1.0"},
    )


async def upload(request: Request) -> PlainTextResponse:
    async with request.form() as form:
        return PlainTextResponse(f"{len(form.getlist('files'))} files")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def guarded(
    folder: Path,
    host: str = "127.0.0.1",
    more: tuple[str, ...] = (),
    access: Access | None = None,
    limits: UploadLimits | None = None,
    base_url: str = "http://127.0.0.1:7860",
    client: tuple[str, int] = ("203.0.113.5", 40_000),
    proxies: str = "",
) -> TestClient:
    """A client of an application that serves everything, behind the guard."""
    routes = [Route("/gradio_api/upload", upload, methods=["POST"])]
    routes += [Route("/{path:path}", echo, methods=["GET", "POST", "DELETE", "OPTIONS"])]
    guard = Guard(
        Starlette(routes=routes),
        Hosts.of(host, more),
        access or Access(),
        folder,
        7860,
        own=[("POST", "/v1/ask"), ("GET", "/v1/documents/.+")],
        limits=limits or UploadLimits(),
        proxies=Proxies.of(proxies),
    )
    return TestClient(guard, base_url=base_url, follow_redirects=False, client=client)


@pytest.fixture
def local(tmp_path: Path) -> TestClient:
    return guarded(tmp_path)


@pytest.fixture
def locked(tmp_path: Path) -> TestClient:
    return guarded(tmp_path, access=Access(PASSWORD, TOKEN))


# Host


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:7860", 200),
        ("localhost:7860", 200),
        ("LOCALHOST", 200),
        ("localhost.", 200),
        ("[::1]:7860", 200),
        ("127.0.0.2", 400),
        ("evil.example", 400),
        ("evil.example:7860", 400),
        ("127.0.0.1.evil.example", 400),
        ("localhost.evil.example", 400),
        ("127.0.0.1@evil.example", 400),
        ("127.0.0.1:7860@evil.example", 400),
        ("192.168.1.5", 400),
        ("0.0.0.0", 400),
        ("127.0.0.1:7860, evil.example", 400),
        ("127.0.0.1 evil.example", 400),
        ("<script>", 400),
        ("", 400),
    ],
)
def test_a_local_server_answers_to_local_names_only(
    local: TestClient, host: str, status: int
) -> None:
    for path in ("/", "/config", "/gradio_api/queue/data", "/v1/documents/a.txt"):
        assert local.get(path, headers={"host": host}).status_code == status, path


@pytest.mark.parametrize("host", ["127.0.0.2", "::1", "localhost"])
def test_a_local_server_answers_at_the_address_that_it_tells(tmp_path: Path, host: str) -> None:
    client = guarded(tmp_path, host, base_url=address(host, 7860))
    assert client.get("/").status_code == 200
    assert client.get("/", headers={"host": "127.0.0.3"}).status_code == 400


def test_two_host_headers_are_refused(local: TestClient) -> None:
    sent: Any = [("host", "127.0.0.1:7860"), ("host", "evil.example")]
    assert local.get("/", headers=sent).status_code == 400


@pytest.mark.parametrize(
    ("host", "status"),
    [("192.168.1.5:7860", 200), ("[fd00::1]", 200), ("docs.example.org", 200), ("evil.org", 400)],
)
def test_an_open_server_answers_to_addresses_and_the_names_it_was_given(
    tmp_path: Path, host: str, status: int
) -> None:
    client = guarded(tmp_path, "0.0.0.0", ("Docs.Example.Org",))
    assert client.get("/", headers={"host": host}).status_code == status


@pytest.mark.parametrize("name", ["https://docs.example.org", "a b", "docs.example.org:443", "<"])
def test_allowed_hosts_must_be_names(name: str) -> None:
    with pytest.raises(SettingsError, match="RAG_ALLOWED_HOSTS names"):
        Hosts.of("127.0.0.1", [name])


def test_host_headers_are_parsed() -> None:
    assert parse_host("Example.org:80") == ("example.org", 80)
    assert parse_host("[::1]") == ("::1", None)
    assert parse_host("a:b") is None
    assert parse_host("a\r\nX: y") is None


# Origin


@pytest.mark.parametrize(
    ("origin", "same"),
    [
        ("http://127.0.0.1:7860", True),
        ("https://127.0.0.1:7860", True),
        ("http://127.0.0.1:7861", False),
        ("http://127.0.0.1", False),
        ("http://localhost:7860", False),
        ("http://evil.example", False),
        ("http://127.0.0.1:7860.evil.example", False),
        ("http://evil.example#127.0.0.1:7860", False),
        ("http://127.0.0.1:7860@evil.example", False),
        ("null", False),
        ("file://", False),
        ("chrome-extension://127.0.0.1:7860", False),
        ("http://127.0.0.1:99999", False),
        ("", False),
    ],
)
def test_only_its_own_pages_may_ask(local: TestClient, origin: str, same: bool) -> None:
    for method, path in (("GET", "/v1/documents/a"), ("POST", "/v1/ask"), ("GET", "/")):
        headers = {"origin": origin, **JSON}
        response = local.request(method, path, headers=headers)
        assert response.status_code == (200 if same else 403), path
        assert "access-control-allow-origin" not in response.headers


def test_default_ports_need_not_be_named() -> None:
    assert is_same_origin("https://docs.example.org", "docs.example.org")
    assert is_same_origin("http://docs.example.org", "docs.example.org:80")
    assert not is_same_origin("http://docs.example.org", "docs.example.org:443")


def test_a_preflight_of_another_origin_gets_no_permission(local: TestClient) -> None:
    asked = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    response = local.options("/v1/ask", headers=asked)
    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    ("path", "mode", "dest", "status"),
    [
        ("/", "navigate", "document", 200),
        ("/", "navigate", "iframe", 403),
        ("/", "no-cors", "image", 403),
        ("/v1/documents/a", "navigate", "document", 403),
        ("/v1/documents/a", "no-cors", "script", 403),
        ("/config", "cors", "empty", 403),
    ],
)
def test_another_site_may_only_link_to_the_page(
    local: TestClient, site: str, path: str, mode: str, dest: str, status: int
) -> None:
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
    assert local.get(path, headers=headers).status_code == status


def test_programs_without_an_origin_may_ask_on_loopback(local: TestClient) -> None:
    assert local.post("/v1/ask", content=b"{}", headers=JSON).json()["length"] == 2


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; application/json",
        "",
    ],
)
def test_what_a_form_of_another_site_can_send_is_not_json(local: TestClient, kind: str) -> None:
    response = local.post("/v1/ask", content=b"{}", headers={"content-type": kind})
    assert response.status_code == 415
    response = local.post("/gradio_api/queue/join", content=b"{}", headers={"content-type": kind})
    assert response.status_code == 415


# What is served


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file/etc/passwd",
        "/file=/etc/passwd",
        "/gradio_api/proxy=http://127.0.0.1/",
        "/gradio_api/run/predict",
        "/gradio_api/call/add",
        "/gradio_api/call/v2/add",
        "/gradio_api/api/add",
        "/gradio_api/component_server",
        "/gradio_api/process_recording",
        "/gradio_api/vibe-edit",
        "/gradio_api/vibe-code/",
        "/gradio_api/stream/x",
        "/gradio_api/deep_link",
        "/gradio_api/runs",
        "/gradio_api/run-history/connect",
        "/gradio_api/openapi.json",
        "/gradio_api/queue/status",
        "/gradio_api/mcp/",
        "/gradio_api/dev/reload",
        "/gradio_api/token",
        "/monitoring",
        "/monitoring/summary",
        "/login",
        "/logout",
        "/openapi.json",
        "/docs",
        "/v1/ask/",
        "/v2/ask",
        "/GRADIO_API/upload",
    ],
)
def test_what_the_page_does_not_need_is_not_served(local: TestClient, path: str) -> None:
    assert local.get(path).status_code == 404
    assert local.post(path, content=b"{}", headers=JSON).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"])
def test_other_methods_are_not_served(local: TestClient, method: str) -> None:
    assert local.request(method, "/v1/ask").status_code == 405
    assert local.request(method, "/").status_code == 405


def test_no_websocket_is_served(local: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect) as caught, local.websocket_connect("/v1/ask"):
        pass
    assert caught.value.code == 1008


def test_headers_that_would_change_addresses_do_not_pass(local: TestClient) -> None:
    sent = {"x-forwarded-host": "evil.example", "x-gradio-server": "http://evil.example"}
    seen = local.get("/", headers={**sent, "x-other": "1"}).json()["headers"]
    assert "x-other" in seen
    assert not seen.keys() & sent.keys()


def test_responses_carry_what_keeps_a_browser_safe(local: TestClient) -> None:
    refused = local.get("/", headers={"host": "evil.example"})
    for response in (local.get("/"), local.get("/nothing"), refused):
        headers = response.headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src-attr"] == "'none'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["base-uri"] == "'self'"
        assert "http" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers
    assert "cache-control" not in local.get("/assets/x.js").headers


def test_a_long_body_is_refused(local: TestClient) -> None:
    fits, too_long = b" " * MAX_BODY_BYTES, b" " * (MAX_BODY_BYTES + 1)
    assert local.post("/v1/ask", content=fits, headers=JSON).json()["length"] == MAX_BODY_BYTES
    assert local.post("/v1/ask", content=too_long, headers=JSON).status_code == 413
    pieces = iter([too_long[:500_000], too_long[500_000:]])
    assert local.post("/v1/ask", content=pieces, headers=JSON).status_code == 413


# Passwords and tokens

GUARDED = ("/", "/config", "/assets/x.js", "/gradio_api/queue/data", "/v1/documents/a.txt")


def log_in(client: TestClient, password: str, **headers: str) -> Any:
    return client.post("/login", data={"password": password}, headers=headers)


def test_without_the_password_nothing_is_served(locked: TestClient) -> None:
    for path in GUARDED:
        assert locked.get(path).status_code == 401, path
    for path in ("/v1/ask", "/gradio_api/queue/join", "/gradio_api/cancel"):
        assert locked.post(path, content=b"{}", headers=JSON).status_code == 401, path
    sent = {"files": ("a.txt", b"x")}
    assert locked.post("/gradio_api/upload", files=sent).status_code == 401
    assert locked.get("/").headers["www-authenticate"] == "Bearer"


def test_a_browser_is_sent_to_the_login_page(locked: TestClient) -> None:
    response = locked.get("/", headers={"accept": "text/html,*/*"})
    assert (response.status_code, response.headers["location"]) == (303, "/login")
    page = locked.get("/login")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "http" not in page.text


def test_the_password_opens_everything_until_logged_out(locked: TestClient) -> None:
    response = log_in(locked, PASSWORD)
    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"]
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    assert PASSWORD not in cookie
    for path in GUARDED:
        assert locked.get(path).status_code == 200, path
    kept = dict(locked.cookies)
    assert locked.post("/logout").headers["location"] == "/login"
    assert locked.get("/").status_code == 401
    locked.cookies.update(kept)
    assert locked.get("/").status_code == 401, "the session has ended on the server too"


def test_the_cookie_is_for_tls_only_behind_a_proxy_with_tls(locked: TestClient) -> None:
    assert "secure" not in log_in(locked, PASSWORD).headers["set-cookie"].lower()
    behind = log_in(locked, PASSWORD, **{"x-forwarded-proto": "https"})
    assert "secure" in behind.headers["set-cookie"].lower()


def test_sessions_are_not_guessed_and_not_chosen(locked: TestClient) -> None:
    for name in ("", "x", PASSWORD, TOKEN, "True"):
        locked.cookies.set("rag-session-7860", name)
        assert locked.get("/").status_code == 401
    locked.cookies.set("rag-session-7860", "chosen")
    log_in(locked, PASSWORD)
    locked.cookies.clear()
    locked.cookies.set("rag-session-7860", "chosen")
    assert locked.get("/").status_code == 401


def test_sessions_end() -> None:
    clock = Clock()
    access = Access(PASSWORD, clock=clock)
    name = access.log_in(PASSWORD, "a")
    assert name is not None
    assert access.is_session(name)
    clock.now = 25 * 3600
    assert not access.is_session(name)


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN} ", 200),
        (f"Bearer {PASSWORD}", 401),
        ("Bearer ", 401),
        ("Bearer None", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
        ("Bearer " + "x" * 10_000, 401),
    ],
)
def test_programs_send_the_token(locked: TestClient, header: str, status: int) -> None:
    response = locked.get("/v1/documents/a.txt", headers={"authorization": header})
    assert response.status_code == status


def test_a_token_in_the_address_is_none(locked: TestClient) -> None:
    for query in (f"token={TOKEN}", f"password={PASSWORD}", f"__sign={TOKEN}"):
        assert locked.get(f"/v1/documents/a.txt?{query}").status_code == 401


@pytest.mark.parametrize(("password", "token"), [(PASSWORD, ""), ("", TOKEN)])
def test_one_secret_serves_for_both(tmp_path: Path, password: str, token: str) -> None:
    client = guarded(tmp_path, access=Access(password, token))
    only = password or token
    assert client.get("/", headers={"authorization": f"Bearer {only}"}).status_code == 200
    assert log_in(client, only).status_code == 303
    assert log_in(client, "").status_code == 401


def test_a_wrong_password_is_told_in_the_same_way_whatever_it_is(locked: TestClient) -> None:
    tries = ["x", PASSWORD[:-1], PASSWORD + " ", PASSWORD.upper(), TOKEN, "\ud800", "x" * 9_000]
    said = {
        (r.status_code, r.text)
        for r in (
            locked.post(
                "/login",
                content=b"password=" + password.encode("utf-8", "replace"),
                headers={"content-type": "application/x-www-form-urlencoded"},
            )
            for password in tries
        )
    }
    assert len(said) == 1
    assert next(iter(said))[0] == 401


def test_guessing_is_slowed_down(tmp_path: Path) -> None:
    clock = Clock()
    access = Access(PASSWORD, TOKEN, clock)
    client = guarded(tmp_path, access=access)
    statuses = [log_in(client, f"guess {n}").status_code for n in range(MAX_FAILURES + 1)]
    assert statuses == [401] * (MAX_FAILURES - 1) + [429, 429]
    late = log_in(client, PASSWORD)
    assert late.status_code == 429, "nor is the right one told from a wrong one now"
    assert late.headers["retry-after"] == str(FORGET_SECONDS)
    for _ in range(MAX_FAILURES):
        client.get("/", headers={"authorization": "Bearer guess"})
    bearer = {"authorization": f"Bearer {TOKEN}"}
    assert client.get("/", headers=bearer).status_code == 429
    elsewhere = guarded(tmp_path, access=access, client=("203.0.113.6", 1))
    assert elsewhere.get("/", headers=bearer).status_code == 200
    clock.now = FORGET_SECONDS + 1
    assert log_in(client, PASSWORD).status_code == 303


def test_who_has_shown_the_token_is_heard_while_others_guess(tmp_path: Path) -> None:
    """Also where they come from the same address."""
    client = guarded(tmp_path, access=Access(PASSWORD, TOKEN))
    bearer = {"authorization": f"Bearer {TOKEN}"}
    for n in range(MAX_FAILURES):
        log_in(client, f"guess {n}")
    assert client.get("/", headers=bearer).status_code == 200, "passwords are another matter"
    for _ in range(10 * MAX_FAILURES):
        wrong = client.get("/", headers={"authorization": "Bearer guess"}).status_code
    assert wrong == 429
    assert client.get("/", headers=bearer).status_code == 200


def test_a_session_goes_on_while_others_guess(tmp_path: Path) -> None:
    client = guarded(tmp_path, access=Access(PASSWORD))
    log_in(client, PASSWORD)
    kept = dict(client.cookies)
    client.cookies.clear()
    for n in range(MAX_FAILURES + 1):
        log_in(client, f"guess {n}")
    client.cookies.update(kept)
    assert client.get("/").status_code == 200


def test_an_ipv6_network_is_one_guesser() -> None:
    access = Access(PASSWORD)
    for n in range(MAX_FAILURES):
        access.log_in("guess", f"2001:db8::{n:x}")
    assert access.is_blocked("password", "2001:db8::ffff")
    assert not access.is_blocked("password", "2001:db8:0:1::1")


def test_many_guessers_keep_nobody_out(tmp_path: Path) -> None:
    access = Access(PASSWORD)
    for n in range(1_000):
        access.log_in("guess", f"10.{n // 65536}.{n // 256 % 256}.{n % 256}")
    assert log_in(guarded(tmp_path, access=access), PASSWORD).status_code == 303


def test_a_client_does_not_choose_where_it_comes_from(tmp_path: Path) -> None:
    """Nor who else is kept out."""
    access = Access(PASSWORD)
    local = guarded(tmp_path, access=access, client=("127.0.0.1", 1))
    statuses = [
        log_in(local, "guess", **{"x-forwarded-for": f"203.0.113.{n}"}).status_code
        for n in range(MAX_FAILURES)
    ]
    assert statuses[-1] == 429
    for n in range(MAX_FAILURES):
        assert not access.is_blocked("password", f"203.0.113.{n}")


def test_behind_a_proxy_each_client_is_a_guesser_of_its_own(tmp_path: Path) -> None:
    access = Access(PASSWORD)
    named = "127.0.0.1, 192.0.2.0/24"
    proxied = guarded(tmp_path, access=access, client=("127.0.0.1", 1), proxies=named)
    for _ in range(MAX_FAILURES):
        log_in(proxied, "guess", **{"x-forwarded-for": "198.51.100.9, 203.0.113.5, 192.0.2.7"})
    for guesser, blocked in (("203.0.113.5", True), ("198.51.100.9", False), ("127.0.0.1", False)):
        assert access.is_blocked("password", guesser) is blocked
    direct = guarded(tmp_path, access=access, client=("203.0.113.7", 1), proxies=named)
    for _ in range(MAX_FAILURES):
        log_in(direct, "guess", **{"x-forwarded-for": "198.51.100.10"})
    assert access.is_blocked("password", "203.0.113.7")
    assert not access.is_blocked("password", "198.51.100.10")


@pytest.mark.parametrize("listed", ["proxy.example.org", "10.0.0.1/8", "127.0.0.1:80"])
def test_trusted_proxies_must_be_addresses(listed: str) -> None:
    with pytest.raises(SettingsError, match="RAG_TRUSTED_PROXIES is"):
        Proxies.of(listed)


@pytest.mark.parametrize("secret", ["x", "1234567"])
def test_a_short_secret_is_refused_without_repeating_it(secret: str) -> None:
    for password, token in ((secret, ""), ("", secret)):
        with pytest.raises(SettingsError, match="too short to be safe") as caught:
            Access(password, token)
        assert secret not in str(caught.value)


def test_secrets_are_not_kept() -> None:
    access = Access(PASSWORD, TOKEN)
    held = f"{access!r} {vars(access)}"
    assert PASSWORD not in held
    assert TOKEN not in held


# Uploads

SMALL = UploadLimits(files=3, file_bytes=1_000, all_bytes=2_000, held_bytes=5_000)


def send_files(client: TestClient, *files: tuple[str, bytes]) -> Any:
    return client.post("/gradio_api/upload", files=[("files", file) for file in files])


@pytest.mark.parametrize(
    ("files", "status", "told"),
    [
        ([("a.txt", b"x" * 1_000)], 200, "1 files"),
        ([("a.txt", b"x"), ("b.txt", b"x"), ("c.txt", b"x")], 200, "3 files"),
        ([("a.txt", b"x" * 1_001)], 400, "The file 'a.txt' has more than 0 MB"),
        ([(f"{n}.txt", b"x" * 900) for n in range(3)], 200, ""),
        ([(f"{n}.txt", b"x") for n in range(4)], 400, "More than 3 files at once"),
        ([("a.txt", b"x" * 9_000)], 413, "An upload of more than 0 MB is not taken."),
        ([("../a.txt", b"x")], 400, "has a name that is a path; rename it"),
        ([("a/b.txt", b"x")], 400, "has a name that is a path"),
        ([("..\\a.txt", b"x")], 400, "has a name that is a path"),
        ([(".env", b"x")], 400, "is a hidden file"),
        ([("NUL.txt", b"x")], 400, "Windows keeps for a device"),
        ([("a\u202etxt.exe", b"x")], 400, "has an invisible character in its name"),
        ([("a.txt", b"x"), ("../b.txt", b"x")], 400, "has a name that is a path"),
        ([("", b"x")], 400, ""),
    ],
)
def test_an_upload_is_checked_while_it_comes_in(
    tmp_path: Path, files: list[tuple[str, bytes]], status: int, told: str
) -> None:
    response = send_files(guarded(tmp_path, limits=SMALL), *files)
    assert response.status_code == status
    assert told in response.text


def test_what_is_refused_is_told_as_text(tmp_path: Path) -> None:
    """The page shows what a refused upload says as markup."""
    name = "<form action=x><b>a</b>.txt\u202e"
    told = send_files(guarded(tmp_path), (name, b"x")).text
    assert "&lt;form action=x&gt;" in told
    assert "<" not in told


@pytest.mark.parametrize(("length", "status"), [(70, 200), (1_000, 400), (5_000, 400)])
def test_a_boundary_that_is_too_long_is_refused(tmp_path: Path, length: int, status: int) -> None:
    client = guarded(tmp_path)
    boundary = "x" * length
    kind = {"content-type": f"multipart/form-data; boundary={boundary}"}
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="a.txt"'
    body = f"{head}\r\n\r\nx\r\n--{boundary}--\r\n".encode()
    assert client.post("/gradio_api/upload", content=body, headers=kind).status_code == status


def test_an_upload_without_a_length_is_counted(tmp_path: Path) -> None:
    client = guarded(tmp_path, limits=SMALL)
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
    pieces = iter([head, *[b"x" * 900] * 10])
    kind = {"content-type": "multipart/form-data; boundary=x"}
    response = client.post("/gradio_api/upload", content=pieces, headers=kind)
    assert response.status_code == 400
    assert "more than 0 MB" in response.text


def test_uploads_wait_while_too_much_is_held(tmp_path: Path) -> None:
    client = guarded(tmp_path, limits=SMALL)
    (tmp_path / "held").write_bytes(b"x" * 6_000)
    response = send_files(client, ("a.txt", b"x"))
    assert response.status_code == 413
    assert "try again in a while" in response.text


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../../etc/passwd",
        "/uploads/../secret.txt",
        "/uploads//etc/passwd",
        "/uploads/link.txt",
        "/uploads/missing.txt",
        "/uploads/",
        "/uploads",
        "{folder}/a.txt",
        "http://127.0.0.1:22/",
        "https://example.org/a.txt",
        "file:///etc/passwd",
        "\0",
        7,
        None,
    ],
)
def test_a_client_names_only_files_that_were_uploaded(tmp_path: Path, path: object) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (uploads / "link.txt").symlink_to(tmp_path / "secret.txt")
    (uploads / "a.txt").write_text("uploaded")
    client = guarded(uploads)

    def join(named: object) -> int:
        file = {"path": named, "meta": {"_type": "gradio.FileData"}}
        body = {"data": [{"x": [[file]]}], "fn_index": 0, "session_hash": "x"}
        return client.post("/gradio_api/queue/join", json=body).status_code

    assert join("/uploads/a.txt") == 200
    assert join(path.format(folder=uploads) if isinstance(path, str) else path) == 400
