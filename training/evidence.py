"""Ask questions over an index and keep the evidence for every reading, with the truth beside it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from rag import Hit, KnowledgeBase
from rag.answering.compose import sentence_of
from rag.answering.question import Question
from rag.answering.read.evidence import FEATURES, Candidate, features
from rag.answering.read.model import SpanModel
from rag.answering.read.reader import find
from rag.embed import bundled_encoder
from rag.evaluate.scored import RIGHT_F1
from rag.evaluate.squad import best_f1, holds_answer
from rag.question_sets import GoldQuestion
from rag.types import Span

HITS = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to put; `withheld` keeps the passages with its evidence from the reader."""

    question: GoldQuestion
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The readings of all questions, one a row.

    `rows` is of shape (readings, features), `right` says whether a reading answers, `owner` which
    question it belongs to; `answerable` has an entry for each question.
    """

    rows: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]
    owner: npt.NDArray[np.int64]
    answerable: npt.NDArray[np.bool_]

    def save(self, path: Path) -> None:
        """Write the table."""
        np.savez_compressed(
            path, rows=self.rows, right=self.right, owner=self.owner, answerable=self.answerable
        )

    @classmethod
    def load(cls, path: Path) -> Table:
        """Read a table."""
        with np.load(path) as saved:
            return cls(*(saved[name] for name in ("rows", "right", "owner", "answerable")))


def collect(kb: KnowledgeBase, model: SpanModel, asked: Sequence[Asked], label: str) -> Table:
    """Search and read for each question."""
    rows, right, owner = [np.empty((0, len(FEATURES)))], [], []
    for number, one in enumerate(tqdm(asked, desc=label, mininterval=20)):
        hits = kb.search(one.question.question, HITS)
        if one.withheld:
            hits = without_evidence(kb, one.question)
        candidates = find(model, one.question.question, hits)
        rows.append(features(Question(one.question.question), candidates, bundled_encoder().encode))
        right += [not one.withheld and is_right(c, one.question) for c in candidates]
        owner += [number] * len(candidates)
    answerable = [one.question.answerable and not one.withheld for one in asked]
    return Table(np.concatenate(rows), np.array(right), np.array(owner), np.array(answerable))


def without_evidence(kb: KnowledgeBase, question: GoldQuestion) -> list[Hit]:
    """Return the best hits that neither hold the evidence nor the answer."""
    answers = [answer.casefold() for answer in question.answers]
    found = kb.search(question.question, 3 * HITS)
    return [hit for hit in found if not any(a in hit.text.casefold() for a in answers)][:HITS]


def is_right(candidate: Candidate, question: GoldQuestion) -> bool:
    """Whether a reading says what a gold answer says, in a sentence that overlaps the evidence."""
    reading = candidate.reading
    span = Span(candidate.hit, reading.start, reading.end, 0.0)
    sentence = sentence_of(span)
    if not question.is_evidence(candidate.hit.source, sentence.start, sentence.end):
        return False
    answers = question.answers
    return holds_answer(span.text, answers) or best_f1(span.text, answers) >= RIGHT_F1


def sample(
    questions: Sequence[GoldQuestion], limit: int | None, seed: int = 0
) -> list[GoldQuestion]:
    """Return at most `limit` of the questions, always the same ones."""
    if limit is None or limit >= len(questions):
        return list(questions)
    return random.Random(seed).sample(list(questions), limit)
