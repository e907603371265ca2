"""Questions that the documents do not answer, made of ones that they do: a word is replaced.

By another name or year from elsewhere in the documents, so that the question looks as if it had an
answer; where there is none that fits, by an opposite, or by a country or year of no document. It
is kept only if no sentence of any document has the new word and half of the question's others.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.evaluate.draft.facts import YEAR
from rag.evaluate.draft.grammar import stem
from rag.evaluate.draft.names import Names, find_names
from rag.evaluate.draft.opposites import COUNTRIES, opposites, years_near
from rag.question_sets.locate import Documents
from rag.question_sets.model import Evidence
from rag.text.sentences import sentence_spans
from rag.text.terms import index_terms

_TRIES = 4
"""Words that are tried for one place in a question."""

_SHARED = 0.5
"""Share of a question's other words with which a sentence might answer it after all."""

NAMED, OPPOSITE, INVENTED = range(3)
"""Where a new word is from: the documents, the opposite of the old one, or nowhere in them. The
first are the hardest to tell from what the documents answer, and are preferred."""


@dataclass(frozen=True, slots=True)
class Swap:
    """A question with ``old`` replaced by ``new``; ``statement`` is its sentence, so changed.

    ``kind`` is :data:`NAMED`, :data:`OPPOSITE` or :data:`INVENTED`.
    """

    question: str
    old: str
    new: str
    statement: str
    kind: int = NAMED

    @property
    def words(self) -> frozenset[str]:
        """The question's words but for the new one, as the index folds them."""
        rest = _whole(self.new).sub(" ", self.question)
        return _terms(rest) - _ASKING


def _terms(text: str) -> frozenset[str]:
    return frozenset(map(stem, index_terms(text).split()))


_PART_AFTER = re.compile(r" [A-Z]\.|[’'](?:s )?[A-Z]")
_PART_BEFORE = re.compile(r"\b[A-Z]\. $|[’']s $|\($")
"""What shows that a name is part of a longer one: "William E. Simon", "America's Cup"."""

_ASKING = _terms(
    "when where who what which how many much did does do is are was were has have had by in "
    "the a an of to for percentage on since until and from with at will would can"
)


_AHEAD = re.compile(r"\b(?:will|expected|planned|scheduled)\b")
"""Asks for what is to come; then a later year fits, else an earlier one."""


@dataclass(frozen=True, slots=True)
class QuestionParts:
    """A question and the places it comes from, from small to large.

    ``around`` is the text on both sides of its ``statement``, ``document`` the whole. ``of_share``:
    it asks for a percentage, so that the opposite of a word may be answered by what is left.
    """

    question: str
    statement: str
    around: str
    document: str
    of_share: bool = False


def swaps(
    asked: QuestionParts, names: Names, years: Sequence[str], rng: random.Random
) -> Iterator[Swap]:
    """Yield near misses of a question, the preferred ones first.

    Whether the documents say is not known.

    What stands around the statement is not taken: it may belong to it, as a country does to its
    town. Names of the same document come before others: they are on the same subject.
    """
    found = []
    for kind, old, pool in _replaceable(asked, names, years):
        for new in rng.sample(pool, min(_TRIES, len(pool))):
            question = _replaced(asked.question, old, new, count=1)
            found.append(Swap(question, old, new, _replaced(asked.statement, old, new), kind))
    rng.shuffle(found)
    yield from sorted(found, key=lambda swap: swap.kind)


def _replaced(text: str, old: str, new: str, count: int = 0) -> str:
    return _whole(old).sub(lambda _: new, text, count=count)


def unstated(found: Sequence[Swap], documents: Documents) -> Mapping[Swap, Evidence | None]:
    """Return those that no sentence of the documents might answer.

    With each the first place of the new word, which a question was made from; None if it stands
    nowhere, or was not taken from there.
    """
    words = [swap.words for swap in found]
    stated: set[int] = set()
    first: dict[int, Evidence] = {}
    for source in documents.sources:
        text = documents.text_of(source)
        named = [i for i, swap in enumerate(found) if i not in stated and swap.new in text]
        if not named:
            continue
        for start, end in sentence_spans(text):
            sentence = text[start:end]
            here = [i for i in named if found[i].new in sentence]
            terms = _terms(sentence) if here else frozenset()
            stated |= {i for i in here if len(words[i] & terms) >= _SHARED * len(words[i])}
            for i in here:
                first.setdefault(i, Evidence(source, start, end))
        stated |= {i for i in named if found[i].statement in text}
    return {
        swap: first.get(i) if swap.kind == NAMED else None
        for i, swap in enumerate(found)
        if i not in stated and (i in first or swap.kind != NAMED)
    }


def _replaceable(
    asked: QuestionParts, names: Names, years: Sequence[str]
) -> Iterator[tuple[int, str, Sequence[str]]]:
    """Each word of a question that can be replaced, by which words, and where those are from."""
    question = asked.question

    def elsewhere(words: Iterable[str]) -> list[str]:
        return [one for one in words if not _overlap(one, asked.around)]

    head = question.index(" ") if " " in question else 0
    for start, end in find_names(question):
        name = question[start:end]
        part = _PART_AFTER.match(question, end) or _PART_BEFORE.search(question, 0, start)
        if start < head or part:
            continue
        if name in names:
            like = names.like(name, asked.statement)
            few = elsewhere(one for one in like if len(one.split()) <= len(name.split()) + 1)
            yield NAMED, name, [one for one in few if one in asked.document] or few
        if name in COUNTRIES:
            yield INVENTED, name, elsewhere(sorted(COUNTRIES - {name} - names.seen.keys()))
    later = bool(_AHEAD.search(question))
    for match in re.finditer(rf"(?<![\w,.$-]){YEAR}(?![\w,%-])", question):
        year = match[0]
        fit = elsewhere(one for one in years if one != year and later == (one > year))
        yield NAMED, year, sorted(fit, reverse=not later)[:_TRIES]
        yield INVENTED, year, elsewhere(one for one in years_near(year, later) if one not in years)
    if not asked.of_share:
        for word, others in opposites(question):
            yield OPPOSITE, word, elsewhere(others)


def _overlap(name: str, text: str) -> bool:
    return any(_whole(word).search(text) for word in name.split() if len(word) > 2)


def _whole(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")


def years_in(texts: Iterable[str]) -> list[str]:
    """Return the years that stand in the texts, sorted."""
    return sorted({year for text in texts for year in re.findall(rf"(?<![\w,.$-]){YEAR}\b", text)})
