"""The process that works on files for :class:`rag.sandbox.isolated.Isolated`, one after another.

Started anew rather than forked, with an empty environment; it confines itself before it is sent
the first file. Requests come on standard input and replies go to standard output, see
:mod:`rag.sandbox.protocol`; what a parser prints goes nowhere.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from rag.errors import LoadError
from rag.load import ocr
from rag.sandbox.confine import MEGABYTE, OUT_OF_MEMORY, confine, extend_cpu_limit
from rag.sandbox.protocol import encode, receive, send

_TIRED = 0.5
"""Share of the memory that may stay in use after a file; above it a new worker takes over."""


def main(asked: str) -> None:
    """Serve until standard input ends. ``asked`` is JSON, see ``Isolated``."""
    options = json.loads(asked)
    requests, replies = _take_over_streams()
    _end_with_the_parent(options["lifeline"])
    work = getattr(import_module(options["module"]), options["function"])
    memory = _Memory()
    scratch = Path(options["scratch"]) if options["scratch"] else None
    measures = confine(
        options["memory_mb"],
        options["readable"],
        scratch,
        options["programs"],
        options["lifeline"],
    )
    send(replies, encode(("ready", *measures)))
    # Where no program may be started, OCR has none: it is then as if none were installed.
    with nullcontext() if scratch else ocr.using(None):
        while True:
            try:
                words, data = receive(requests, sys.maxsize), receive(requests, sys.maxsize)
            except EOFError:
                return
            except MemoryError:
                sys.exit(OUT_OF_MEMORY)
            extend_cpu_limit(options["seconds"])
            reply = _reply(work, words.decode("utf-8", "surrogatepass"), data)
            del data
            tired = memory.used() > _TIRED * options["memory_mb"] * MEGABYTE
            send(replies, reply, b"tired" if tired else b"")


def _reply(work: Callable[[bytes, str], Any], asked: str, data: bytes) -> bytes:
    try:
        return encode(("done", work(data, asked)))
    except MemoryError:
        said = ("memory", "")
    except LoadError as error:
        said = ("memory", "") if _is_for_memory(error) else ("refused", str(error))
    except Exception as error:
        said = ("broken", type(error).__name__)
    gc.collect()
    return encode(said)


def _is_for_memory(error: BaseException) -> bool:
    """Whether memory ran out somewhere on the way to this error."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, MemoryError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None


def _take_over_streams() -> tuple[IO[bytes], IO[bytes]]:
    """The streams to speak on; whatever prints or reads afterwards finds nothing there."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)
    return requests, replies


def _end_with_the_parent(lifeline: int | None) -> None:
    """Die when the other end of the pipe ``lifeline`` closes, whatever a parser is busy with.

    So do the programs that were started for it. Where it can be chosen, as on Linux, the signal
    is one that nothing can be done against.
    """
    if lifeline is None:
        return
    import fcntl

    signal.signal(signal.SIGIO, signal.SIG_DFL)  # which ends the process
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())  # to the whole group
    flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)


class _Memory:
    """How much memory this process uses; opened before no file can be."""

    def __init__(self) -> None:
        try:
            self._file: int | None = os.open("/proc/self/statm", os.O_RDONLY)
        except OSError:
            self._file = None

    def used(self) -> int:
        """Return the bytes in use; 0 where the system does not tell."""
        if self._file is None:
            return 0
        return int(os.pread(self._file, 200, 0).split()[1]) * os.sysconf("SC_PAGESIZE")
