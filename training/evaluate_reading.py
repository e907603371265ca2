"""Measure a reader with the passage given: `python -m training.evaluate_reading --data DIR MODEL`.

MODEL is an exported `.onnx` file or a run's `.pt` weights. Prints one JSON object.
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

from rag.evaluate.squad import best_f1, exact_match
from rag.read.model import LENGTH, STRIDE, Predict, SpanModel, open_predict
from rag.read.spans import Logits, Reading
from rag.read.windows import IntArray, Passage
from training.data import DevExample, read_dev
from training.metrics import auroc, best_threshold
from training.model import default_backbone, from_weights
from training.noise import noisy

Report = dict[str, float]


def torch_predictor(backbone: Path, weights: Path, threads: int = 2) -> Predict:
    """Return the model of a run's weights as a function."""
    torch.set_num_threads(threads)
    model = from_weights(backbone, weights)

    def predict(ids: IntArray, mask: IntArray, types: IntArray) -> tuple[Logits, Logits, Logits]:
        with torch.inference_mode():
            given = (torch.from_numpy(a) for a in (ids, mask, types))
            start, end, answerable, _ = model(*given)
        return start.numpy(), end.numpy(), answerable.numpy()

    return predict


def load_predictor(model: Path, backbone: Path, threads: int = 2) -> Predict:
    """Return the model in a file of either kind as a function."""
    if model.suffix == ".onnx":
        return open_predict(model)
    return torch_predictor(backbone, model, threads)


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
    for name, scores in signals(readings).items():
        yes = [s for s, e in zip(scores, examples, strict=True) if e.answers]
        no = [s for s, e in zip(scores, examples, strict=True) if not e.answers]
        best, threshold = best_threshold(scores, gains, empty)
        report[f"auroc_{name}"] = auroc(yes, no)
        report[f"best_f1_{name}"] = 100 * best
        report[f"threshold_{name}"] = threshold
    report["refuse_all_f1"] = 100 * float(np.mean(empty))
    return report


def signals(readings: Sequence[Reading]) -> dict[str, list[float]]:
    """Return the numbers that may decide about refusing, each a list over the readings."""
    return {
        "margin": [r.margin for r in readings],
        "answerable": [r.answerable for r in readings],
        "both": [r.rank for r in readings],
    }


def evaluate(
    model: SpanModel, data: Path, limit: int | None = None, keep: Path | None = None
) -> dict[str, Report]:
    """Measure on XQuAD and SQuAD 2.0, and on XQuAD with questions typed badly.

    With `limit` each set is a fixed random sample of that many questions. Each reading is written
    to `readings_<set>.jsonl` in the folder `keep`, if given.
    """
    report: dict[str, Report] = {}
    for name in ("xquad_en", "xquad_en_noisy", "squad2"):
        examples = read_dev(data / "dev/reading" / f"{name.removesuffix('_noisy')}.jsonl.gz")
        if limit is not None and limit < len(examples):
            examples = random.Random(0).sample(examples, limit)
        rng = random.Random(0)
        questions = [noisy(e.question, rng) if "noisy" in name else e.question for e in examples]
        began = time.monotonic()
        readings = [
            best_reading(model, q, e.context) for q, e in zip(questions, examples, strict=True)
        ]
        seconds = time.monotonic() - began
        report[name] = {"questions": len(examples), "seconds": round(seconds, 1)}
        report[name] |= score_answers(examples, readings)
        if not all(e.answers for e in examples):
            report[name] |= score_refusals(examples, readings)
        if keep is not None:
            write_readings(keep / f"readings_{name}.jsonl", examples, readings)
    return report


def best_reading(model: SpanModel, question: str, context: str) -> Reading:
    """Return what the model reads in a passage; an empty span where there is nothing to read."""
    [found] = model.read(question, [Passage(context, 0, len(context))])
    return found[0] if found else Reading(0, 0, -100.0, -100.0, -100.0)


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
    parser.add_argument("--readings", type=Path, help="folder to write each reading to")
    given = parser.parse_args(arguments)
    backbone = given.backbone or default_backbone()
    predict = load_predictor(given.model, backbone, given.threads)
    model = SpanModel(predict, backbone / "tokenizer.json", given.length, given.stride)
    report = evaluate(model, given.data, given.limit, given.readings)
    rounded = {k: {name: round(v, 4) for name, v in part.items()} for k, part in report.items()}
    print(json.dumps(rounded, indent=2))


if __name__ == "__main__":
    main()
