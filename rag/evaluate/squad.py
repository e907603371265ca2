"""Exact match and F1 as SQuAD defines them (Rajpurkar et al. 2016, ``evaluate-v1.1.py``)."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable

_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")


def normalize_answer(text: str) -> str:
    """SQuAD's normalisation: lower case, no punctuation, no English articles, single blanks."""
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def exact_match(said: str, answers: Iterable[str]) -> float:
    """1.0 if ``said`` equals one of the answers after normalisation, else 0.0."""
    said = normalize_answer(said)
    return float(any(said == normalize_answer(answer) for answer in answers))


def best_f1(said: str, answers: Iterable[str]) -> float:
    """F1 with the answer that fits best; 0.0 without answers."""
    return max((token_f1(said, answer) for answer in answers), default=0.0)


def token_f1(said: str, answer: str) -> float:
    """SQuAD's F1 over words; characters of Chinese and Japanese count as words (as in MLQA)."""
    said_tokens, answer_tokens = _tokens(said), _tokens(answer)
    if not said_tokens or not answer_tokens:
        return float(said_tokens == answer_tokens)
    common = sum((Counter(said_tokens) & Counter(answer_tokens)).values())
    return 2.0 * common / (len(said_tokens) + len(answer_tokens))


def holds_answer(said: str, answers: Iterable[str]) -> bool:
    """Tell whether the words of an answer stand in ``said``, whole and in order."""
    words = f" {' '.join(_tokens(said))} "
    return any(
        f" {' '.join(tokens)} " in words for answer in answers if (tokens := _tokens(answer))
    )


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(normalize_answer(text))
