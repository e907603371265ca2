"""Load every file of a folder: what became of it, how long it took, how much memory it used.

    python benchmarks/formats.py FOLDER [--expected DIR] [--only SUFFIX ...] [--list] [--json FILE]

Each file is loaded in a process of its own, which is ended after a minute. Where an expected text
lies beside a file (``a.docx`` with ``a.docx.md``; ``a.md`` where one other file has that stem, or
a PDF does) or in ``DIR`` (``a.docx.md`` or ``a.docx.txt``), the share of its words that the
loaded text holds is measured: words are ``\\w+``, case normalize, counted as often as they occur. A
file that is refused has no share; an expected text without words has none either.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import resource
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from rag.errors import LoadError
from rag.load.registry import load_file

TIMEOUT = 60.0
_PLAIN = (".md", ".txt")


@dataclass(frozen=True)
class Result:
    """What became of one file; ``share`` is None where nothing was expected."""

    path: str
    suffix: str
    outcome: str  # loaded, refused, hung or failed
    reason: str
    words: int
    seconds: float
    megabytes: float
    share: float | None
    missing: list[str]


def words(text: str) -> Counter[str]:
    """The words of a text and how often each occurs."""
    return Counter(re.findall(r"\w+", text.casefold()))


def share(expected: Counter[str], found: Counter[str]) -> float:
    """The part of the expected words that was found."""
    return (expected & found).total() / expected.total()


def expected_text(path: Path, folder: Path | None) -> str | None:
    """The expected text of a file; None where there is none."""
    named = [path.with_name(path.name + ".md")]
    if folder is not None:
        named += [folder / (path.name + suffix) for suffix in _PLAIN]
    stem = path.with_suffix(".md")
    siblings = [p for p in path.parent.glob(f"{path.stem}.*") if p.suffix not in _PLAIN]
    if path.suffix != ".md" and (len(siblings) == 1 or path.suffix == ".pdf"):
        named.append(stem)
    found = next((p for p in named if p.is_file()), None)
    return found.read_text(encoding="utf-8", errors="replace") if found else None


def _load(path: Path, sender: Connection) -> None:
    """In the process of a file: send outcome, reason, text, seconds and megabytes."""
    begun = time.perf_counter()
    text, reason, outcome = "", "", "loaded"
    try:
        loaded = load_file(path.read_bytes(), path.name)
        text = "\n".join(document.text for document in loaded.documents)
        if loaded.failed:
            reason = "; ".join(f"{source} {why}" for source, why in loaded.failed)
    except LoadError as error:
        outcome, reason = "refused", str(error)
    except BaseException:
        outcome, reason = "failed", traceback.format_exc()
    seconds = time.perf_counter() - begun
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sender.send((outcome, reason, text, seconds, megabytes))


def measure(path: Path, expected: str | None) -> Result:
    """Load one file in a process of its own."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_load, args=(path, sender))
    process.start()
    sender.close()
    outcome, reason, text, seconds, megabytes = "hung", f"after {TIMEOUT:.0f} s", "", TIMEOUT, 0.0
    try:
        if receiver.poll(TIMEOUT):
            outcome, reason, text, seconds, megabytes = receiver.recv()
    except EOFError:
        outcome, reason = "failed", "its process ended"
    process.kill()
    process.join()
    found, wanted = words(text), words(expected or "")
    measured = share(wanted, found) if wanted and outcome == "loaded" else None
    missing = [word for word, _ in (wanted - found).most_common(12)] if measured else []
    return Result(
        str(path),
        path.suffix.lower(),
        outcome,
        reason,
        found.total(),
        seconds,
        megabytes,
        measured,
        missing,
    )


def table(results: Iterable[Result]) -> str:
    """The results by suffix, as a Markdown table."""
    by_suffix: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_suffix[result.suffix].append(result)
    lines = [
        "| type | files | loaded | refused | hung or failed | words found | slowest s | peak MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    every = [result for group in by_suffix.values() for result in group]
    for name, group in [*sorted(by_suffix.items()), ("all", every)]:
        outcomes = Counter(result.outcome for result in group)
        shares = [result.share for result in group if result.share is not None]
        mean = f"{sum(shares) / len(shares):.3f} of {len(shares)}" if shares else ""
        lines.append(
            f"| {name} | {len(group)} | {outcomes['loaded']} | {outcomes['refused']} "
            f"| {outcomes['hung'] + outcomes['failed']} | {mean} "
            f"| {max(r.seconds for r in group):.1f} | {max(r.megabytes for r in group):.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure a folder; exit code 1 if a file hung or failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--expected", type=Path, help="folder of expected texts")
    parser.add_argument("--only", nargs="+", help="suffixes, with their dot")
    parser.add_argument("--list", action="store_true", help="print each file")
    parser.add_argument("--json", type=Path, help="write the results to a file")
    options = parser.parse_args()
    paths = sorted(p for p in options.folder.rglob("*") if p.is_file())
    if options.only:
        paths = [p for p in paths if p.suffix.lower() in options.only]
    results = []
    for path in paths:
        results.append(measure(path, expected_text(path, options.expected)))
        if options.list:
            last = results[-1]
            found = "" if last.share is None else f"{last.share:.3f} {' '.join(last.missing)}"
            print(f"{path.relative_to(options.folder)}: {last.outcome} {last.reason} {found}")
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps([asdict(r) for r in results], indent=1))
    sys.exit(any(result.outcome in ("hung", "failed") for result in results))


if __name__ == "__main__":
    main()
