"""Processes that sync, back up or restore an index, and are killed while they do."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from samples import local_store, open_kb

import rag.indexing.sync
import rag.indexing.writer
from rag import KnowledgeBase

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["crash", "rag.store.local", "faiss", "tiktoken", "rag.answering.read"]
)

NEVER = 1 << 60

Work = Callable[[KnowledgeBase, Path], None]


class Killer:
    """Ends this process, as ``kill -9`` does, at a given SQL statement."""

    def __init__(self, at: int) -> None:
        self.statements = 0
        self._at = at

    def __call__(self, statement: str) -> None:
        self.statements += 1
        if self.statements >= self._at:
            os.kill(os.getpid(), signal.SIGKILL)


def sync(kb: KnowledgeBase, folder: Path) -> None:
    kb.sync(folder)


def restore(kb: KnowledgeBase, file: Path) -> None:
    kb.restore(file)


def _child(work: Work, index: Path, argument: Path, at: int, told: Connection) -> None:
    # Small groups: a small folder takes as many transactions as a large one does.
    rag.indexing.writer.CHUNKS_PER_GROUP, rag.indexing.writer.CHUNKS_PER_BATCH = 8, 4
    rag.indexing.sync.CHARACTERS_PER_GROUP = 4000
    kb = open_kb(index)
    killer = Killer(at)
    local_store(kb)._db.connection.set_trace_callback(killer)
    told.send("ready")
    work(kb, argument)
    told.send(killer.statements)
    kb.close()


def run(
    work: Work,
    index: Path,
    argument: Path,
    *,
    at: int = NEVER,
    after: float | None = None,
) -> tuple[int | None, float]:
    """Do ``work`` in a process that is killed at a statement, or after some seconds, if it still
    runs. Returns the number of statements, None if it was killed, and how long it took."""
    ours, theirs = _context.Pipe()
    child = _context.Process(target=_child, args=(work, index, argument, at, theirs))
    child.start()
    theirs.close()
    assert ours.recv() == "ready"
    begun = time.monotonic()
    if after is not None:
        time.sleep(after)
        child.kill()
    child.join()
    took = time.monotonic() - begun
    try:
        statements: int | None = ours.recv()
    except EOFError:
        statements = None
    assert child.exitcode in (0, -signal.SIGKILL)
    return statements, took
