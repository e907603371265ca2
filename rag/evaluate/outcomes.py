"""Asks the questions of a set, and keeps for each what was found and what was answered."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from rag.errors import GeneratorError
from rag.question_sets import Evidence, GoldQuestion, check_evidence
from rag.question_sets.model import unique
from rag.store.maintenance.readback import StoredTexts
from rag.types import Answer, Hit, Progress

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase

DEPTH = 10
"""Hits that the ranking metrics look at."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question, what retrieval found for it, and what was answered.

    ``answer`` is None where only retrieval was asked for. ``valid`` says of each of the answer's
    citations whether its quote stood at its offsets in the document read back from disk.
    ``places`` has, for each span of the set's evidence, where it stands: in its document and in
    the copies of that.
    """

    question: GoldQuestion
    hits: tuple[Hit, ...]
    answer: Answer | None
    valid: tuple[bool, ...] = ()
    places: tuple[tuple[Evidence, ...], ...] = ()

    @property
    def valid_citations(self) -> int:
        """Citations whose quote stood at its offsets."""
        return sum(self.valid)


@dataclass(frozen=True, slots=True)
class Options:
    """How to evaluate: who answers (None: as the settings say), or only search; and whether the
    answers may be in other words than their evidence."""

    answerer: str | None = None
    retrieval_only: bool = False
    reworded: bool = False


DEFAULTS = Options()


def evaluate(
    kb: KnowledgeBase,
    questions: Collection[GoldQuestion],
    answerer: str | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Ask every question; see :func:`outcomes` for one at a time.

    Raises :class:`QuestionSetError` for evidence that the documents do not bear out.
    """
    return list(outcomes(kb, questions, Options(answerer), progress))


def outcomes(
    kb: KnowledgeBase,
    questions: Collection[GoldQuestion],
    options: Options = DEFAULTS,
    progress: Progress | None = None,
) -> Iterator[Outcome]:
    """Ask the questions one after the other; all are checked before the first is asked.

    An outcome holds its documents: keep what is needed of it, not all outcomes of a large set.
    """
    check_evidence(questions, lambda source: kb.document(source).text, reworded=options.reworded)
    kb.warm()  # the first question's time is that of the others
    with ExitStack() as stack:
        disk: StoredTexts | None = None
        for done, question in enumerate(questions):
            if progress:
                progress("Asking", done, len(questions))
            places = _places(kb, question)
            question = replace(question, evidence=unique(chain.from_iterable(places)))
            answer = None if options.retrieval_only else _ask(kb, question, options.answerer)
            if disk is None and answer is not None and answer.citations:
                disk = stack.enter_context(StoredTexts(kb.path))
            valid = tuple(
                disk is not None and is_valid(citation.to_dict(), disk)
                for citation in (answer.citations if answer else ())
            )
            hits = tuple(kb.search(question.question, DEPTH))
            yield Outcome(question, hits, answer, valid, places)
    if progress:
        progress("Asking", len(questions), len(questions))


def _places(kb: KnowledgeBase, question: GoldQuestion) -> tuple[tuple[Evidence, ...], ...]:
    """Each span of the evidence, with the same span in copies: they are found under one name."""
    return tuple(
        unique(replace(span, source=name) for name in (span.source, *kb.names(span.source)))
        for span in question.evidence
    )


def _ask(kb: KnowledgeBase, question: GoldQuestion, answerer: str | None) -> Answer:
    try:
        return kb.ask(question.question, answerer=answerer)
    except GeneratorError as error:
        raise GeneratorError(f"question {question.id!r}: {error}") from error


def is_valid(citation: dict[str, Any], disk: StoredTexts) -> bool:
    """Tell whether a citation, as its JSON shows it, quotes the document on disk exactly."""
    text = disk.text(citation["source"])
    if text is None:
        return False
    quote = text[citation["start"] : citation["end"]]
    sha256 = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return bool(quote) and (quote, sha256) == (citation["quote"], citation["sha256"])
