"""The page and the API as they are served: one real server on loopback, attacked over HTTP."""

from __future__ import annotations

import html
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag import Settings
from rag.errors import SettingsError

pytest.importorskip("gradio")
from places import ROOT
from serving import Served, served

from rag.web import server as web_server

pytestmark = [
    # Gradio's queue uses what the newest pandas is about to drop.
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
CANARY = "canary-4d1f9a"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOME_SERVICE_KEY", CANARY)
        with served(tmp_path_factory.mktemp("local")) as site:
            yield site


def config(site: Served) -> dict[str, Any]:
    got: dict[str, Any] = site.http.get("/config").json()
    return got


def join(site: Served, trigger: str, data: list[Any], event: Any = None) -> list[dict[str, Any]]:
    """Have the page do what a button does; its answers as the browser gets them."""
    settings = config(site)
    names = {c["id"]: c["props"].get("elem_id") for c in settings["components"]}
    (function,) = (
        d
        for d in settings["dependencies"]
        if any(f"{names.get(i)}.{e}" == trigger for i, e in d["targets"])
    )
    body = {
        "data": data,
        "event_data": event,
        "fn_index": function["id"],
        "session_hash": "abc123",
        "trigger_id": function["targets"][0][0],
    }
    response = site.http.post("/gradio_api/queue/join", json=body)
    if response.status_code != 200:
        return [{"status": response.status_code, **response.json()}]
    messages = []
    with site.http.stream("GET", "/gradio_api/queue/data?session_hash=abc123") as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                messages.append(json.loads(line[6:]))
                if messages[-1]["msg"] in ("process_completed", "close_stream"):
                    break
    return messages


def send(site: Served, name: str, data: bytes) -> str:
    """Upload a file; the path that the server gives it."""
    response = site.http.post("/gradio_api/upload", files=[("files", (name, data))])
    assert response.status_code == 200, response.text
    (path,) = response.json()
    return str(path)


def stored(site: Served, path: str) -> Path:
    """The file that an upload was told as ``path``."""
    return site.uploads / path.removeprefix("/uploads/")


def file_data(path: str) -> dict[str, Any]:
    return {"path": path, "orig_name": Path(path).name, "meta": {"_type": "gradio.FileData"}}


def add(site: Served, path: str) -> list[dict[str, Any]]:
    """Have an uploaded file indexed; what the page shows in the end, or why it is refused."""
    answers = join(site, "upload.upload", [[file_data(path)]])
    end = time.monotonic() + 60
    while "data-look" in json.dumps(answers):
        assert time.monotonic() < end
        time.sleep(0.1)
        answers = join(site, "status.look", [None, "", None])
    return answers


# What it gives away


def test_the_page_and_the_api_answer(local: Served) -> None:
    page = local.http.get("/")
    assert page.status_code == 200
    assert "Ask your documents" in page.text
    asked = local.http.post("/v1/ask", json={"question": "Where do whales swim?"})
    assert asked.json()["citations"][0]["quote"] == "Whales swim near Iceland."


def test_no_route_gives_the_environment_or_a_path_of_the_machine(local: Served) -> None:
    pages = ("/", "/config", "/gradio_api/info", "/theme.css", "/manifest.json", "/v1/status")
    for path in pages:
        text = local.http.get(path).text
        assert CANARY not in text, path
        assert str(local.folder.parent) not in text, path
        assert str(Path.home()) not in text or str(Path.home()) == "/", path
        assert sys.prefix not in text, path


def test_every_route_of_gradio_is_either_needed_or_not_served(local: Served) -> None:
    """Also those of versions to come: what this test does not list must not be served."""
    import gradio.routes

    source = Path(gradio.routes.__file__).read_text(encoding="utf-8")
    paths = set(
        re.findall(r'@(?:app|router)\.(?:get|post|head|put|delete)\(\s*f?"([^"]+)"', source)
    )
    assert len(paths) > 50, "the expression does not fit Gradio's source any more"
    filled = {re.sub(r"\{[^}]*\}", "x", path) for path in paths} - {"/x", "/x/"}
    answered = set()
    for path in sorted({p for f in filled for p in (f, f"/gradio_api{f}")}):
        if "heartbeat" in path or path.endswith(("queue/data", "upload_progress")):
            continue  # streams without end
        for method in ("GET", "POST"):
            response = local.http.request(method, path, json={})
            if "Not found." not in response.text and response.status_code != 405:
                answered.add(f"{method} {path}")
    assert answered <= {
        "GET /",
        "GET /config",
        "GET /theme.css",
        "GET /favicon.ico",
        "GET /manifest.json",
        "GET /robots.txt",
        "GET /assets/x",
        "GET /static/x",
        "GET /svelte/x",
        "GET /gradio_api/",
        "GET /gradio_api/app_id",
        "GET /gradio_api/app_id/",
        "GET /gradio_api/info",
        "GET /gradio_api/info/",
        "GET /gradio_api/startup-events",
        "POST /gradio_api/cancel",
        "POST /gradio_api/queue/join",
        "POST /gradio_api/reset",
        "POST /gradio_api/reset/",
        "POST /gradio_api/upload",
    }
    assert "POST /gradio_api/queue/join" in answered


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../../etc/passwd",
        "/static/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/static/%2e%2e/%2e%2e/routes.py",
        "/assets//etc/passwd",
        "/assets/%2fetc%2fpasswd",
        "/svelte/..%5c..%5croutes.py",
        "/v1/documents/../../../../etc/passwd",
        "/v1/documents/%2fetc%2fpasswd",
        "/v1/documents/..%2findex%2fknowledge.sqlite",
    ],
)
def test_no_path_leaves_its_folder(local: Served, path: str) -> None:
    host, port = str(local.http.base_url.host), local.http.base_url.port
    with socket.create_connection((host, port), timeout=30) as raw:  # no client mends the path
        raw.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b""
        while piece := raw.recv(65_536):
            answer += piece
    assert answer.split(b" ", 2)[1] in (b"403", b"404"), answer[:200]
    assert b"root:" not in answer


