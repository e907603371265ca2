"""The page and the API as they are served: a real server on loopback. Imports Gradio."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fakes_page import WordReader

from rag import KnowledgeBase, Settings
from rag.web.api import make_api
from rag.web.app import serve_page

ONE_REQUEST = httpx.Limits(max_keepalive_connections=0)
"""A connection each: one that is kept may be closed by the server just when it is used."""


@dataclass
class Served:
    """A server, what it answers from and where uploads wait."""

    kb: KnowledgeBase
    http: httpx.Client
    folder: Path
    uploads: Path


@contextmanager
def served(tmp_path: Path, **settings: Any) -> Iterator[Served]:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "whales.txt").write_text("Whales swim near Iceland.\n")
    kb = KnowledgeBase(
        tmp_path / "index", Settings(embedder="hashing", **settings), reader=WordReader()
    )
    urls: list[str] = []
    with kb:
        kb.sync(folder)
        server = serve_page(
            kb, port=0, routes=make_api(kb).routes, on_ready=urls.append, block=False
        )
        uploads = Path(os.environ["GRADIO_TEMP_DIR"])
        try:
            with httpx.Client(base_url=urls[0], timeout=60, limits=ONE_REQUEST) as http:
                yield Served(kb, http, folder, uploads)
        finally:
            server.close()
