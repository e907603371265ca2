"""Questions that the documents do not answer, made of ones that they do: another name or year.

The name comes from elsewhere in the documents, so the question looks as if it had an answer. It is
kept only if no sentence of any document has the new name and half of the question's other words.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag.draft.facts import YEAR
from rag.draft.names import Names, find_names
from rag.questions.locate import Documents
from rag.sentences import sentence_spans
from rag.store.lexical import index_terms

_TRIES = 4
"""Names that are tried for one place in a question."""

_SHARED = 0.5
"""Share of a question's other words with which a sentence might answer it after all."""


@dataclass(frozen=True, slots=True)
class Swap:
    """A question with ``old`` replaced by ``new``; ``statement`` is its sentence, so changed."""

    question: str
    old: str
    new: str
    statement: str

    @property
    def words(self) -> frozenset[str]:
        """The question's words but for the new name, as the index folds them."""
        rest = _whole(self.new).sub(" ", self.question)
        return frozenset(index_terms(rest).split()) - _ASKING


_PART_AFTER = re.compile(r" [A-Z]\.|[’'](?:s )?[A-Z]")
_PART_BEFORE = re.compile(r"\b[A-Z]\. $|[’']s $|\($")
"""What shows that a name is part of a longer one: "William E. Simon", "America's Cup"."""

_ASKING = frozenset(
    index_terms(
        "when where who what which how many much did does do is are was were has have had by in "
        "the a an of to for percentage on since until and from with at will would can"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the places it comes from, from small to large.

    ``around`` is the text on both sides of its ``statement``, ``document`` the whole.
    """

    question: str
    statement: str
    around: str
    document: str


def swaps(asked: Asked, names: Names, years: Sequence[str], rng: random.Random) -> Iterator[Swap]:
    """Near misses of a question, in random order; whether the documents say is not yet known.

    What stands around the statement is not taken: it may belong to it, as a country does to its
    town. Names of the same document come before others: they are on the same subject.
    """
    found = []
    for old, pool in _replaceable(asked, names, years):
        for new in rng.sample(pool, min(_TRIES, len(pool))):
            found.append(
                Swap(
                    _replaced(asked.question, old, new, count=1),
                    old,
                    new,
                    _replaced(asked.statement, old, new),
                )
            )
    rng.shuffle(found)
    yield from found


def _replaced(text: str, old: str, new: str, count: int = 0) -> str:
    return _whole(old).sub(lambda _: new, text, count=count)


def unstated(found: Sequence[Swap], documents: Documents) -> list[Swap]:
    """Those that no sentence of the documents might answer."""
    words = [swap.words for swap in found]
    stated: set[int] = set()
    for source in documents.sources:
        text = documents.text_of(source)
        named = [i for i, swap in enumerate(found) if i not in stated and swap.new in text]
        if not named:
            continue
        for start, end in sentence_spans(text):
            sentence = text[start:end]
            here = [i for i in named if found[i].new in sentence]
            terms = set(index_terms(sentence).split()) if here else set()
            stated |= {i for i in here if len(words[i] & terms) >= _SHARED * len(words[i])}
        stated |= {i for i in named if found[i].statement in text}
    return [swap for i, swap in enumerate(found) if i not in stated]


def _replaceable(
    asked: Asked, names: Names, years: Sequence[str]
) -> Iterator[tuple[str, list[str]]]:
    """Each name and year of a question, with what can take its place."""
    question = asked.question
    head = question.index(" ") if " " in question else 0
    for start, end in find_names(question):
        name = question[start:end]
        part = _PART_AFTER.match(question, end) or _PART_BEFORE.search(question, 0, start)
        if start >= head and name in names and not part:
            few = [one for one in names.like(name) if len(one.split()) <= len(name.split()) + 1]
            few = [one for one in few if not _overlap(one, asked.around)]
            yield name, [one for one in few if one in asked.document] or few
    for match in re.finditer(rf"(?<![\w,.$-]){YEAR}(?![\w,%-])", question):
        yield match[0], [year for year in years if not _overlap(year, asked.around)]


def _overlap(name: str, text: str) -> bool:
    return any(_whole(word).search(text) for word in name.split() if len(word) > 2)


def _whole(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")


def years_in(texts: Iterable[str]) -> list[str]:
    """The years that stand in the texts, sorted."""
    return sorted({year for text in texts for year in re.findall(rf"(?<![\w,.$-]){YEAR}\b", text)})
