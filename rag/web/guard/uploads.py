"""How much: the sizes, the number and the names of uploaded files, checked as they come in."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive

from rag.errors import LoadError
from rag.indexing.file_names import checked_name

MEGABYTE = 1_000_000
_OVERHEAD = 1_000
"""Bytes of a multipart form around each file, at most."""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What one upload may hold: files, and bytes of each and of all.

    ``held_bytes`` is what uploads that are not yet indexed may take on the disk together.
    """

    files: int = 100
    file_bytes: int = 100 * MEGABYTE
    all_bytes: int = 500 * MEGABYTE
    held_bytes: int = 2_000 * MEGABYTE

    def objection(self, headers: Headers, folder: Path) -> str:
        """Why an upload with these headers is refused before it is read; "" if it is not."""
        most = self.all_bytes + self.files * _OVERHEAD
        if int(headers.get("content-length", 0)) > most:
            return f"An upload of more than {self.all_bytes / MEGABYTE:,.0f} MB is not taken."
        if _size(folder) > self.held_bytes:
            return "Other uploads are waiting to be indexed: try again in a while."
        return ""


class UploadCheck:
    """Looks at a multipart form while it is received and breaks it off where it must be refused.

    ``receive`` then raises :class:`MultiPartException`, on which the form's parser removes what
    it has stored and answers with the message. It is raised as well when the client goes away.
    """

    def __init__(self, receive: Receive, headers: Headers, limits: UploadLimits) -> None:
        self._receive = receive
        self._limits = limits
        self._files = self._all_bytes = self._file_bytes = 0
        self._name = ""
        self._header_name = self._disposition = b""
        self._header_value = b""
        self._parser = self._make_parser(headers)

    async def receive(self) -> Message:
        """The next part of the request, checked."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise MultiPartException("The upload broke off.")
        self._all_bytes += len(message.get("body", b""))
        if self._all_bytes > self._limits.all_bytes + self._limits.files * _OVERHEAD:
            most = self._limits.all_bytes / MEGABYTE
            raise MultiPartException(f"An upload of more than {most:,.0f} MB is not taken.")
        try:
            self._parser.write(message.get("body", b""))
        except MultiPartException:
            raise
        except Exception as error:  # the parser's own kinds
            raise MultiPartException("The upload is malformed.") from error
        return message

    def _make_parser(self, headers: Headers) -> MultipartParser:
        _, options = parse_options_header(headers.get("content-type", ""))
        callbacks: dict[str, Callable[..., None]] = {
            "on_header_field": self._on_header_name,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_data,
        }
        try:
            return MultipartParser(options.get(b"boundary", b"none"), callbacks)  # type: ignore[arg-type]
        except FormParserError as error:
            raise MultiPartException("The upload is malformed.") from error

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._disposition = b""
        self._file_bytes = 0
        self._files += 1
        if self._files > self._limits.files:
            raise MultiPartException(f"More than {self._limits.files} files at once are not taken.")
        self._name = options.get(b"filename", b"").decode("utf-8", "replace")
        try:
            checked_name(self._name)
        except LoadError as error:
            raise MultiPartException(f"The file {self._shown} {error}.") from error

    @property
    def _shown(self) -> str:
        """The name as the page can show it, which takes what a refused upload says for markup."""
        return html.escape(repr(self._name), quote=False)

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._file_bytes += end - start
        if self._file_bytes > self._limits.file_bytes:
            most = self._limits.file_bytes / MEGABYTE
            raise MultiPartException(
                f"The file {self._shown} has more than {most:,.0f} MB: split it, or put it into "
                "the folder by other means."
            )


def _size(folder: Path) -> int:
    """Bytes of the files below ``folder``; files that vanish meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:
            continue
    return total
