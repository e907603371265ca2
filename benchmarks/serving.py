"""Measure how a server answers many clients at once, and how much memory it keeps.

    python benchmarks/serving.py FOLDER QUESTIONS.jsonl [--clients 50] [--questions 200]
        [--before OTHER_CHECKOUT] [--rounds 2]

Serves FOLDER on loopback in a process of its own; each client asks its next question when it has
the answer to the last. Prints the median and the 95th percentile in seconds, answers a second and
the resident memory afterwards, and the processor time of an answer, which does not depend on what
else the machine does. With --before the code of another checkout (a git worktree) is
measured in the same run, in turns, and the ratios are printed: they say more than seconds on a
machine that others use too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np

MAX_CLIENTS = 100
MAX_QUESTIONS = 2_000
WARM_UP = 5
PATIENCE = 300.0
HERE = Path(__file__).parents[1]

SERVER = """
import sys
from rag import KnowledgeBase
try:
    from rag.web.api import serve
except ImportError:  # a checkout of 0.1
    from rag.server import serve
with KnowledgeBase(sys.argv[1]) as kb:
    serve(kb, "127.0.0.1", 0, lambda url: print(url, flush=True))
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What was measured: seconds of each answer, of the whole, of the processor; MB in the end."""

    seconds: tuple[float, ...]
    wall: float
    processor: float
    megabytes: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.wall

    def __str__(self) -> str:
        median, high = np.percentile(self.seconds, [50, 95])
        return (
            f"median {median:.2f} s, p95 {high:.2f} s, {self.rate:.1f} answers a second, "
            f"{self.processor / len(self.seconds):.2f} s of processor each, "
            f"{self.megabytes:,.0f} MB resident"
        )


@contextmanager
def serving(checkout: Path, index: Path) -> Iterator[tuple[str, int]]:
    """The address and the process of a server with the code of a checkout."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(index)],
        env={**os.environ, "PYTHONPATH": str(checkout)},
        cwd=checkout,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1], process.pid
        finally:
            process.terminate()


def resident_megabytes(process: int) -> float:
    """The memory that a process holds in the machine's, as Linux tells it."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def processor_seconds(process: int) -> float:
    """The processor time that a process has used, in itself and in the system."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def ask_all(url: str, questions: list[str], clients: int) -> tuple[list[float], float]:
    """Seconds of each answer and of all, with so many clients at once."""
    waiting = iter(questions)
    seconds: list[float] = []

    async def client() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as http:
            for question in waiting:
                begun = time.perf_counter()
                answer = await http.post("/v1/ask", json={"question": question})
                answer.raise_for_status()
                seconds.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    return seconds, time.perf_counter() - begun


def measure(checkout: Path, index: Path, questions: list[str], clients: int) -> Load:
    """A fresh server under this load."""
    with serving(checkout, index) as (url, process):
        asyncio.run(ask_all(url, questions[:WARM_UP], 1))
        before = processor_seconds(process)
        seconds, wall = asyncio.run(ask_all(url, questions, clients))
        used = processor_seconds(process) - before
        return Load(tuple(seconds), wall, used, resident_megabytes(process))


def joined(loads: list[Load]) -> Load:
    """Several rounds as one."""
    return Load(
        tuple(s for load in loads for s in load.seconds),
        sum(load.wall for load in loads),
        sum(load.processor for load in loads),
        max(load.megabytes for load in loads),
    )


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("questions_file", type=Path)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    clients = min(options.clients, MAX_CLIENTS)
    lines = options.questions_file.read_text(encoding="utf-8").splitlines()
    asked = [json.loads(line)["question"] for line in lines if line.strip()]
    count = min(options.questions, MAX_QUESTIONS)
    questions = (asked * (count // len(asked) + 1))[:count]
    checkouts = {"now": HERE} | ({"before": options.before} if options.before else {})
    loads: dict[str, list[Load]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory() as folder:
        for name, checkout in checkouts.items():
            command = [sys.executable, "-m", "rag", "index", str(options.folder.resolve())]
            environment = {**os.environ, "PYTHONPATH": str(checkout)}
            index = ["--index", str(Path(folder, name)), "--json"]
            subprocess.run(
                command + index, env=environment, cwd=checkout, check=True, capture_output=True
            )
        for _ in range(options.rounds):
            for name, checkout in reversed(checkouts.items()):
                loads[name].append(measure(checkout, Path(folder, name), questions, clients))
    cores = len(os.sched_getaffinity(0))
    print(f"{clients} clients, {count} questions, {options.rounds} rounds, {cores} cores")
    found = {name: joined(loads[name]) for name in checkouts}
    for name, load in found.items():
        print(f"{name}: {load}")
    if options.before:
        rate = found["now"].rate / found["before"].rate
        memory = found["now"].megabytes / found["before"].megabytes
        print(f"now / before: {rate:.2f} times the answers a second, {memory:.2f} of the memory")


if __name__ == "__main__":
    main()
