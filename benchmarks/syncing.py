"""How long a sync takes that finds nothing new, against one that has to read every file.

    python -m benchmarks.syncing [--files 2500] [--kilobytes 20]

Makes text files in a temporary folder, indexes them without a model (``hashing``), and prints
medians of five syncs and the ratio of the two.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rag import KnowledgeBase
from rag.embed import HashingEmbedder
from rag.indexing.file_bytes import RACY_SECONDS

ROUNDS = 5


def write_files(folder: Path, files: int, kilobytes: int) -> None:
    """Files of random words, in subfolders of a hundred."""
    rng = random.Random(0)
    words = [
        "".join(rng.choices("abcdefghijklmnoprstuvw", k=rng.randint(2, 9))) for _ in range(999)
    ]
    for number in range(files):
        path = folder / f"{number // 100:02}" / f"{number:05}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = ""
        while len(text) < 1000 * kilobytes:
            text += " ".join(rng.choices(words, k=12)).capitalize() + ". "
        path.write_text(text)


def median(kb: KnowledgeBase, before: Callable[[], None]) -> float:
    """Median seconds of a sync that changes nothing; ``before`` is called before each."""
    seconds = []
    for _ in range(ROUNDS):
        before()
        report = kb.sync()
        assert not report.changed
        seconds.append(report.seconds)
    return statistics.median(seconds)


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2500)
    parser.add_argument("--kilobytes", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "docs"
        write_files(folder, options.files, options.kilobytes)
        time.sleep(RACY_SECONDS)
        with KnowledgeBase(Path(temporary) / "index", embedder=HashingEmbedder()) as kb:
            begun = time.perf_counter()
            kb.sync(folder)
            print(f"{options.files} files of {options.kilobytes} kB")
            print(f"first sync, without a model     {time.perf_counter() - begun:8.2f} s")
            store = kb._open()
            known = median(kb, lambda: None)
            read = median(kb, lambda: store.sign(dict.fromkeys(store.files())))
        print(f"nothing new, by signature       {known:8.3f} s")
        print(f"nothing new, every file hashed  {read:8.3f} s")
        print(f"ratio                           {read / known:8.1f}")


if __name__ == "__main__":
    main()
