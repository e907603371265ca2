"""The conversation: questions, answers with their citations, refusals with the nearest passages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from rag.types import Answer
from rag.web.render.answers import AnswerView, RefusalView, answer_view, refusal_view
from rag.web.render.page_templates import fill


@dataclass(frozen=True, slots=True)
class Turn:
    """A question of the conversation and what came of it so far.

    ``answerer`` is ``extractive`` or ``llm``. ``done`` is False while the answer grows. ``error``
    is a sentence to show: alone, or above an answer found in another way. ``stopped`` means that
    the user cut the answer off.
    """

    question: str
    answer: Answer | None = None
    answerer: str = "extractive"
    error: str = ""
    done: bool = False
    stopped: bool = False


def heading(can_log_out: bool) -> Markup:
    """What stands above the page."""
    return fill("heading.html", can_log_out=can_log_out)


def transcript(turns: Sequence[Turn], welcome: Markup | None = None) -> Markup:
    """The conversation; ``welcome`` stands in its place while there is none."""
    shown = [_turn(turn, index) for index, turn in enumerate(turns)]
    return fill("transcript.html", turns=shown, welcome=welcome)


def welcome(documents: int, examples: Sequence[str], folder: str) -> Markup:
    """What the page shows before the first question."""
    return fill("welcome.html", documents=documents, examples=examples, folder=folder)


@dataclass(frozen=True, slots=True)
class _TurnView:
    """At most one of ``answer`` and ``refusal`` is there; ``has_answer`` is so for an empty one."""

    question: str
    error: str
    has_answer: bool
    answer: AnswerView | None
    refusal: RefusalView | None
    is_busy: bool
    is_stopped: bool
    can_be_wrong: bool


def _turn(turn: Turn, index: int) -> _TurnView:
    answer = turn.answer
    return _TurnView(
        question=turn.question,
        error=turn.error,
        has_answer=answer is not None,
        answer=_answer(turn, index),
        refusal=refusal_view(answer) if answer and answer.refused else None,
        is_busy=not (turn.done or turn.stopped),
        is_stopped=turn.stopped,
        can_be_wrong=turn.done and answer is not None and answer.reason != "no_question",
    )


def _answer(turn: Turn, index: int) -> AnswerView | None:
    answer = turn.answer
    if answer is None or answer.refused or not answer.text:
        return None
    return answer_view(answer, index, turn.answerer, turn.done)
