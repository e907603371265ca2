"""Serving a Gradio page privately: guarded, on loopback by default, nothing from elsewhere.

Importing this module imports Gradio.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.routing import BaseRoute, Route

from rag.errors import SettingsError
from rag.scratch import ScratchFolder
from rag.settings import Settings
from rag.web.guard import (
    BACKLOG,
    Access,
    Guard,
    Hosts,
    Proxies,
    RepeatFilter,
    TimedProtocol,
    UploadLimits,
    is_loopback,
    max_connections,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

_REPEATS = RepeatFilter()
_SECONDS_TO_START = 60.0
SECONDS_TO_END = 2
"""How long requests that are being answered may take still when the server is closed."""


class Server:
    """A page in service in a thread; :meth:`close` ends it."""

    def __init__(
        self,
        guard: Guard,
        listening: socket.socket,
        uploads: ScratchFolder,
    ) -> None:
        self._uploads = uploads
        config = uvicorn.Config(
            guard,
            http=TimedProtocol,
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=SECONDS_TO_END,
            limit_concurrency=max_connections(),
            backlog=BACKLOG,
        )
        for name in ("uvicorn.error", "asyncio"):
            logging.getLogger(name).addFilter(_REPEATS)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="server", daemon=True
        )
        self._thread.start()
        end = time.monotonic() + _SECONDS_TO_START
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise OSError("the server does not start; its log says why")
            time.sleep(0.01)

    def wait(self) -> None:
        """Until the user interrupts it, or the system asks the program to end: then close it."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            while self._thread.is_alive():
                self._thread.join(0.5)
        except KeyboardInterrupt:
            return

    def close(self) -> None:
        """Answer no more requests, free the port and remove what was uploaded."""
        self._server.should_exit = True
        self._thread.join(SECONDS_TO_END + 3)
        self._uploads.close()


def with_loop(build: Callable[[], T]) -> T:
    """What ``build`` makes, made while an event loop runs: Gradio would leave others unclosed."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:

        async def building() -> T:
            return build()

        return asyncio.run(building())
    return build()


def launch(
    page: gr.Blocks,
    listening: socket.socket,
    settings: Settings,
    uploads: ScratchFolder,
    css: str,
    routes: Sequence[BaseRoute] = (),
) -> Server:
    """Serve ``page``, and ``routes`` beside it, guarded. ``uploads`` as of :func:`uploads_folder`.

    Raises :class:`SettingsError` as :func:`check_exposure` does.
    """
    host, port = listening.getsockname()[:2]
    check_exposure(host, settings)
    if not is_loopback(host):
        logger.warning(
            "Passwords and answers travel unencrypted: serve on loopback behind a proxy with TLS, "
            "or use a tunnel, wherever the network is not your own."
        )
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, routes=list(routes))
    mount = partial(
        gr.mount_gradio_app,
        app,
        page,
        path="/",
        theme=_theme(),
        css=css,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        pwa=False,
        show_error=False,
        max_file_size=UploadLimits().file_bytes,
    )
    with_loop(mount)
    page.has_launched = True  # a mounted page is not marked so, and its paths are not checked then
    guard = Guard(
        app,
        Hosts.of(host, settings.allowed_hosts.replace(",", " ").split()),
        Access(settings.password, settings.token),
        uploads.path,
        port,
        own=[
            (method, route.path_regex.pattern)
            for route in routes
            if isinstance(route, Route)
            for method in route.methods or ()
        ],
        proxies=Proxies.of(settings.trusted_proxies),
    )
    return Server(guard, listening, uploads)


def check_exposure(host: str, settings: Settings) -> None:
    """Raise :class:`SettingsError` where others can reach the server and anybody may ask it."""
    Access(settings.password, settings.token)  # complains about short ones
    if is_loopback(host) and not settings.allowed_hosts:
        return
    if not (settings.password or settings.token):
        where = f"at {host!r}" if not is_loopback(host) else "under the names of RAG_ALLOWED_HOSTS"
        raise SettingsError(
            f"others can reach a server {where}, so it needs a password: set RAG_PASSWORD for the "
            "page and RAG_TOKEN for programs, or one of them for both, to at least 8 characters "
            "(python -c 'import secrets; print(secrets.token_urlsafe())' makes one)"
        )


def uploads_folder() -> ScratchFolder:
    """Return a folder, for this user alone, for uploads of the pages that are built from now on.

    What killed servers have left of theirs is removed.
    """
    folder = ScratchFolder(Path(tempfile.gettempdir()), "rag-uploads-")
    os.environ["GRADIO_TEMP_DIR"] = str(folder.path)
    return folder


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens there. Raises OSError, with what to do, if none can."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        other = "take another port, as in --port 8000 or make run PORT=8000"
        raise OSError(f"cannot serve at {host}:{port} ({why}): {other}") from None


def address(host: str, port: int) -> str:
    """Tell where to open a server that listens on ``host``."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def take_uploads(files: Sequence[Path]) -> tuple[Path, list[Path]]:
    """Move uploaded files, one at least, out of Gradio's reach, which removes those that grow old.

    Returns a new folder, to be removed in the end, and the files in it. One that is gone was taken
    a moment ago: Gradio keeps what is uploaded twice, under one name, once.
    """
    root = files[0].parents[1]
    folder = Path(tempfile.mkdtemp(prefix="taken-", dir=root))
    taken = []
    for number, file in enumerate(files):
        target = folder / str(number) / file.name
        target.parent.mkdir()
        with contextlib.suppress(FileNotFoundError):
            taken.append(file.rename(target))
        with contextlib.suppress(OSError):  # it holds another file of the same content
            file.parent.rmdir()
    for stray in root.glob("tmp*"):  # made by ``gr.File``, and not used
        with contextlib.suppress(OSError):
            if stray.is_file() and stray.stat().st_size == 0:
                stray.unlink()
    return folder, taken


def _theme() -> gr.themes.Base:
    sans = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
    mono = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
    theme = gr.themes.Base(primary_hue="blue", neutral_hue="slate", font=sans, font_mono=mono)
    return theme.set(  # white on these is legible (WCAG AA)
        button_primary_background_fill="var(--button)",
        button_primary_background_fill_hover="var(--button-hover)",
        button_primary_background_fill_dark="var(--button)",
        button_primary_background_fill_hover_dark="var(--button-hover)",
        input_placeholder_color="var(--placeholder)",
        input_placeholder_color_dark="var(--placeholder)",
    )
