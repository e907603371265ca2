"""ONNX Runtime sessions and tokenizers, opened in one place with the same settings."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import numpy.typing as npt

from rag.digests import file_sha256
from rag.errors import ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, RunOptions
    from tokenizers import Tokenizer


SECONDS_TO_STOP = 5.0
"""How long the end of the program waits for models that still compute."""

Array = npt.NDArray[Any]


class Session:
    """A model that can be run from any thread, also while the program ends.

    ONNX Runtime aborts the process if its libraries are unloaded under a thread that computes, as
    a server's threads may when it is told to end. So what runs then is stopped first.
    """

    def __init__(self, session: InferenceSession) -> None:
        """Wrap an open session."""
        self._session = session
        self.inputs = frozenset(given.name for given in session.get_inputs())
        self.metadata: Mapping[str, str] = session.get_modelmeta().custom_metadata_map

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """Return the named outputs for the named inputs, and the memory to the system.

        Else the session would keep what the largest calls needed that ever met. Returning it takes
        2 % of the time of a call by itself; a busy server was seen to use 6 to 12 % more of the
        processor.
        """
        from onnxruntime import RunOptions

        options = RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        _begin(options)
        try:
            return list(self._session.run(list(outputs), dict(inputs), options))
        finally:
            _end(options)


_running: list[RunOptions] = []
_running_lock = threading.Condition()
_program_ends = threading.Event()


def _begin(options: RunOptions) -> None:
    with _running_lock:
        if not _program_ends.is_set():
            _running.append(options)
            return
    _halt()


def _end(options: RunOptions) -> None:
    with _running_lock:
        _running.remove(options)
        _running_lock.notify_all()
    if _program_ends.is_set():
        _halt()


def _halt() -> None:
    """Keep a thread that the end of the program leaves behind from doing anything more."""
    if threading.current_thread() is not threading.main_thread():
        threading.Event().wait()


@atexit.register
def _stop_running() -> None:
    """Stop what still computes, and let nothing more begin."""
    with _running_lock:
        _program_ends.set()
        for options in _running:
            options.terminate = True
        _running_lock.wait_for(lambda: not _running, SECONDS_TO_STOP)


def open_session(model: Path, weights: Mapping[str, Array] | None = None) -> Session:
    """A session on the CPU; ``weights`` fill a graph that holds none. Raises :class:`ModelError`.

    Idle threads sleep instead of spinning: on a small machine they would slow all else down.
    """
    onnxruntime = _import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    if weights:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in weights.values()]
        options.add_external_initializers(list(weights), values)
    try:
        return Session(
            onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        )
    except Exception as error:  # its classes share no base of their own
        reason = str(error).strip().split("\n")[0]
        raise ModelError(f"cannot load {model.name}: {reason}; run 'make install'") from error


def _import_onnxruntime() -> ModuleType:
    """Import ONNX Runtime without its telemetry.

    From 1.32 on it looks up and calls a host of its vendor and keeps a device id in the user's
    cache folder; the variable is read while it is imported, its own switch comes too late.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return cast(ModuleType, onnxruntime)


def open_tokenizer(path: Path, max_tokens: int | None = None) -> Tokenizer:
    """The tokenizer in a ``tokenizer.json``, without padding; cut at ``max_tokens`` if given."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if max_tokens is not None:
        tokenizer.enable_truncation(max_tokens)
    return tokenizer


def require_digest(path: Path, digest: str, what: str) -> None:
    """Raise :class:`ModelError` unless the file ``what``, part of a model, is the one published."""
    if not path.is_file():
        raise ModelError(f"{what} is missing: {path.name}; run 'make install'")
    if (found := file_sha256(path)) != digest:
        raise ModelError(
            f"{what} is damaged: {path.name} has SHA-256 {found[:12]}..., expected "
            f"{digest[:12]}...; install the program anew"
        )