def test_errors_tell_nothing_of_the_inside(local: Served) -> None:
    broken = (
        ("POST", "/v1/ask", b"{"),
        ("POST", "/v1/ask", b'{"question": 7}'),
        ("POST", "/v1/ask", b'{"question": "x", "history": "y"}'),
        ("POST", "/gradio_api/queue/join", b'{"data": [], "fn_index": 99999, "session_hash": "x"}'),
        ("POST", "/gradio_api/queue/join", b"[" * 100_000),
        ("POST", "/gradio_api/cancel", b"{}"),
        ("GET", "/v1/documents/%00", b""),
        ("GET", "/v1/documents/" + "x" * 10_000, b""),
        ("GET", "/?deep_link=../../x", b""),
    )
    for method, path, body in broken:
        response = local.http.request(
            method, path, content=body, headers={"content-type": "application/json"}
        )
        for inside in ("Traceback", "site-packages", 'File "', str(local.folder.parent)):
            assert inside not in response.text, path


def test_another_sites_page_changes_nothing(local: Served) -> None:
    path = send(local, "orcas.txt", b"Orcas hunt.\n")
    before = local.kb.sources()
    with httpx.Client(
        base_url=local.http.base_url, headers={"Origin": "http://evil.example"}
    ) as foreign:
        evil = Served(local.kb, foreign, local.folder, local.uploads)
        assert foreign.get("/config").status_code == 403
        body = {"data": [[file_data(path)], None, ""], "fn_index": 0, "session_hash": "x"}
        assert foreign.post("/gradio_api/queue/join", json=body).status_code == 403
        files = {"files": ("a.txt", b"x")}
        assert foreign.post("/gradio_api/upload", files=files).status_code == 403
        assert foreign.post("/v1/ask", json={"question": "x"}).status_code == 403
        assert evil.kb.sources() == before
    stored(local, path).unlink()


# Uploads


def test_an_upload_becomes_a_document_and_leaves_nothing_behind(local: Served) -> None:
    path = send(local, "orca notes (1).txt", b"Orcas hunt.\n")
    assert stored(local, path).is_file()
    assert local.uploads.stat().st_mode & 0o077 == 0
    messages = add(local, path)
    assert messages[-1]["success"], messages
    assert str(local.uploads) not in json.dumps(messages)
    assert "Added orca notes (1).txt." in json.dumps(messages)
    assert (local.folder / "orca notes (1).txt").read_bytes() == b"Orcas hunt.\n"
    assert [p for p in local.uploads.rglob("*") if p.is_file()] == []


def test_what_cannot_be_read_is_refused_before_it_is_stored(local: Served) -> None:
    path = send(local, "picture.png", b"\x89PNG\r\n\x1a\n" + bytes(100))
    shown = json.dumps(add(local, path))
    assert "picture.png" in shown
    assert "is a PNG image" in shown
    assert not (local.folder / "picture.png").exists()
    assert not stored(local, path).exists()


