"""What it costs to read files in a worker: time with and without one, and the time to start it.

    python benchmarks/isolation.py FOLDER

Reads every file below FOLDER several times in either way and prints the shortest time by the clock,
and the processors' time of all rounds, which others on the machine change less.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rag.errors import LoadError
from rag.indexing.scan import find_files
from rag.load.registry import Loaded, load_file
from rag.sandbox.isolated import IsolatedLoader

ROUNDS = 5


def main() -> None:
    """Prints one line for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    files = [(found.source, found.path.read_bytes()) for found in find_files(options.folder)]
    size = sum(len(data) for _, data in files)
    print(f"{len(files)} files, {size / 1e6:,.1f} MB")
    start = computed()
    begun = time.perf_counter()
    with IsolatedLoader() as isolated:
        isolated(b"warm", "warm.txt")
        print(f"start of a worker {time.perf_counter() - begun:9.3f} s", end="")
    start = computed() - start
    print(f"{start:9.3f} s computed")
    before = computed()
    inside = min(seconds(load_file, files) for _ in range(ROUNDS))
    computed_inside = computed() - before
    with IsolatedLoader() as isolated:
        outside = min(seconds(isolated, files) for _ in range(ROUNDS))
    computed_outside = computed() - before - computed_inside - start
    print(f"in this process   {inside:9.3f} s{computed_inside / ROUNDS:9.3f} s computed")
    print(f"in a worker       {outside:9.3f} s{computed_outside / ROUNDS:9.3f} s computed")
    print(f"ratio             {outside / inside:9.3f}  {computed_outside / computed_inside:9.3f}")


def computed() -> float:
    """Seconds of processor that this process and those that it has ended took."""
    return sum(os.times()[:4])


def seconds(load: Callable[[bytes, str], Loaded], files: list[tuple[str, bytes]]) -> float:
    """How long it takes to read all files; those that are refused count too."""
    begun = time.perf_counter()
    for source, data in files:
        try:
            load(data, source)
        except LoadError:
            continue
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
