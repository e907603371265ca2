"""Fit what decides about refusing: `python -m training.judge --data DIR --model FILE --work DIR`.

A logistic regression over the evidence (`rag.answering.read.evidence`) gives the probability that a
reading is right. It is fitted on questions to articles held out from training; then its logit is
scaled and shifted on the development sets (Platt 1999), all of which count the same, and the few
weights that the held-out questions cannot teach are fitted there too. Writes `reader.json` beside
the model and prints what the probabilities are worth, set by set.
"""

from __future__ import annotations

import argparse
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from rag import KnowledgeBase
from rag.answering.read.calibration import Calibration
from rag.answering.read.evidence import FEATURES
from rag.answering.read.model import SpanModel, open_model
from rag.digests import file_sha256
from rag.question_sets import read_questions
from rag.settings import Settings
from training.evidence import Asked, Table, collect, sample
from training.held_out import make_questions
from training.model import default_backbone

ENGLISH = ("xquad_en", "squad2", "nq")
DEV = (*ENGLISH, "xquad_es", "xquad_de", "xquad_zh")
LEARNT_HERE = [
    FEATURES.index(name) for name in ("foreign", "opposites", "others", "numbers_differ", "negated")
]
"""Features whose weights the development sets decide."""

_AGAINST = (
    "names_missing numbers_missing words_nowhere names_elsewhere opposites others numbers_differ "
    "negated repeats foreign"
).split()
MEANING = np.array([-1 if n in _AGAINST else 0 if n == "length" else 1 for n in FEATURES])
"""1 for features that speak for a reading, -1 for those against it, 0 for what may be either."""

CURVE_STEPS = 100
BINS = 10
FOLDS = 5

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Line:
    """A linear model: logit = rows @ weights + intercept."""

    weights: Floats
    intercept: float

    def logits(self, rows: Floats) -> Floats:
        """Return a logit for each row."""
        return rows @ self.weights + self.intercept


@dataclass(frozen=True, slots=True)
class Best:
    """The most probable reading of each question: its features and logit, whether it is right."""

    rows: Floats
    logits: Floats
    right: Flags
    answerable: Flags

    @property
    def probabilities(self) -> Floats:
        """Return the logits as probabilities."""
        return np.asarray(1 / (1 + np.exp(-self.logits)))


def fit(table: Table) -> Line:
    """Fit on all readings, so weighted that each question counts the same.

    A signal whose weight comes out against its meaning, since others say the same better, gets
    none: on other documents it would mislead.
    """
    scaler = StandardScaler().fit(table.rows)
    rows = scaler.transform(table.rows)
    counts = np.bincount(table.owner)
    used = np.ones(len(FEATURES), dtype=bool)
    while True:
        model = LogisticRegression(C=1.0, max_iter=1000)
        model.fit(rows[:, used], table.right, sample_weight=1.0 / counts[table.owner])
        found = np.zeros(len(FEATURES))
        found[used] = model.coef_[0]
        against = found * MEANING < 0
        if not against.any():
            break
        used &= ~against
    weights = found / scaler.scale_
    return Line(weights, float(model.intercept_[0] - weights @ scaler.mean_))


def best(table: Table, line: Line) -> Best:
    """Take the most probable reading of each question; where nothing was read, a logit of -10."""
    count = len(table.answerable)
    rows, logits = np.zeros((count, len(FEATURES))), np.full(count, -10.0)
    right = np.zeros(count, dtype=bool)
    for row, logit in enumerate(line.logits(table.rows)):
        owner = table.owner[row]
        if logit > logits[owner]:
            rows[owner], logits[owner] = table.rows[row], logit
            right[owner] = table.right[row]
    return Best(rows, logits, right, table.answerable)


def calibrated(line: Line, sets: dict[str, Table]) -> Line:
    """Scale and shift the line to fit the best readings, and weigh anew what they alone can teach.

    Each set counts the same. Articles in English alone were held out, so what a foreign passage
    means is learnt here; and edited questions contradict a sentence less than those that people
    write to have no answer, so what a contrast means is learnt here too. As the weights change,
    so does which reading is best, and the scale is fitted once more for those.
    """
    for learnt in (LEARNT_HERE, LEARNT_HERE[:1]):
        found = [best(table, line) for table in sets.values()]
        rows = np.concatenate([f.rows for f in found])
        inputs = np.column_stack([np.concatenate([f.logits for f in found]), rows[:, learnt]])
        right = np.concatenate([f.right for f in found])
        weight = np.concatenate([np.full(len(f.right), 1000 / len(f.right)) for f in found])
        # Some features fire in a few questions only: without a penalty theirs has no bound.
        model = LogisticRegression(C=1.0, max_iter=5000).fit(inputs, right, sample_weight=weight)
        scale, *more = model.coef_[0]
        weights = line.weights * scale
        weights[learnt] += more
        line = Line(weights, float(line.intercept * scale + model.intercept_[0]))
    return line


def curve(line: Line, sets: dict[str, Table]) -> list[tuple[float, float, float]]:
    """Return (probability, precision, coverage) for rising probabilities; sets count the same."""
    found = [best(table, line) for table in sets.values()]
    points = []
    for floor in np.arange(CURVE_STEPS) / CURVE_STEPS:
        answered = [f.probabilities >= floor for f in found]
        right = sum(float((f.right & a).mean()) for f, a in zip(found, answered, strict=True))
        said = sum(float(a.mean()) for a in answered)
        if said > 0:
            points.append((float(floor), round(right / said, 4), round(said / len(found), 4)))
    return points


