"""A Chromium, pages served on loopback, and knowledge bases with a reader that needs no model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from chromium import ARGUMENTS, CHROMIUM, WAIT_MS, Serve, Served, Visit
from fakes_page import WordReader

from rag import KnowledgeBase, Settings
from rag.load.registry import Load
from rag.types import Generator

pytest.importorskip("playwright")
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

expect.set_options(timeout=WAIT_MS)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serve files, given by name and text; ``model=True`` uses the real embedder and reader."""
    from rag.web.app import serve_page

    with ExitStack() as stack:

        def start(
            files: Mapping[str, str | bytes],
            generator: Generator | None = None,
            model: bool = False,
            load: Load | None = None,
            **settings: Any,
        ) -> Served:
            folder = tmp_path / "documents"
            folder.mkdir()
            for name, text in files.items():
                (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
            options: dict[str, Any] = {} if model else {"reader": WordReader()}
            if not model:
                settings["embedder"] = "hashing"
            chosen = Settings(**settings)
            kb = KnowledgeBase(
                tmp_path / "index", chosen, generator=generator, load=load, **options
            )
            stack.callback(kb.close)
            kb.sync(folder)
            urls: list[str] = []
            server = serve_page(kb, port=0, on_ready=urls.append, block=False)
            stack.callback(server.close)
            return Served(kb, f"{urls[0]}/", folder)

        yield start


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open a page; at the end, no request may have gone elsewhere and no script have failed."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(
        url: str, width: int = 1280, height: int = 800, ready: str = "", **options: Any
    ) -> Page:
        size = {"width": width, "height": height}
        context = browser.new_context(viewport=size, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        host = urlsplit(url).netloc

        def check(request: Any) -> None:
            target = urlsplit(request.url)
            if target.scheme not in ("data", "blob") and target.netloc != host:
                faults.append(f"request to {request.url}")

        context.on("request", check)
        page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
        page.set_default_timeout(WAIT_MS)
        page.goto(url)
        if ready:
            page.wait_for_selector(ready)
            return page
        page.wait_for_selector(".log")
        page.wait_for_selector("text=/Documents \\(\\d+\\)/")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: the folder that SCREENSHOTS names."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
