"""A worker process: started within limits, asked about one file after another, timed and ended."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from rag.errors import KnowledgeBaseError, LoadError
from rag.load import ocr
from rag.sandbox.confine import MEGABYTE, OUT_OF_MEMORY
from rag.sandbox.protocol import parse, receive, send

SECONDS_TO_START = 60
_ROOT = Path(__file__).parents[2]
_CODE = "import sys; sys.path[:] = {path!r}; from rag.sandbox.worker import main; main({asked!r})"
_KEPT_VARIABLES = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "LC_CTYPE", "TESSDATA_PREFIX")
NO_ANSWER = "it sent what is no document"
_NEAR_THE_LIMIT = 0.8
_WAITING_FOR_PROGRAMS = 10
"""How many times longer a file may take that programs work on: OCR needs seconds a page."""

_MAXRSS_UNIT = MEGABYTE if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may take.

    ``memory_mb`` is in MiB. ``seconds`` are those that a parser may compute for; it may take no
    longer by the clock either, but where it waits for programs. ``programs`` lets loaders start
    some, such as one that recognises text in images, and write to a folder of the worker's own.
    """

    memory_mb: int = 1536
    seconds: float = 120.0
    programs: bool = False

    @property
    def patience(self) -> float:
        """Seconds of wall clock."""
        return self.seconds * (_WAITING_FOR_PROGRAMS if self.programs else 1)


