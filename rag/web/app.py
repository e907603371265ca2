"""The chat page in service: ``rag.web.page`` behind the guard, alone or with routes beside it.

Importing this module imports Gradio, which is slow; do it only to serve the page.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

from starlette.routing import BaseRoute

from rag.errors import RagError
from rag.web import server as web_server
from rag.web.page import Page
from rag.web.page.components import style
from rag.web.page_image import page_route

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase

logger = logging.getLogger(__name__)


def serve_page(
    kb: KnowledgeBase,
    host: str = "127.0.0.1",
    port: int = 7860,
    *,
    routes: Sequence[BaseRoute] | None = None,
    on_ready: Callable[[str], None] = lambda url: None,
    block: bool = True,
    watch: bool = False,
) -> web_server.Server:
    """Serve the page, and ``routes`` beside it; with ``block`` until interrupted.

    ``routes`` must have the one of ``rag.web.page_image``, which is alone there if none are given.
    ``watch`` turns its switch on: changes in the folders are taken up by themselves.
    ``on_ready`` is called with the address once it answers. Raises OSError if the port is taken,
    and :class:`SettingsError` for a server that others could reach without a password.
    """
    web_server.check_exposure(host, kb.settings)
    kb.require_readable()
    listening = web_server.bind(host, port)
    uploads = web_server.uploads_folder()
    page = Page(kb)
    blocks = web_server.with_loop(page.build)
    threading.Thread(target=_warm, args=(kb,), daemon=True).start()
    if watch:
        page.library.watcher.start()
    beside = [page_route(kb)] if routes is None else routes
    server = None
    try:
        server = web_server.launch(
            blocks, listening, kb.settings, uploads, css=style(), routes=beside
        )
        on_ready(web_server.address(host, listening.getsockname()[1]))
        if block:
            server.wait()
    finally:
        if block:
            page.library.close()
            if server:
                server.close()
    return server


def _warm(kb: KnowledgeBase) -> None:
    try:
        kb.warm()
    except RagError as error:  # the first question will say so on the page
        logger.warning("%s", error)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page over an index; returns the exit code."""
    parser = argparse.ArgumentParser(prog="ui.py", description="Serve the chat page.")
    parser.add_argument("--index", default="index", help="folder of the index (default: index)")
    parser.add_argument("--host", default="127.0.0.1", help="address (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=7860, help="port (default: 7860)")
    options = parser.parse_args(arguments)
    from rag.knowledge_base import KnowledgeBase
    from rag.settings import Settings

    try:
        with KnowledgeBase(options.index, Settings.from_env(os.environ)) as kb:
            serve_page(
                kb,
                options.host,
                options.port,
                on_ready=lambda url: print(f"Serving {options.index} at {url}", flush=True),
            )
    except (RagError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the server took over: an end that was asked for
        pass
    return 0
