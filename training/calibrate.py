"""Fit probabilities to a reader's scores: `python -m training.calibrate READINGS --out FILE`.

READINGS is the folder that `evaluate_reading --readings` wrote. The fits are logistic regressions
on the development sets: `right` (the span is right) and `stated` (the passage answers at all).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    cross_val_predict,
)

from training.metrics import auroc

FEATURES = ("score", "margin", "answerable")
RIGHT_F1 = 0.5  # an answer with at least this F1 counts as right

Floats = npt.NDArray[np.float64]


def expected_error(given: Floats, truth: Floats, bins: int = 10) -> float:
    """Return the calibration error (ECE) of probabilities over bins of equal width."""
    place = np.minimum((given * bins).astype(int), bins - 1)
    gaps = [
        abs(given[place == b].mean() - truth[place == b].mean()) * (place == b).mean()
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))


def fit(rows: Sequence[dict[str, object]], target: str) -> dict[str, object]:
    """Fit a logistic regression on the scores; AUROC and ECE by 5-fold cross-validation.

    Questions on the same passage are in the same fold.
    """
    table = np.array([[float(str(r[name])) for name in FEATURES] for r in rows])
    truth = np.array([_truth(r, target) for r in rows], dtype=float)
    model, groups = LogisticRegression(), [r["passage"] for r in rows]
    chances = cross_val_predict(
        model, table, truth, groups=groups, cv=GroupKFold(5), method="predict_proba"
    )[:, 1]
    model.fit(table, truth)
    weights = dict(zip(FEATURES, (round(float(w), 5) for w in model.coef_[0]), strict=True))
    return {
        "weights": weights,
        "bias": round(float(model.intercept_[0]), 5),
        "questions": len(rows),
        "auroc": round(auroc(chances[truth == 1], chances[truth == 0]), 4),
        "ece": round(expected_error(chances, truth), 4),
    }


def _truth(reading: dict[str, object], target: str) -> bool:
    if target == "stated":
        return bool(reading["stated"])
    return float(str(reading["f1"])) >= RIGHT_F1


def calibrate(folder: Path) -> dict[str, object]:
    """Fit to the readings in a folder, and return the fits."""
    xquad, squad2 = (
        [json.loads(line) for line in (folder / f"readings_{name}.jsonl").open(encoding="utf-8")]
        for name in ("xquad_en", "squad2")
    )
    return {
        "right": fit(xquad + squad2, "right"),
        "right_squad2": fit(squad2, "right"),
        "stated_squad2": fit(squad2, "stated"),
    }


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, fit and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("readings", type=Path, help="folder that evaluate_reading wrote")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    given = parser.parse_args(arguments)
    text = json.dumps(calibrate(given.readings), indent=2)
    given.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
