"""A follow-up question -> one that stands alone, by rules and without a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce

from rag.store.lexical import STOP_WORDS, index_terms

History = Sequence[tuple[str, str]]
"""Earlier questions and the texts of their answers, oldest first."""

_CONNECTIVE = re.compile(
    r"(?:and|but|or|also|then|what about|how about|what else|why|how so|since when|und|y|et)\b",
    re.I,
)
_POINTING_BACK = re.compile(
    r"\b(?:it|its|he|him|his|she|her|hers|they|them|their|theirs|that|this|those|these|there|then|"
    r"one|ones|same|former|latter)\b",
    re.I,
)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_MOST_WORDS_OF_FRAGMENT = 2


def has_question(text: str) -> bool:
    """Whether the text asks for anything: "Hi", "Thank you!" and "What is it?" do not."""
    greetings = {"hi", "hello", "hey", "thanks", "thank", "bye", "goodbye", "ok", "okay", "yes"}
    return bool(_content_words(text) - greetings)


def standalone_question(question: str, history: History) -> str:
    """The question with what it takes from earlier ones, for retrieval and reading.

    >>> standalone_question("And in 2023?", [("How many cars were sold in 2024?", "12 [1]")])
    'How many cars were sold in 2023?'
    """
    return reduce(_resolve, [asked for asked, _ in history] + [question])


def _resolve(previous: str, question: str) -> str:
    if not _leans_on_previous(question):
        return question
    years = _YEAR.findall(question)
    rest = _content_words(_YEAR.sub("", question)) - {"and", "about"}
    if len(years) == 1 and not rest and len(_YEAR.findall(previous)) == 1:
        return _YEAR.sub(years[0], previous)
    return f"{previous} {question}"


def _leans_on_previous(question: str) -> bool:
    words = _content_words(question)
    if _CONNECTIVE.match(question.strip()) and len(words) <= 3:
        return True
    if len(words) < _MOST_WORDS_OF_FRAGMENT and len(question.split()) <= 4:
        return True
    names = re.findall(r"(?<!^)\b[A-Z][a-z]+", question.strip())
    return bool(_POINTING_BACK.search(question)) and not names


def _content_words(text: str) -> set[str]:
    return set(index_terms(text).split()) - STOP_WORDS
