"""Takes from a process what reading a document does not need: memory, files, network, programs.

Each measure is the operating system's own and cannot be taken back by the process. What the system
does not offer is left out, and :func:`confine` tells what could be had: limits of resources on any
POSIX system; on Linux also Landlock (no file but the program's own can be opened), no capability
(what root may do beyond that) and a filter of system calls (those that reading needs, no others).
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rag.sandbox.landlock import limit_files
from rag.sandbox.privileges import drop_privileges
from rag.sandbox.seccomp import limit_calls

MEGABYTE = 1 << 20
OUT_OF_MEMORY = 77
"""Exit code of a worker that could not even take in a file."""
MAX_OPEN_FILES = 128
MAX_STACK = 64 * MEGABYTE
"""Bytes. It does not count as memory of the process's own."""


def confine(
    memory_mb: int,
    readable: Sequence[str],
    scratch: Path | None = None,
    programs: Sequence[str] = (),
    lifeline: int | None = None,
) -> list[str]:
    """Confine this process, for good; returns the names of the measures that are in force.

    It may use ``memory_mb`` (MiB) of memory of its own, read below ``readable`` and where the
    system keeps programs and libraries, write below ``scratch`` and start ``programs`` only;
    without a scratch nothing is written and no program is started. ``lifeline`` is a descriptor
    that it cannot close.
    """
    in_force: list[str] = []

    def take(name: str, measure: Callable[[], object]) -> object:
        with contextlib.suppress(OSError, ImportError, ValueError):
            result = measure()
            in_force.append(name)
            return result
        return None

    take("memory", lambda: _limit_memory(memory_mb))
    take("resources", lambda: _limit_resources(scratch, memory_mb))
    if sys.platform == "linux":
        started = programs if scratch else ()
        scoped = take("files", lambda: limit_files(readable, started, scratch))
        take("privileges", lambda: drop_privileges(keep_reading="files" in in_force))
        starts, ends = scratch is not None, scratch is not None and bool(scoped)
        take("calls", lambda: limit_calls(programs=starts, signals=ends, lifeline=lifeline))
    return in_force


def extend_cpu_limit(seconds: int) -> None:
    """Let this process compute for so many seconds more, whatever it has used."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + seconds + 1
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


def _limit_memory(memory_mb: int) -> None:
    import resource

    size = memory_mb * MEGABYTE
    # On Linux what is written to counts; elsewhere addresses, which libraries also reserve.
    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    resource.setrlimit(kind, (size, size))


def _limit_resources(scratch: Path | None, memory_mb: int) -> None:
    import resource

    if sys.platform == "linux":  # if memory runs out all the same, this process is the one to go
        Path("/proc/self/oom_score_adj").write_text("1000")
    written = memory_mb * MEGABYTE if scratch else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
    stack = stack if 0 < stack < MAX_STACK else MAX_STACK
    resource.setrlimit(resource.RLIMIT_STACK, (stack, stack))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_OPEN_FILES, MAX_OPEN_FILES))
