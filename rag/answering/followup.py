"""A follow-up question -> one that stands alone, by rules and without a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from rag.answering.question import Question, analysed
from rag.text.overlap import terms
from rag.text.terms import MAX_QUESTION_TERMS, index_terms

History = Sequence[tuple[str, str]]
"""Earlier questions and the texts of their answers, oldest first."""

_CONNECTIVE = re.compile(
    r"(?:and|but|or|also|then|what about|how about|what else|how so|since when|und|y|et)\b", re.I
)
_WHY = re.compile(r"why\b", re.I)
_PRONOUN = re.compile(r"\b(?:it|its|he|him|his|she|her|hers|they|them|their|theirs)\b", re.I)
_DEMONSTRATIVE = re.compile(
    r"\b(?:that|this|those|these|there|then|one|ones|same|former|latter)\b", re.I
)
_BLANK_WORDS = frozenset("one ones former latter".split())
_ABOUT_A_NAME = re.compile(r"\w+\s+(?:is|are|was|were)\s+([^\W\d_])")
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")

_MAX_WORDS_OF_FRAGMENT = 2
_OWN_WORDS = 3
"""Content words from which on a question has its own subject: its "there" only introduces."""


def standalone_question(question: str, history: History) -> Question:
    """Return the question with what it takes from earlier ones, for retrieval and reading.

    It takes from one question only, the latest that stood alone, so that a long conversation
    does not pile up; and only as much as leaves the search room for all its own words.

    >>> standalone_question("And in 2023?", [("How many cars were sold in 2024?", "12 [1]")]).text
    'How many cars were sold in 2023?'
    """
    context = ""
    for asked, _ in history:
        if not context or not _leans_on_previous(analysed(asked)):
            context = asked if analysed(asked).has_subject else context
        else:
            context = _in_another_year(context, asked) or context
    own = analysed(question)
    if not context or not _leans_on_previous(own):
        return own
    return analysed(_in_another_year(context, question) or _joined(context, question))


def _in_another_year(context: str, question: str) -> str | None:
    """The earlier question asked for another year, where ``question`` is only that year."""
    years = _YEAR.findall(question)
    rest = terms(_YEAR.sub("", question))
    if len(years) == 1 and not rest and len(_YEAR.findall(context)) == 1:
        return _YEAR.sub(years[0], context)
    return None


def _joined(context: str, question: str) -> str:
    """Both, the context cut to the words that the search has room for beside the question."""
    room = MAX_QUESTION_TERMS - len(index_terms(question).split())
    words = context.split()[: max(room, 0)]
    totals = accumulate(len(index_terms(word).split()) for word in words)
    return " ".join((*words[: sum(total <= room for total in totals)], question))


def _leans_on_previous(asked: Question) -> bool:
    question, names = asked.text.strip(), asked.name_positions
    words = asked.terms - _BLANK_WORDS
    if _CONNECTIVE.match(question) and len(words) <= 3:
        return True
    if _WHY.match(question) and len(words) <= 3 and (not names or len(words) < 2):
        return True
    about = _ABOUT_A_NAME.match(question)
    if about and about.group(1).isupper() and names:  # "Who is Musk?", "What is IT?"
        return False
    if len(words) < _MAX_WORDS_OF_FRAGMENT and len(question.split()) <= 4:
        return True
    pronoun = _PRONOUN.search(question)
    if pronoun and not any(place <= pronoun.start() for place in names):
        return True
    return bool(_DEMONSTRATIVE.search(question)) and not names and len(words) < _OWN_WORDS
