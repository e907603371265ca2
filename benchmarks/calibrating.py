"""Measure how many questions with known answers `rag calibrate` needs.

    RAG_TARGET_PRECISION=0 rag eval QUESTIONS.jsonl --index INDEX --out FILE.json
    python benchmarks/calibrating.py FILE.json [...]

Of the questions of each file, all of which were answered, as many as said are drawn at random, 200
times. The probabilities are fitted to them as `rag calibrate` does it, and scored by the questions
that were not drawn: the calibration error of the answers from the default target precision on, its
median and 90th percentile over the draws. Draws that have no such error are left out and counted:
all drawn answers were right or wrong, or the fit reaches the target nowhere, so all is refused.
The first row has the probabilities that ship.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.answering.read.calibration import Calibration
from rag.answering.read.confidence import ConfidenceModel
from rag.evaluate.metrics import figures, table
from rag.evaluate.results import read_results
from rag.evaluate.scored import ScoredOutcome
from rag.settings import Settings

SIZES = (20, 50, 100, 200)
DRAWS = 200


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    given = parser.parse_args()
    floor = ConfidenceModel.load().threshold(Settings().target_precision)
    for path in given.files:
        scored = list(read_results(path).scored)
        if any(one.refused for one in scored):
            parser.error(f"{path} holds refusals: ask with RAG_TARGET_PRECISION=0")
        print(f"{path.name}: {len(scored)} questions")
        shipped = error(scored, np.array([one.confidence for one in scored]), floor)
        print(f"  shipped        {shipped:.3f}")
        for size in (size for size in SIZES if size < len(scored)):
            errors = np.array([drawn(scored, size, seed) for seed in range(DRAWS)])
            kept = errors[~np.isnan(errors)]
            middle, high = np.quantile(kept, [0.5, 0.9]) if len(kept) else (np.nan, np.nan)
            left_out = DRAWS - len(kept)
            print(
                f"  {size:4} questions {middle:.3f}, 90th percentile {high:.3f}, "
                f"{left_out} draws left out"
            )


def drawn(scored: list[ScoredOutcome], size: int, seed: int) -> float:
    """The error on the rest after a fit to `size` questions; NaN where there is none."""
    order = np.random.default_rng(seed).permutation(len(scored))
    asked, rest = ([scored[i] for i in part] for part in (order[:size], order[size:]))
    right = np.array([one.right for one in asked])
    if right.all() or not right.any():
        return float("nan")
    made = Calibration.fit("", [one.confidence for one in asked], right)
    fitted = made.apply([one.confidence for one in rest])
    return error(rest, fitted, made.threshold(Settings().target_precision))


def error(
    scored: list[ScoredOutcome], probabilities: npt.NDArray[np.float64], floor: float
) -> float:
    """The calibration error of the answers from ``floor`` on."""
    answered = [
        replace(one, confidence=float(p))
        for one, p in zip(scored, probabilities, strict=True)
        if p >= floor
    ]
    found = figures(table(answered))["calibration", "ece"] if answered else None
    return float("nan") if found is None else found


if __name__ == "__main__":
    main()
