"""The trained span model behind ONNX Runtime: a question and its passages in, readings out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from rag.answering.read.spans import Logits, Reading, best_apart, window_readings
from rag.answering.read.windows import IntArray, Passage, batches, cut
from rag.embed.bundled import bundled_tokenizer
from rag.embed.onnx import open_session, open_tokenizer, require_digest
from rag.errors import ModelError

LENGTH, STRIDE = 96, 48
"""Word pieces of a window, and at most between the starts of two (``training/README.md``)."""

SPANS_PER_PASSAGE = 2

OUTPUTS = ["start_logits", "end_logits", "answerable_logit"]
"""What is read of the model's outputs; it may have others."""

MAX_TOKENS = 4096
"""Tokens of one call of the model: memory stays small, and a question needs one or two calls."""

_WORD = re.compile(r"\b[^\W\d_]+\b")

Predict = Callable[[IntArray, IntArray, IntArray], tuple[Logits, Logits, Logits]]
"""``(ids, mask, types)``, each ``(windows, length)`` -> start and end logits of that shape, and
the logits that each window answers, ``(windows,)``."""


class SpanModel:
    """Finds the words of passages that answer a question."""

    def __init__(
        self, predict: Predict, tokenizer: Path, length: int = LENGTH, stride: int = STRIDE
    ) -> None:
        """Read with ``predict`` the word pieces of the ``tokenizer.json`` given."""
        self._predict = predict
        self._tokenizer = open_tokenizer(tokenizer)
        self._length, self._stride = length, stride

    def read(self, question: str, passages: Sequence[Passage]) -> list[list[Reading]]:
        """The best readings of each passage, best first; none of a passage without words."""
        found: list[list[Reading]] = [[] for _ in passages]
        windows = cut(self._tokenizer, question, passages, self._length, self._stride)
        for batch in batches(windows, MAX_TOKENS):
            starts, ends, answerable = self._predict(batch.ids, batch.mask, batch.types)
            for window, start, end, known in zip(
                batch.windows, starts, ends, answerable, strict=True
            ):
                found[window.passage] += window_readings(window, start, end, float(known))
        return [best_apart(readings, SPANS_PER_PASSAGE) for readings in found]

    def tokens_per_word(self, text: str) -> float:
        """Word pieces a plain word: about 1.04 in the language the model knows, more in others.

        Numbers, and names, which begin with a capital, are split in any language.
        """
        words = [word for word in _WORD.findall(text) if not word[0].isupper()]
        pieces = self._tokenizer.encode(" ".join(words), add_special_tokens=False)
        return len(pieces.ids) / len(words) if words else 1.0


def open_predict(path: Path, digest: str | None = None) -> Predict:
    """The model in an ONNX file. Raises :class:`ModelError` if it is not the one of ``digest``."""
    if digest is not None:
        require_digest(path, digest, "the reader's model")
    elif not path.is_file():
        raise ModelError(f"the reader's model is missing: {path.name}; run 'make install'")
    session = open_session(path)

    def predict(ids: IntArray, mask: IntArray, types: IntArray) -> tuple[Logits, Logits, Logits]:
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        start, end, answerable = session.run(OUTPUTS, feed)
        return start, end, answerable

    return predict


def open_model(path: Path, digest: str | None = None) -> SpanModel:
    """The model in an ONNX file, with the tokenizer of the bundled backbone."""
    return SpanModel(open_predict(path, digest), bundled_tokenizer())
