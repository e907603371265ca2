"""The name that a document is about: the proper noun that stands in it most often. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from rag.text.terms import STOP_WORDS

_NAME = re.compile(r"(?<=[^\W_][\w,;)’'-] )[^\W\d_][\w-]+")
"""A word that begins no sentence and no line; whether it has a capital is asked afterwards."""


def names(text: str) -> Counter[str]:
    """Count how often each word stands in ``text`` with a capital that begins no sentence."""
    words = (match.group().removesuffix("'s") for match in _NAME.finditer(text))
    return Counter(w for w in words if w[0].isupper() and w.lower() not in STOP_WORDS)


def naming_the_subject(text: str, sentences: Sequence[str]) -> list[int]:
    """Return the indices of the ``sentences`` with the most frequent name of ``text``.

    A name that no sentence has does not count. In scripts without capitals there is none.
    """
    for name, _ in names(text).most_common():
        if found := _having(name, sentences):
            return found
    return []


def _having(name: str, sentences: Iterable[str]) -> list[int]:
    word = re.compile(rf"\b{re.escape(name)}\b")
    return [index for index, sentence in enumerate(sentences) if word.search(sentence)]
