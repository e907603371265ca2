"""Choose the probability from which on answers are given, by what an answer is worth.

    RAG_TARGET_PRECISION=0 rag eval QUESTIONS.jsonl --index INDEX --out FILE.json
    python benchmarks/threshold.py FILE.json [...] [--prior 0.2] [--by-citation FILE.json ...]

A right answer is worth 1, a wrong one -1, a refusal 0. `--prior` is the share of questions that the
documents do not answer: the answerable questions of a file count 1 - prior together, the others
prior, whatever their number; in a file without unanswerable ones these cost nothing. Files count
the same. `--by-citation`: files whose gold answers are whole sentences, so that an answer is right
if it cites the evidence.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.answering.read.confidence import ConfidenceModel
from rag.evaluate.results import read_results
from rag.evaluate.scored import ScoredOutcome
from rag.settings import Settings

THRESHOLDS = np.round(np.arange(0.0, 0.62, 0.02), 2)

Array = npt.NDArray[np.float64]


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--by-citation", type=Path, nargs="*", default=[])
    parser.add_argument("--prior", type=float, default=0.2)
    given = parser.parse_args()
    rows = []
    for path in (*given.files, *given.by_citation):
        scored = list(read_results(path).scored)
        if any(one.refused for one in scored):
            parser.error(f"{path} holds refusals: ask with RAG_TARGET_PRECISION=0")
        rows.append(worth(scored, given.prior, by_citation=path in given.by_citation))
        print(f"{path.stem}: {len(scored)} questions, best from {best(rows[-1]):.2f} on")
    names = [path.stem[:10] for path in (*given.files, *given.by_citation)]
    print("\nthreshold" + "".join(f"{name:>12}" for name in (*names, "all")))
    mean = np.mean(rows, axis=0)
    for at, values in zip(THRESHOLDS, np.array([*rows, mean]).T, strict=True):
        print(f"{at:9.2f}" + "".join(f"{value:+12.3f}" for value in values))
    default = ConfidenceModel.load().threshold(Settings().target_precision)
    print(f"\nbest of all from {best(mean):.2f} on; the default is {default:.2f}")


def worth(scored: Sequence[ScoredOutcome], prior: float, *, by_citation: bool) -> Array:
    """Right less wrong at each of :data:`THRESHOLDS`, of shape ``(len(THRESHOLDS),)``."""
    right = np.array([one.right_citations > 0 if by_citation else one.right for one in scored])
    told = np.array([one.answerable for one in scored])
    shares = np.where(told, (1.0 - prior) / told.sum(), prior / max((~told).sum(), 1))
    gains = shares * np.where(told & right, 1.0, -1.0)
    given = np.array([one.confidence for one in scored])[None, :] >= THRESHOLDS[:, None]
    return np.asarray(given @ gains)


def best(values: Array) -> float:
    """The threshold of the highest value; of equal ones the lowest."""
    return float(THRESHOLDS[int(np.argmax(values))])


if __name__ == "__main__":
    main()
