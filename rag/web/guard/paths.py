"""Paths of uploaded files: clients are told, and name, an alias; only here it becomes a path.

Gradio answers an upload with the paths of the files, and the page sends them back. A client has no
use for where they are on this machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from starlette.types import Message, Send

ALIAS = "/uploads"
"""What clients know the folder of uploaded files by."""

RawHeaders = Iterable[tuple[bytes, bytes]]


def without_aliases(body: bytes, folder: Path) -> bytes | None:
    """A request to the page with the paths that its aliases stand for.

    None if it names a file that was not uploaded to ``folder``: Gradio's components take files as
    ``{"path": ...}``, and some fetch an address given there. A body that is no JSON names none; it
    is refused further on.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return body
    root = folder.resolve()
    files = _files(value)
    if not files:
        return body
    for file in files:
        path = _uploaded(file["path"], root)
        if path is None:
            return None
        file["path"] = str(path)
    return json.dumps(value).encode()


def with_length(headers: RawHeaders, length: int) -> list[tuple[bytes, bytes]]:
    """The headers of a request whose body has ``length`` bytes."""
    others = [(name, value) for name, value in headers if name != b"content-length"]
    return [*others, (b"content-length", str(length).encode())]


def with_aliases(send: Send, folder: Path) -> Send:
    """A ``send`` that puts aliases in the place of paths in what the page is answered."""
    path = json.dumps(str(folder), ensure_ascii=False)[1:-1].encode()
    start: Message | None = None
    body = b""

    async def aliased(message: Message) -> None:
        nonlocal start, body
        if message["type"] == "http.response.start" and _has_length(message["headers"]):
            start = message
        elif start is not None:
            body += message.get("body", b"")
            if not message.get("more_body", False):
                body = body.replace(path, ALIAS.encode())
                await send({**start, "headers": with_length(start["headers"], len(body))})
                await send({**message, "body": body})
        elif message["type"] == "http.response.body":  # of a stream, event by event
            await send({**message, "body": message.get("body", b"").replace(path, ALIAS.encode())})
        else:
            await send(message)

    return aliased


def _has_length(headers: RawHeaders) -> bool:
    return any(name == b"content-length" for name, _ in headers)


def _files(value: Any) -> list[dict[str, Any]]:
    """All that is given as a file in JSON."""
    found = []
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
            if "path" in value:
                found.append(value)
        elif isinstance(value, list):
            waiting.extend(value)
    return found


def _uploaded(named: object, root: Path) -> Path | None:
    """The uploaded file that a client names by its alias; None if it is none."""
    text = str(named)
    if not text.startswith(f"{ALIAS}/"):
        return None
    try:
        file = (root / text.removeprefix(f"{ALIAS}/")).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):  # none there, a loop of links, a NUL
        return None
    return file if file.is_file() and file.is_relative_to(root) else None
