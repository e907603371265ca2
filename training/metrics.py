"""SQuAD's exact match and F1, and the figures for answerable against not."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(text: str) -> str:
    """Return a text as SQuAD's evaluation compares it: no case, articles, punctuation, spacing."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact(given: str, answers: Sequence[str]) -> float:
    """Return 1.0 if the text given equals an answer; with no answers, if it is empty."""
    return float(any(normalise(given) == normalise(answer) for answer in answers or [""]))


def f1(given: str, answers: Sequence[str]) -> float:
    """Return the best word overlap (F1) with an answer; with none, 1.0 if nothing is given."""
    return max(_overlap(normalise(given).split(), normalise(a).split()) for a in answers or [""])


def _overlap(given: list[str], answer: list[str]) -> float:
    if not given or not answer:
        return float(given == answer)
    common = sum((Counter(given) & Counter(answer)).values())
    return 2 * common / (len(given) + len(answer))


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Return the probability that a positive scores higher than a negative; ties count half."""
    values = np.concatenate([positive, negative])
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n, m = len(positive), len(negative)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def best_threshold(
    scores: Sequence[float], gains: Sequence[float], empty: Sequence[float]
) -> tuple[float, float]:
    """Return the best mean and its threshold, where scores at or above it earn `gains`.

    The others earn `empty`: 1 where refusing is right.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    delta = (np.asarray(gains) - np.asarray(empty))[order]
    sums = np.concatenate([[0.0], np.cumsum(delta)])
    best = int(sums.argmax())
    mean = (float(np.sum(empty)) + float(sums[best])) / len(scores)
    return mean, float(np.asarray(scores)[order[best - 1]]) if best else float("inf")
