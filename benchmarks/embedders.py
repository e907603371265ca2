"""Compare two embedders in the program's own search: quality side by side, and what each costs.

    python -m benchmarks.embedders DATA [SET ...] [--than MODEL] [--model MODEL] [--cache DIR]

``DATA`` holds ``dev/<set>/docs/`` and ``dev/<set>/questions.jsonl``. Each embedder indexes a set's
documents as the program does it, with chunks cut for it, and the questions with an answer in them
are searched by the cosine alone and as ``rag search`` does it. A question has one relevant item, as
in ``benchmarks/fusion.py``. Intervals are paired bootstraps over the questions.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.fusion import Case, cases_of, interval, ndcg
from rag.answering.retrieve import CANDIDATES
from rag.embed import BUNDLED_MODEL, E5_MODEL, make_embedder
from rag.fusion import FUSIONS
from rag.types import Embedder

SETS = ("nq", "clapnq", "squad2", "xquad_en", "xquad_de", "xquad_es", "xquad_zh")
SEARCHES = {"cosine": "dense", "hybrid": "adaptive"}
QUESTIONS = 50
"""Questions that the cost of one is measured with."""


def compare(name: str, than: Sequence[Case], cases: Sequence[Case]) -> None:
    """Print a set's figures with either embedder, and the differences."""
    if [case.question.id for case in than] != [case.question.id for case in cases]:
        raise SystemExit(f"{name}: the embedders were asked different questions")
    print(f"{name}: {len(cases)} questions")
    for label, fusion in SEARCHES.items():
        old, new = (
            np.array([case.rank(FUSIONS[fusion]) for case in side], dtype=np.float64)
            for side in (than, cases)
        )
        recalls, gains = ((old <= 5) * 1.0, (new <= 5) * 1.0), (ndcg(old), ndcg(new))
        row = "  ".join(
            f"{figure} {a.mean():.3f} -> {b.mean():.3f} {interval(b - a)}"
            for figure, (a, b) in (("recall@5", recalls), ("nDCG@10", gains))
        )
        print(f"  {label:7s} {row}", flush=True)


def cost(model: str, passages: Sequence[str], questions: Sequence[str]) -> dict[str, float]:
    """Measure an embedder in a process of its own: seconds are of processor time."""
    began = time.process_time()
    embedder = make_embedder(model)
    embedder.embed_query(questions[0])
    opened, peak = time.process_time(), _peak_mb()
    embedder.embed_documents(passages[:2])
    ready = time.process_time()
    embedder.embed_documents(passages)
    indexed = time.process_time()
    for question in questions:
        embedder.embed_query(question)
    return {
        "s to the first question": opened - began,
        "MB by then": peak,
        "s more to the first passage": ready - opened,
        "passages/s": len(passages) / (indexed - ready),
        "ms a question": 1000 * (time.process_time() - indexed) / len(questions),
        "MB at most": _peak_mb(),
    }


def _peak_mb() -> float:
    """Return this process's peak; that of `getrusage` would be the parent's, if that is larger."""
    [line] = [t for t in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in t]
    return int(line.split()[1]) / 1024


def report_costs(models: Sequence[str], cases: Sequence[Case]) -> None:
    """Print what each embedder costs on the passages and the questions of some cases."""
    passages = [candidate.chunk.text for case in cases[:20] for candidate in case.found[:5]]
    questions = [case.question.question for case in cases[:QUESTIONS]]
    for model in models:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
            figures = fresh.submit(cost, model, passages, questions).result()
        print(f"{model}: {', '.join(f'{value:.2f} {key}' for key, value in figures.items())}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("data", type=Path, help="folder with dev/")
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--than", default=BUNDLED_MODEL, help="the embedder compared with")
    parser.add_argument("--model", default=E5_MODEL)
    parser.add_argument("--questions", type=int, help="measure a sample of so many a set")
    parser.add_argument("--cache", type=Path, help="keep the indexes in this folder")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        cache: Path = args.cache or Path(scratch)
        embedders: dict[str, Embedder] = {m: make_embedder(m) for m in (args.than, args.model)}
        for name in args.sets:
            than, cases = (
                cases_of(name, args.data, cache / m, e, CANDIDATES, args.questions)
                for m, e in embedders.items()
            )
            compare(name, than, cases)
    report_costs(list(embedders), than)


if __name__ == "__main__":
    main()
