"""Measure a reader with the passage given: `python -m training.evaluate_reading --data DIR MODEL`.

MODEL is an exported `.onnx` file or a run's `.pt` weights. Prints one JSON object. Of sets that
are knowledge bases, such as xquad_de, the paragraph that holds the evidence is given.
"""

from __future__ import annotations

import argparse
import json
import random
import time
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from rag.answering.read.spans import Reading
from rag.evaluate.squad import best_f1, exact_match
from training.data import DevExample, read_dev
from training.metrics import auroc, best_threshold
from training.model import default_backbone
from training.noise import noisy
from training.reading import LENGTH, STRIDE, Model, open_reader

Report = dict[str, float]


NOISY = "_noisy"
SETS = ("xquad_en", f"xquad_en{NOISY}", "squad2")


def score_answers(examples: Sequence[DevExample], readings: Sequence[Reading]) -> Report:
    """Return EM and F1 in percent over the questions that have answers, none refused."""
    pairs = [(e, e.context[r.start : r.end]) for e, r in zip(examples, readings, strict=True)]
    pairs = [(e, given) for e, given in pairs if e.answers]
    return {
        "em": 100 * float(np.mean([exact_match(given, e.answers) for e, given in pairs])),
        "f1": 100 * float(np.mean([best_f1(given, e.answers) for e, given in pairs])),
    }


def score_refusals(examples: Sequence[DevExample], readings: Sequence[Reading]) -> Report:
    """Return AUROC of answerable against not, and best-threshold F1 and EM, by signal."""
    report: Report = {}
    given = [e.context[r.start : r.end] for e, r in zip(examples, readings, strict=True)]
    empty = [float(not e.answers) for e in examples]
    gains = [
        best_f1(g, e.answers) if e.answers else 0.0 for g, e in zip(given, examples, strict=True)
    ]
    for name, scores in features(readings).items():
        yes = [s for s, e in zip(scores, examples, strict=True) if e.answers]
        no = [s for s, e in zip(scores, examples, strict=True) if not e.answers]
        best, threshold = best_threshold(scores, gains, empty)
        report[f"auroc_{name}"] = auroc(yes, no)
        report[f"best_f1_{name}"] = 100 * best
        report[f"threshold_{name}"] = threshold
    report["refuse_all_f1"] = 100 * float(np.mean(empty))
    return report


def features(readings: Sequence[Reading]) -> dict[str, list[float]]:
    """Return the numbers that may decide about refusing, each a list over the readings."""
    return {
        "margin": [r.null_margin for r in readings],
        "answerable": [r.answerable for r in readings],
        "sum": [r.null_margin + r.answerable for r in readings],
        "both": [r.rank for r in readings],
    }


def evaluate(
    model: Model,
    data: Path,
    limit: int | None = None,
    keep: Path | None = None,
    sets: Sequence[str] = SETS,
) -> dict[str, Report]:
    """Measure on development sets; `_noisy` behind a name: with questions typed badly.

    With `limit` each set is a fixed random sample of that many questions. Each reading is written
    to `readings_<set>.jsonl` in the folder `keep`, if given.
    """
    report: dict[str, Report] = {}
    for name in sets:
        examples = read_set(data, name.removesuffix(NOISY))
        if limit is not None and limit < len(examples):
            examples = random.Random(0).sample(examples, limit)
        rng = random.Random(0)
        questions = [noisy(e.question, rng) if NOISY in name else e.question for e in examples]
        began = time.monotonic()
        readings = model.read([(q, e.context) for q, e in zip(questions, examples, strict=True)])
        seconds = time.monotonic() - began
        report[name] = {"questions": len(examples), "seconds": round(seconds, 1)}
        report[name] |= score_answers(examples, readings)
        if not all(e.answers for e in examples):
            report[name] |= score_refusals(examples, readings)
        if keep is not None:
            write_readings(keep / f"readings_{name}.jsonl", examples, readings)
    return report


def read_set(data: Path, name: str) -> list[DevExample]:
    """Read `dev/reading/NAME`, or else make it of the knowledge base `dev/NAME`."""
    path = data / "dev/reading" / f"{name}.jsonl.gz"
    return read_dev(path) if path.exists() else read_knowledge_base(data / "dev" / name)


def read_knowledge_base(folder: Path) -> list[DevExample]:
    """Return the questions to a knowledge base that have evidence, each with its paragraph."""
    found = []
    for line in (folder / "questions.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["evidence"]:
            place = row["evidence"][0]
            text = (folder / "docs" / place["source"]).read_text("utf-8")
            context = paragraph_at(text, place["start"])
            found.append(DevExample(row["id"], context, row["question"], tuple(row["answers"])))
    return found


def paragraph_at(text: str, place: int) -> str:
    """Return the paragraph of a text that holds the character at `place`."""
    start = text.rfind("\n\n", 0, place)
    end = text.find("\n\n", place)
    return text[start + 2 if start >= 0 else 0 : end if end >= 0 else len(text)]


def write_readings(path: Path, examples: Sequence[DevExample], readings: Sequence[Reading]) -> None:
    """Write what each reading said and whether it was right, for `calibrate` and others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as out:
        for example, reading in zip(examples, readings, strict=True):
            out.write(json.dumps(row(example, reading), ensure_ascii=False) + "\n")


def row(example: DevExample, reading: Reading) -> dict[str, object]:
    """Return one reading with its truth: `stated`, and EM and F1, 0 where nothing is stated."""
    given = example.context[reading.start : reading.end]
    answers = example.answers
    quality = {
        "stated": bool(answers),
        "em": exact_match(given, answers) if answers else 0.0,
        "f1": best_f1(given, answers) if answers else 0.0,
    }
    named = {"id": example.id, "question": example.question, "span": given}
    return named | {"passage": zlib.crc32(example.context.encode())} | quality | asdict(reading)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds dev/reading")
    parser.add_argument("--backbone", type=Path, help="model folder (default: the bundled MiniLM)")
    parser.add_argument("--limit", type=int, help="measure on a sample of this many questions")
    parser.add_argument("--length", type=int, default=LENGTH, help="tokens a window")
    parser.add_argument("--stride", type=int, default=STRIDE, help="tokens between window starts")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="of a .pt file's model")
    parser.add_argument("--bfloat16", action="store_true", help="the body of a .pt file")
    parser.add_argument("--sets", nargs="+", default=SETS, help="such as xquad_en xquad_de")
    parser.add_argument("--readings", type=Path, help="folder to write each reading to")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    backbone = given.backbone or default_backbone()
    model = open_reader(
        given.model, backbone, given.length, given.stride, given.device, given.bfloat16
    )
    report = evaluate(model, given.data, given.limit, given.readings, given.sets)
    rounded = {k: {name: round(v, 4) for name, v in part.items()} for k, part in report.items()}
    print(json.dumps(rounded, indent=2))


if __name__ == "__main__":
    main()
