"""Whether a question set fits the documents it is asked of."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

from rag.errors import NotFoundError, QuestionSetError
from rag.question_sets.model import Evidence, GoldQuestion
from rag.question_sets.reading import QuestionFile

TextOf = Callable[[str], str]
"""The canonical text of a source. Raises :class:`rag.errors.NotFoundError`."""

_SHOWN = 60


def check_evidence(
    questions: Iterable[GoldQuestion], text_of: TextOf, *, reworded: bool = False
) -> None:
    """Raise :class:`QuestionSetError` for the first evidence that the documents do not bear out.

    Its source must be known, its offsets within the text, and its words must hold an answer (or
    stand in one), whatever the case, spacing and punctuation; ``reworded`` leaves out the last,
    for sets whose answers are in other words than the documents', such as "yes".
    """
    if isinstance(questions, QuestionFile):
        for number, question in questions.numbered():
            _raise_first(f"{questions.path}, line {number}", question, text_of, reworded)
        return
    for question in questions:
        _raise_first("question set", question, text_of, reworded)


def fault(question: GoldQuestion, text_of: TextOf, *, reworded: bool = False) -> str:
    """Return what is wrong with a question's evidence; empty if nothing is."""
    found = (_fault(question, evidence, text_of, reworded) for evidence in question.evidence)
    return next(filter(None, found), "")


def _raise_first(where: str, question: GoldQuestion, text_of: TextOf, reworded: bool) -> None:
    for position, evidence in enumerate(question.evidence):
        message = _fault(question, evidence, text_of, reworded)
        if message:
            raise QuestionSetError(
                f"{where}, question {question.id!r}, 'evidence[{position}]': {message}"
            )


def _fault(question: GoldQuestion, evidence: Evidence, text_of: TextOf, reworded: bool) -> str:
    try:
        text = text_of(evidence.source)
    except NotFoundError:
        return (
            f"the index holds no document {evidence.source!r}; index the folder that the "
            "question set belongs to"
        )
    if evidence.end > len(text):
        return (
            f"ends at {evidence.end}, but {evidence.source!r} has {len(text)} characters; count "
            "in characters of the text that 'rag show' prints"
        )
    words = text[evidence.start : evidence.end]
    if reworded or not question.answers or _holds(words, question.answers):
        return ""
    shown = words if len(words) <= _SHOWN else words[:_SHOWN] + " …"
    return (
        f"{evidence.source!r} {evidence.start}:{evidence.end} reads {shown!r}, which holds none "
        "of the answers; mend the offsets, or allow answers in other words (--reworded)"
    )


def _holds(words: str, answers: Iterable[str]) -> bool:
    words = _letters(words)
    return any((answer := _letters(raw)) in words or (words and words in answer) for raw in answers)


def _letters(text: str) -> str:
    """Letters and digits alone, in one case and form; text without any as it is."""
    normalize = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    return "".join(c for c in normalize if c.isalnum()) or normalize