class WorkerDiedError(Exception):
    """The worker was lost to a file; ``reason`` is for the report."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Worker:
    """One worker process. ``needs_recycling`` says that it should not be asked again."""

    def __init__(self, limits: Limits, work: Callable[..., Any]) -> None:
        self.limits = limits
        self.needs_recycling = False
        self._scratch = Path(tempfile.mkdtemp(prefix="rag-worker-")) if limits.programs else None
        self._lifeline: int | None = None
        lifeline: int | None = None
        if os.name == "posix":
            lifeline, self._lifeline = os.pipe()
        try:
            self._process = _start(limits, work, self._scratch, lifeline)
            self.measures = self._await_ready()
        except BaseException:
            self.end()
            raise
        finally:
            if lifeline is not None:
                os.close(lifeline)

    def _await_ready(self) -> tuple[str, ...]:
        with _Deadline(self._process, SECONDS_TO_START):
            try:
                word, *measures = parse(receive(self._replies, MEGABYTE))
            except (EOFError, ValueError, OSError):
                word, measures = "", []
        if word != "ready":
            code = self._process.wait()
            raise KnowledgeBaseError(
                f"the process that reads documents cannot be started (exit code {code}): check "
                f"that {sys.executable!r} runs and that memory is free"
            )
        return tuple(map(str, measures))

    @property
    def _replies(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def ask(self, data: bytes, asked: str) -> tuple[str, Any]:
        """Return what became of a file.

        Raises :class:`WorkerDiedError`; LoadError if it took too long.
        """
        most = self.limits.memory_mb * MEGABYTE
        with _Deadline(self._process, self.limits.patience) as deadline:
            try:
                assert self._process.stdin is not None
                send(self._process.stdin, asked.encode("utf-8", "surrogatepass"), data)
                reply = receive(self._replies, most // 2)  # it is decoded within the same limit
                self.needs_recycling = receive(self._replies, MEGABYTE) == b"tired"
            except (EOFError, OSError):
                reply = b""
            except ValueError as error:
                raise WorkerDiedError(crashes(str(error))) from None
        self.needs_recycling |= deadline.has_passed
        if deadline.has_passed and not reply:
            raise LoadError(_too_slow(self.limits.patience))
        if not reply:
            raise WorkerDiedError(self._reason())
        return _parsed(reply, most)

    def _reason(self) -> str:
        """Why the worker is gone."""
        code, most_used = _wait(self._process)
        if code == -getattr(signal, "SIGXCPU", 0):
            return _too_slow(self.limits.seconds)
        near = most_used > _NEAR_THE_LIMIT * self.limits.memory_mb
        if code in (-signal.SIGKILL, OUT_OF_MEMORY) or (near and most_used > _most_used_here()):
            return too_large(self.limits)
        try:
            return crashes(signal.Signals(-code).name)
        except ValueError:
            return crashes(f"exit code {code}")

    def kill(self) -> None:
        """Kill the process, from any thread: one that asks it is told that it is lost."""
        _kill(self._process)

    def end(self) -> None:
        """Kill the process, and remove what it left."""
        process = getattr(self, "_process", None)
        if process is not None:
            _kill(process)
            process.wait()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # what it did not take cannot be flushed
                    stream.close()
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)


class _Deadline:
    """Kills a process that is still busy after so many seconds."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.has_passed = False
        self._process = process
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True

    def _pass(self) -> None:
        self.has_passed = True
        _kill(self._process)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._timer.cancel()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a worker that nobody has waited for, with the programs that it has started."""
    if os.name == "posix" and process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # it leads a group of its own
    else:
        process.kill()


def _start(
    limits: Limits, work: Callable[..., Any], scratch: Path | None, lifeline: int | None
) -> subprocess.Popen[bytes]:
    path = [str(_ROOT), *(entry for entry in sys.path if entry)]
    asked = json.dumps(
        {
            "module": work.__module__,
            "function": work.__qualname__,
            "memory_mb": limits.memory_mb,
            "seconds": int(limits.seconds) + 1,
            "readable": _code_folders(work, path) + (ocr.folders() if scratch else []),
            "programs": ocr.programs(),
            "scratch": str(scratch) if scratch else None,
            "lifeline": lifeline,
        }
    )
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    if scratch:
        environment |= {"TMPDIR": str(scratch), "OMP_THREAD_LIMIT": "1"}
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-B", "-X", "utf8", "-c", _CODE.format(path=path, asked=asked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=scratch or Path(sys.executable).anchor,
            pass_fds=() if lifeline is None else (lifeline,),
            start_new_session=True,  # Ctrl-C is for this process, which then ends the worker
        )
    except OSError as error:
        raise KnowledgeBaseError(
            f"the process that reads documents cannot be started ({error.strerror}): free memory "
            "or end other programs"
        ) from error


def _code_folders(work: Callable[..., Any], path: Sequence[str]) -> list[str]:
    """Where the worker's own code stands: all that it may read."""
    here = Path(__file__).parents[1]
    module = Path(sys.modules[work.__module__].__file__ or here)
    folders = {sys.prefix, sys.base_prefix, str(here), str(module.parent)}
    folders |= {entry for entry in path if Path(entry) != _ROOT or _ROOT.name == "site-packages"}
    return sorted(folder for folder in folders if Path(folder).exists())


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Exit code, negative for a signal, and the most memory that it used in MiB (0: unknown).

    The programs that it has started end with it.
    """
    if not hasattr(os, "wait4"):
        return process.wait(), 0.0
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # the number is still its own
    _kill(process)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss / _MAXRSS_UNIT


def _most_used_here() -> float:
    """The most memory that this process used in MiB, which Linux counts its children's from."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MAXRSS_UNIT


def _parsed(reply: bytes, most: int) -> tuple[str, Any]:
    try:
        kind, value = parse(reply, most)
        if kind == "done" or (kind in ("refused", "memory", "broken") and isinstance(value, str)):
            return kind, value
    except (ValueError, TypeError):
        pass
    raise WorkerDiedError(crashes(NO_ANSWER))


def too_large(limits: Limits) -> str:
    """Tell why a file is refused that needs too much memory."""
    return (
        f"needs more than {limits.memory_mb:,} MB to be read: split it, or allow more with "
        "RAG_LOAD_MEMORY_MB"
    )


def _too_slow(seconds: float) -> str:
    return f"was not read within {seconds:g} s: split it, or allow more with RAG_LOAD_SECONDS"


def crashes(how: str) -> str:
    """Tell why a file is refused that breaks its parser."""
    return f"crashes its parser ({how}); open it in its own program and save it again"