def calibration_error(probabilities: Floats, right: Flags) -> float:
    """Return the expected calibration error over bins of equal width."""
    place = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    return float(
        sum(
            abs(probabilities[place == b].mean() - right[place == b].mean()) * (place == b).mean()
            for b in np.unique(place)
        )
    )


def report(table: Table, line: Line, floor: float) -> dict[str, float]:
    """Return what the probabilities are worth on one set, answering from `floor` on."""
    found = best(table, line)
    p, answered = found.probabilities, found.probabilities >= floor
    figures = {
        "questions": len(p),
        "right, all answered": found.right.mean(),
        "AUROC right": roc_auc_score(found.right, p),
        "ECE, all answered": calibration_error(p, found.right),
        "right of answerable": (found.right & answered)[found.answerable].mean(),
    }
    if not found.answerable.all():
        figures["AUROC answerable"] = roc_auc_score(found.answerable, p)
    figures |= answers_and_refusals(found, p, answered)
    return {name: round(float(value), 3) for name, value in figures.items()}


def answers_and_refusals(found: Best, probabilities: Floats, answered: Flags) -> dict[str, float]:
    """Return what is answered and how rightly, and what the refusals are worth, if any may be."""
    figures = {
        "ECE, answered": calibration_error(probabilities[answered], found.right[answered]),
        "answered": answered.mean(),
        "right of answered": found.right[answered].mean(),
    }
    if not found.answerable.all():
        figures |= {
            "refusal precision": (~found.answerable)[~answered].mean(),
            "refusal recall": (~answered)[~found.answerable].mean(),
        }
    return figures


def calibrated_report(table: Table, line: Line, precision: float) -> dict[str, float]:
    """Return what `rag calibrate` with the questions of one set gives, at a target precision.

    Each fifth of the questions is scored by a calibration to the other four.
    """
    found = best(table, line)
    fold = np.random.default_rng(0).integers(0, FOLDS, len(found.right))
    p, answered = np.zeros(len(fold)), np.zeros(len(fold), dtype=bool)
    for k in range(FOLDS):
        mine, others = fold == k, fold != k
        made = Calibration.fit("", found.probabilities[others], found.right[others])
        p[mine] = made.apply(found.probabilities[mine])
        answered[mine] = p[mine] >= made.threshold(precision)
    figures = answers_and_refusals(found, p, answered)
    return {name: round(float(value), 3) for name, value in figures.items()}


def tables(data: Path, model: SpanModel, work: Path, digest: str, limit: int) -> dict[str, Table]:
    """Return the evidence of the held-out questions and of the development sets, kept in `work`."""
    found = {}
    for name in ("held_out", *DEV):
        kept = kept_table(work, name, digest, limit)
        if not kept.exists():
            work.mkdir(parents=True, exist_ok=True)
            docs = work / "held_out" if name == "held_out" else data / "dev" / name / "docs"
            asked = _questions(name, data, docs, limit)
            with KnowledgeBase(work / f"{name}-index") as kb:
                kb.sync(docs)
                collect(kb, model, asked, name).save(kept)
        found[name] = Table.load(kept)
    return found


def kept_table(work: Path, name: str, digest: str, limit: int) -> Path:
    """Return the file of a set's evidence: it goes with one model and one list of features."""
    version = zlib.crc32(",".join(FEATURES).encode())
    return work / f"{name}-{digest[:12]}-{version:08x}-{limit}.npz"


def _questions(name: str, data: Path, docs: Path, limit: int) -> list[Asked]:
    if name == "held_out":
        return make_questions(data, default_backbone(), docs, 3 * limit)
    questions = read_questions(data / "dev" / name / "questions.jsonl")
    return [Asked(question) for question in sample(questions, limit)]


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, fit, write and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="folder that holds train/ and dev/"
    )
    parser.add_argument("--model", type=Path, required=True, help="the exported .onnx file")
    parser.add_argument("--work", type=Path, required=True, help="folder for indexes and evidence")
    parser.add_argument("--limit", type=int, default=1500, help="questions of a set, at most")
    parser.add_argument("--floor", type=float, default=0.5, help="answer from here on, to report")
    given = parser.parse_args(arguments)
    digest = file_sha256(given.model)
    found = tables(given.data, open_model(given.model), given.work, digest, given.limit)
    dev = {name: found[name] for name in DEV}
    line = calibrated(fit(found["held_out"]), dev)
    values = {
        "sha256": digest,
        "weights": dict(zip(FEATURES, np.round(line.weights, 5).tolist(), strict=True)),
        "intercept": round(line.intercept, 5),
        "curve": curve(line, {name: dev[name] for name in ENGLISH}),
    }
    text = json.dumps(values, indent=1)
    given.model.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    for name, table in found.items():
        print(name, json.dumps(report(table, line, given.floor)))
    for name in ENGLISH:
        figures = calibrated_report(dev[name], line, Settings().target_precision)
        print(name, "calibrated", json.dumps(figures))


if __name__ == "__main__":
    main()
