"""Measure how long the reader takes over the passages of one question.

    python benchmarks/reading.py INDEX QUESTIONS.jsonl [--questions 200]

Retrieval is done before; each question is read once, after ten to warm up. Prints the median and
the 95th percentile in milliseconds, and beside them the median of retrieval in the same run, since
a ratio says more than milliseconds on a machine that others use too.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np

from rag import KnowledgeBase
from rag.answering.read import SpanReader
from rag.question_sets import read_questions

WARM_UP = 10


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("questions_file", type=Path)
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    reader = SpanReader()
    retrieving, reading = [], []
    with KnowledgeBase(options.index) as kb:
        for question in read_questions(options.questions_file)[: WARM_UP + options.questions]:
            began = time.perf_counter()
            hits = kb.search(question.question, kb.settings.top_k)
            found = time.perf_counter()
            reader.read(question.question, hits)
            reading.append(time.perf_counter() - found)
            retrieving.append(found - began)
    low, high = 1000 * np.percentile(reading[WARM_UP:], [50, 95])
    other = 1000 * np.percentile(retrieving[WARM_UP:], 50)
    cores = len(os.sched_getaffinity(0))
    print(f"{len(reading) - WARM_UP} questions, {cores} cores")
    print(f"reading: median {low:.0f} ms, p95 {high:.0f} ms; retrieval: median {other:.0f} ms")


if __name__ == "__main__":
    main()