def test_a_name_that_looks_like_another_is_refused(local: Served) -> None:
    (local.folder / "Äpfel.txt").write_text("Apples.\n")
    answers = add(local, send(local, "äpfel.txt", b"Pears.\n"))
    shown = html.unescape(json.dumps(answers, ensure_ascii=False))
    assert "is named like 'Äpfel.txt'" in shown
    assert sorted(p.name for p in local.folder.glob("*pfel*")) == ["Äpfel.txt"]


@pytest.mark.parametrize("path", ["/etc/passwd", "{index}/knowledge.sqlite", "{docs}/whales.txt"])
def test_a_client_cannot_have_a_file_of_the_server_added(local: Served, path: str) -> None:
    named = path.format(index=local.kb.path, docs=local.folder)
    before = local.kb.sources()
    (answer,) = add(local, named)
    assert answer == {"status": 400, "detail": "That is no uploaded file."}
    assert local.kb.sources() == before
    assert Path(named).exists(), "it was not removed either"


def test_a_client_cannot_have_the_server_fetch_an_address(local: Served) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.5)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/a.txt"
        assert add(local, url)[0]["status"] == 400
        file = {**file_data(send(local, "b.txt", b"Bears.\n")), "url": url}
        join(local, "upload.upload", [[file]])
        with pytest.raises(TimeoutError):
            listening.accept()


def test_gradio_itself_refuses_files_of_the_server(local: Served) -> None:
    """Should the guard's own check ever be passed by."""
    import gradio
    from gradio.context import LocalContext
    from gradio.exceptions import InvalidPathError
    from gradio.processing_utils import _check_allowed

    page = web_server.with_loop(gradio.Blocks)
    listening = web_server.bind("127.0.0.1", 0)
    server = web_server.launch(page, listening, Settings(), web_server.uploads_folder(), css="")
    token = LocalContext.blocks.set(page)
    try:
        with pytest.raises(InvalidPathError):
            _check_allowed("/etc/passwd", check_in_upload_folder=True)
    finally:
        LocalContext.blocks.reset(token)
        server.close()


# Passwords


def test_with_a_password_the_page_asks_for_it(tmp_path: Path) -> None:
    with served(tmp_path, password="correct horse", token="token-of-programs") as site:
        assert site.http.get("/config").status_code == 401
        assert site.http.post("/v1/ask", json={"question": "x"}).status_code == 401
        assert site.http.get("/", headers={"accept": "text/html"}).headers["location"] == "/login"
        bearer = {"authorization": "Bearer token-of-programs"}
        question = {"question": "Where do whales swim?"}
        assert site.http.post("/v1/ask", json=question, headers=bearer).json()["refused"] is False
        assert site.http.post("/login", data={"password": "correct horse"}).status_code == 303
        page = site.http.get("/")
        assert "Ask your documents" in page.text
        for text in (page.text, site.http.get("/config").text, site.http.get("/v1/status").text):
            assert "correct horse" not in text
            assert "token-of-programs" not in text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "docs.example.org"])
def test_others_are_let_in_only_with_a_password(host: str) -> None:
    with pytest.raises(SettingsError, match="needs a password: set RAG_PASSWORD"):
        web_server.check_exposure(host, Settings())
    web_server.check_exposure(host, Settings(token="long enough"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_on_loopback_none_is_needed(host: str) -> None:
    web_server.check_exposure(host, Settings())
    with pytest.raises(SettingsError, match="under the names of RAG_ALLOWED_HOSTS"):
        web_server.check_exposure(host, Settings(allowed_hosts="docs.example.org"))


def test_the_command_refuses_to_serve_openly(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAG_")}
    for program in (["-m", "rag", "serve"], ["ui.py"]):
        result = subprocess.run(
            [sys.executable, *program, "--host", "0.0.0.0", "--index", str(tmp_path / "index")],
            env={**environment, "RAG_EMBEDDER": "hashing"},
            capture_output=True,
            text=True,
            timeout=300,
            cwd=ROOT,
        )
        assert result.returncode == 1
        assert "needs a password: set RAG_PASSWORD" in result.stderr
        assert result.stderr.count("\n") == 1


def test_uploads_go_when_the_server_is_told_to_end(tmp_path: Path) -> None:
    environment = {**os.environ, "RAG_EMBEDDER": "hashing", "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", "rag", "serve", "--port", "7917", "--index", str(tmp_path / "i")],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as server:
        assert server.stdout is not None
        assert "Serving" in server.stdout.readline()
        url = "http://127.0.0.1:7917/gradio_api/upload"
        assert httpx.post(url, files={"files": ("a.txt", b"x")}).status_code == 200
        assert list(tmp_path.glob("rag-uploads-*/*/a.txt"))
        time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
    assert not list(tmp_path.glob("rag-uploads-*"))
