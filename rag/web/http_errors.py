"""Errors that a client can act on, as HTTP responses: the one place that maps them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.exceptions import HTTPException

from rag.errors import BusyError, NotFoundError, RagError

RETRY_SECONDS = 5
"""What a client is told to wait that asks while too much is waiting."""

_FOLDERS = re.compile(r"(?<![\w/:.])/(?:[^/\s'\"]+/)+")


@contextmanager
def as_http_errors() -> Iterator[None]:
    """Turn errors that a user can act on into responses that say so."""
    try:
        yield
    except BusyError as error:
        raise HTTPException(503, str(error), {"Retry-After": str(RETRY_SECONDS)}) from error
    except (RagError, ValueError) as error:
        status = 404 if isinstance(error, NotFoundError) else 400
        raise HTTPException(status, without_folders(str(error))) from error


def without_folders(text: str) -> str:
    """Return ``text`` with only the last name of each absolute path of this machine."""
    return _FOLDERS.sub("", text)
