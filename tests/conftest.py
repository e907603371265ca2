"""Shared fixtures, and the guard that fails a test which reaches for the network."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rag import KnowledgeBase
from rag.embed import HashingEmbedder, SentenceTransformerEmbedder
from rag.read import SentenceReader

SEEDS = Path(__file__).parent.parent / "seeds"
SEED = "000_4d99796a1b9c3cb8.txt"

_reached: list[str] = []


def _is_local(host: Any) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host if isinstance(host, str) else host.decode()).is_loopback
    except ValueError:
        return False


def _watch_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not _is_local(host):
        _reached.append(str(host))
        raise OSError(f"the tests' network guard refused {host!r}")


sys.addaudithook(_watch_network)


@pytest.fixture(autouse=True)
def reached_hosts() -> Iterator[list[str]]:
    """Fails the test at its end if it tried to reach a host, even if the error was swallowed."""
    _reached.clear()
    yield _reached
    hosts = list(_reached)
    _reached.clear()
    assert not hosts, f"the test tried to reach {hosts}"


@pytest.fixture(autouse=True)
def default_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see none of the user's settings."""
    for name in [name for name in os.environ if name.startswith("RAG_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def model() -> SentenceTransformerEmbedder:
    """The bundled model, loaded once."""
    return SentenceTransformerEmbedder()


@pytest.fixture(scope="session")
def seed_kb(
    model: SentenceTransformerEmbedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KnowledgeBase]:
    """The default knowledge base: the seed document and the bundled model."""
    with KnowledgeBase(tmp_path_factory.mktemp("index"), embedder=model) as kb:
        kb.sync(SEEDS)
        yield kb


MakeKb = Callable[..., KnowledgeBase]


@pytest.fixture
def make_kb(tmp_path: Path) -> Iterator[MakeKb]:
    """Knowledge bases over hashed bags of words; ``folder`` maps file names to texts."""
    made: list[KnowledgeBase] = []

    def make(folder: dict[str, str] | None = None, name: str = "kb") -> KnowledgeBase:
        embedder = HashingEmbedder()
        reader = SentenceReader(embedder)
        kb = KnowledgeBase(tmp_path / name, embedder=embedder, reader=reader)
        made.append(kb)
        if folder is not None:
            write_folder(tmp_path / f"{name}-docs", folder)
            kb.sync(tmp_path / f"{name}-docs")
        return kb

    yield make
    for kb in made:
        kb.close()


def write_folder(folder: Path, files: dict[str, str]) -> Path:
    """Write text files by name, in subfolders where the name has ``/``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder
