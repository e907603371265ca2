"""Fuzzes every loader: damages real files for some minutes and keeps what was not read safely.

    python benchmarks/fuzz.py --minutes 30 --out /tmp/findings
    python benchmarks/fuzz.py --minutes 5 --engine atheris --suffix .html

Each file is read in a worker with limits; a finding is a file that crashes its parser, takes more
than ``--seconds`` or ``--memory-mb``, or gives a document whose positions are wrong. It is written
to ``--out`` beside its reason, and the exit code is 1. A file that is refused with a reason is no
finding. ``--engine atheris`` is guided by the coverage of the Python code, in one process, for one
suffix (https://github.com/google/atheris); the other engine only damages at random, but survives
a crash. ``--first`` and the numbers in the names of findings make a run reproducible.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fuzzing import Seed, damaged, finding, seeds  # noqa: E402

from rag.errors import LoadError  # noqa: E402
from rag.load.registry import SUFFIXES, load_file  # noqa: E402
from rag.sandbox.isolated import IsolatedLoader, Limits  # noqa: E402
from rag.sandbox.protocol import check  # noqa: E402


def main() -> None:
    """Reads the options and runs an engine."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=Path("findings"), help="folder for findings")
    parser.add_argument("--suffix", action="append", help="only these, such as .pdf")
    parser.add_argument("--seeds", type=Path, help="a folder of further files to damage")
    parser.add_argument("--seconds", type=float, default=20.0, help="time of one file")
    parser.add_argument("--memory-mb", type=int, default=512, help="memory of one file")
    parser.add_argument("--first", type=int, default=0, help="number of the first damage")
    parser.add_argument("--engine", choices=("damage", "atheris"), default="damage")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    found = atheris(options) if options.engine == "atheris" else damage(options)
    sys.exit(1 if found else 0)


def chosen_seeds(options: argparse.Namespace) -> list[Seed]:
    """The files to damage."""
    suffixes = tuple(options.suffix or SUFFIXES)
    chosen = seeds(suffixes)
    for path in sorted(options.seeds.rglob("*")) if options.seeds else ():
        if path.is_file() and path.suffix.lower() in suffixes and path.stat().st_size < 1_000_000:
            chosen.append(Seed(path.name, path.read_bytes()))
    return chosen


def damage(options: argparse.Namespace) -> int:
    """Damages each seed in turn, until the time is up. Returns the number of findings."""
    chosen = chosen_seeds(options)
    limits = Limits(options.memory_mb, options.seconds)
    read: Counter[str] = Counter()
    found: Counter[str] = Counter()
    number, end = options.first, time.monotonic() + options.minutes * 60
    with IsolatedLoader(limits) as load:
        while time.monotonic() < end:
            for seed in chosen:
                data = damaged(seed.data, number)
                read[seed.suffix] += 1
                if reason := finding(load, data, seed.name):
                    found[seed.suffix] += 1
                    keep(options.out, f"{number}-{seed.name}", data, reason)
            number += 1
    for suffix in sorted(read):
        print(f"{suffix:<10}{read[suffix]:>9,} files{found[suffix]:>6} findings")
    print(f"the next run can start with --first {number}")
    return found.total()


def keep(out: Path, name: str, data: bytes, reason: str) -> None:
    """Writes a finding and its reason."""
    (out / name).write_bytes(data)
    with (out / "reasons.txt").open("a", encoding="utf-8") as file:
        print(f"{name}: {reason}", file=file)
    print(f"finding: {name}: {reason}", flush=True)


def atheris(options: argparse.Namespace) -> int:
    """Lets libFuzzer look for damage that reaches new code. It ends the process at a finding."""
    import atheris as engine  # type: ignore[import-untyped]

    (suffix,) = options.suffix or [".html"]
    corpus = options.out / f"corpus{suffix}"
    corpus.mkdir(exist_ok=True)

    def read(data: bytes) -> None:
        try:
            check(load_file(data, f"a{suffix}"), f"a{suffix}")
        except LoadError:
            return

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        result = damaged(data, seed)
        return result if len(result) <= most else engine.Mutate(data, most)

    with engine.instrument_imports():  # parsers are imported when first used
        for seed in chosen_seeds(options):
            (corpus / hashlib.sha256(seed.data).hexdigest()[:16]).write_bytes(seed.data)
            read(seed.data)
    engine.Setup(
        [
            sys.argv[0],
            f"-max_total_time={int(options.minutes * 60)}",
            f"-timeout={int(options.seconds)}",
            f"-rss_limit_mb={options.memory_mb * 2}",
            f"-artifact_prefix={options.out}/",
            "-max_len=300000",
            str(corpus),
        ],
        read,
        custom_mutator=mutate,
    )
    engine.Fuzz()  # does not return
    return 0


if __name__ == "__main__":
    main()
