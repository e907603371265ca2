"""What the system sees of a whole run: no connection, no look-up, nothing written elsewhere.

The network guard of the other tests sees Python's sockets; native libraries open their own. Needs
``strace`` (``make test-offline``).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from places import SEEDS

pytestmark = pytest.mark.strace

CALLS = "connect,sendto,sendmsg,sendmmsg,bind,openat,open,creat,mkdir,mkdirat,rename,renameat2"
_ADDRESS = re.compile(r'(?:inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)')
_OPENED_TO_WRITE = re.compile(r"O_(?:WRONLY|RDWR|CREAT).*= \d+<(/[^>]*)>")
_MADE = re.compile(r'mkdir(?:at)?\((?:AT_FDCWD<[^>]*>, )?"(/[^"]+)".*= 0$')
_LOOPBACK = ("127.", "::1")
_DEVICES = ("/dev/", "/proc/", "pipe:", "socket:")

SERVE = """
import os, sys, httpx
from rag.web.app import serve_page
from pathlib import Path
from rag import KnowledgeBase
from rag.web.api import make_api
docs, upload = Path(sys.argv[1]), Path("new.txt")
urls = []
with KnowledgeBase("index") as kb:
    server = serve_page(kb, port=0, routes=make_api(kb).routes, on_ready=urls.append, block=False)
    with httpx.Client(base_url=urls[0], timeout=120) as http:
        assert http.get("/").status_code == 200
        asked = http.post("/v1/ask", json={"question": "How many vehicles did Lexus sell in 2024?"})
        assert asked.json()["citations"], asked.text
        upload.write_text("The harbour of Varn opens at six.")
        sent = http.post("/gradio_api/upload", files=[("files", ("new.txt", upload.read_bytes()))])
        assert sent.status_code == 200
    waiting = Path(os.environ["GRADIO_TEMP_DIR"], sent.json()[0].removeprefix("/uploads/"))
    assert kb.add([waiting]).added == ("new.txt",)
    assert kb.ask("When does the harbour of Varn open?").hits
    assert kb.remove("new.txt").deleted == ("new.txt",)
    server.close()
"""


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Where it all took place, and what the system was asked for from start to end."""
    place = tmp_path_factory.mktemp("offline")
    docs, temporary, home = place / "docs", place / "tmp", place / "home"
    for folder in (docs, temporary, home):
        folder.mkdir()
    for seed in SEEDS.iterdir():
        (docs / seed.name).write_bytes(seed.read_bytes())
    env = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    env |= {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    env["PYTHONPATH"] = str(SEEDS.parent)
    question = "How many vehicles did Lexus sell worldwide in 2024?"
    commands = (
        ["-m", "rag", "index", str(docs)],
        ["-m", "rag", "ask", question],
        ["-c", SERVE, str(docs)],
    )
    lines = []
    for number, command in enumerate(commands):
        log = place / f"{number}.strace"
        traced = ["strace", "-f", "-qq", "-y", "-e", f"trace={CALLS}", "-o", str(log)]
        subprocess.run([*traced, sys.executable, *command], cwd=place, env=env, check=True)
        lines.append(log.read_text("utf-8", "replace"))
    return place, "\n".join(lines)


def test_the_trace_sees_what_it_should(traces: tuple[Path, str]) -> None:
    place, text = traces
    assert str(place / "index" / "knowledge.sqlite") in _OPENED_TO_WRITE.findall(text)
    assert 'sin_addr=inet_addr("127.0.0.1")' in text


def test_no_address_but_loopback_is_used(traces: tuple[Path, str]) -> None:
    _, text = traces
    assert {a for a in _ADDRESS.findall(text) if not a.startswith(_LOOPBACK)} == set()


def test_nothing_is_written_but_index_documents_and_temporary_files(
    traces: tuple[Path, str],
) -> None:
    place, text = traces
    written = {*_OPENED_TO_WRITE.findall(text), *_MADE.findall(text)}
    ours = tuple(str(place / name) for name in ("index", "docs", "tmp", "new.txt"))
    assert {p for p in written if not p.startswith((*ours, *_DEVICES))} == set()
    assert list((place / "home").iterdir()) == []
