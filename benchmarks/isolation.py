"""What it costs to read files in a worker: time with and without one, and the time to start it.

    python benchmarks/isolation.py FOLDER

Reads every file below FOLDER several times in either way, in turn, and prints the shortest times:
others on the machine only ever add to them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rag.errors import LoadError
from rag.load import Loaded, find_files, load_file
from rag.load.isolated import IsolatedLoader

ROUNDS = 5


def main() -> None:
    """Prints one line for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    files = [(source, path.read_bytes()) for source, path in find_files(options.folder)]
    size = sum(len(data) for _, data in files)
    print(f"{len(files)} files, {size / 1e6:,.1f} MB")
    begun = time.perf_counter()
    with IsolatedLoader() as isolated:
        isolated(b"warm", "warm.txt")
        print(f"start of a worker   {time.perf_counter() - begun:8.3f} s")
        inside, outside = [], []
        for _ in range(ROUNDS):
            inside.append(seconds(load_file, files))
            outside.append(seconds(isolated, files))
    print(f"in this process     {min(inside):8.3f} s")
    print(f"in a worker         {min(outside):8.3f} s")
    print(f"ratio               {min(outside) / min(inside):8.3f}")


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
