"""Hard passages: the ones most like what a question asks for that do not hold its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from tqdm import tqdm

from training.data import Example

_SPACED = re.compile(r"\w \w")


def _vectorizer(text: str) -> TfidfVectorizer:
    """Return what counts words or, where a text like this has no blanks, pairs of characters."""
    if _SPACED.search(text[:200]):
        return TfidfVectorizer(sublinear_tf=True, stop_words="english", dtype=np.float32)
    return TfidfVectorizer(sublinear_tf=True, analyzer="char", ngram_range=(2, 2), dtype=np.float32)


class Passages:
    """The passages of each group, and for each question those near it and its siblings."""

    def __init__(self, examples: Sequence[Example], indices: Sequence[int], keep: int = 3) -> None:
        """Rank the passages of every group for the examples at `indices`, best `keep` kept."""
        self._hard: dict[int, list[str]] = {}
        self._asked: dict[str, list[str]] = {}
        for i in indices:
            self._asked.setdefault(examples[i].context, []).append(examples[i].question)
        groups: dict[str, list[int]] = {}
        for i in indices:
            groups.setdefault(examples[i].group, []).append(i)
        for members in tqdm(groups.values(), desc="hard passages", unit="group"):
            self._rank([examples[i] for i in members], members, keep)

    def near(self, index: int) -> list[str]:
        """Return passages close to the question of example `index` that lack its answer."""
        return self._hard.get(index, [])

    def siblings(self, example: Example) -> list[str]:
        """Return the other questions to an example's passage."""
        return [q for q in self._asked.get(example.context, []) if q != example.question]

    def _rank(self, members: list[Example], indices: list[int], keep: int) -> None:
        """Rank one group's passages by TF-IDF cosine, own passage and answer holders left out."""
        contexts = sorted({e.context for e in members})
        if len(contexts) < 2:
            return
        vectorizer = _vectorizer(contexts[0])
        table = vectorizer.fit_transform(contexts)
        lowered = [context.lower() for context in contexts]
        for offset in range(0, len(members), 512):
            part = members[offset : offset + 512]
            queries = vectorizer.transform([e.question for e in part])
            scores = np.asarray((queries @ table.T).todense())
            for row, example in enumerate(part):
                order = np.argsort(-scores[row])[: keep + 12]
                answer = example.answer.lower()
                fit = [i for i in order if answer not in lowered[i]]
                found = [contexts[i] for i in fit if contexts[i] != example.context]
                self._hard[indices[offset + row]] = found[:keep]
