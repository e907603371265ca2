"""A reader of any backbone, to measure it: many questions at once, each with its own passage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer

from rag.answering.read.layout import word_pieces
from rag.answering.read.model import Predict, open_predict
from rag.answering.read.spans import Logits, Reading, best_apart, window_readings
from rag.answering.read.windows import IntArray, Passage, Window, batches, cut
from training.layout import open_layout
from training.model import from_weights

LENGTH, STRIDE = 224, 112
"""Tokens of a window, and at most between the starts of two."""

BATCH_TOKENS = 4096

NOTHING = Reading(0, 0, -100.0, -100.0, -100.0)


@dataclass(frozen=True, slots=True)
class Model:
    """A reader's function with its tokenizer, and the windows that it is given."""

    predict: Predict
    tokenizer: Tokenizer
    length: int = LENGTH
    stride: int = STRIDE

    def read(self, asked: Sequence[tuple[str, str]]) -> list[Reading]:
        """Return the best reading for each question and passage."""
        windows = [
            window
            for index, (question, text) in enumerate(asked)
            for window in self._cut(index, question, text)
        ]
        found: list[list[Reading]] = [[] for _ in asked]
        for batch in batches(windows, BATCH_TOKENS):
            outputs = self.predict(batch.ids, batch.mask, batch.types)
            for window, start, end, known in zip(batch.windows, *outputs, strict=True):
                found[window.passage] += window_readings(window, start, end, float(known))
        return [next(iter(best_apart(readings, 1)), NOTHING) for readings in found]

    def _cut(self, index: int, question: str, text: str) -> Iterator[Window]:
        """Yield the windows of one passage, as the program cuts them."""
        passages = [Passage(text, 0, len(text))]
        pieces = word_pieces(self.tokenizer)
        for window in cut(pieces, question, passages, self.length, self.stride):
            yield replace(window, passage=index)


def torch_predictor(
    backbone: Path, segments: bool, weights: Path, device: str = "cpu", bfloat16: bool = False
) -> Predict:
    """Return the model of a run's weights as a function."""
    model = from_weights(backbone, segments, weights).to(device)
    if bfloat16:
        model.body.bfloat16()

    def predict(ids: IntArray, mask: IntArray, types: IntArray) -> tuple[Logits, Logits, Logits]:
        with torch.inference_mode():
            given = (torch.from_numpy(a).to(device) for a in (ids, mask, types))
            start, end, answerable = (part.cpu().numpy() for part in model(*given))
        return start, end, answerable

    return predict


def open_reader(
    model: Path,
    backbone: Path,
    length: int = LENGTH,
    stride: int = STRIDE,
    device: str = "cpu",
    bfloat16: bool = False,
) -> Model:
    """Return the reader in an exported `.onnx` file or a run's `.pt` file."""
    tokenizer, layout = open_layout(backbone)
    if model.suffix == ".onnx":
        predict = open_predict(model)
    else:
        predict = torch_predictor(backbone, layout.segments, model, device, bfloat16)
    return Model(predict, tokenizer, length, stride)
