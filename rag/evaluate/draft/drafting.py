"""Draws up a question set from documents: many candidates, a varied choice of them."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag.errors import QuestionSetError
from rag.evaluate.draft.facts import ACRONYM, DEFINITION, SHARE, facts
from rag.evaluate.draft.names import Names
from rag.evaluate.draft.near_miss import QuestionParts, Swap, swaps, unstated, years_in
from rag.evaluate.draft.statements import statements
from rag.evaluate.draft.wording import ask
from rag.question_sets import Evidence, GoldQuestion
from rag.question_sets.locate import Documents
from rag.question_sets.origin import Origin
from rag.types import Progress

_CANDIDATES = 20
"""Candidates kept for each question wanted, which bounds the memory on many documents."""

NEAR_MISS = "near miss"
_AROUND = 400
"""Characters on each side of a fact; what is named there may belong to it, as a country does."""

_NOT_MISSED = (DEFINITION, ACRONYM)
"""Kinds whose questions have too few words to tell whether another name would be answered."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted question, to be reviewed.

    ``near`` is where it comes from: the evidence, or for a near miss the place that it nearly
    asks about, with ``swapped`` (old, new). ``statement`` is the sentence there, and ``origins``
    are the passages that any of its words are from.
    """

    question: GoldQuestion
    kind: str
    near: Evidence
    statement: str
    quality: int
    origins: tuple[Origin, ...]
    swapped: tuple[str, str] | None = None

    @property
    def answer(self) -> str:
        """The answer; empty for a near miss."""
        return self.question.answers[0] if self.question.answers else ""

    def to_dict(self) -> dict[str, Any]:
        """Return the draft as one line of a question set.

        Readers of question sets skip the rest.
        """
        line = self.question.to_dict() | {"draft": True, "kind": self.kind}
        line["near"] = self.near.to_dict()
        if self.swapped:
            line["swapped"] = {"old": self.swapped[0], "new": self.swapped[1]}
        return line | {"from": [origin.to_dict() for origin in self.origins]}


def draft_questions(
    documents: Documents, count: int, seed: int = 0, progress: Progress | None = None
) -> list[Draft]:
    """Return at most ``count`` drafts, up to a third of them not answered by the documents.

    The same documents, count and seed give the same drafts. Raises :class:`QuestionSetError`
    where nothing can be asked.
    """
    rng = random.Random(seed)
    names, years = _vocabulary(documents, progress)
    limit = max(6, _CANDIDATES * count // max(1, len(documents.sources)))
    candidates: list[Draft] = []
    shuffled = rng.sample(documents.sources, len(documents.sources))
    for done, source in enumerate(shuffled):
        found = _candidates(source, documents.text_of(source), names)
        rng.shuffle(found)
        candidates += sorted(found, key=lambda draft: -draft.quality)[:limit]
        if progress:
            progress("Drafting", done + 1, len(documents.sources))
    chosen = _varied(_without_repeats(candidates))
    if not chosen:
        raise QuestionSetError(
            "no question could be drafted: drafts are made of plain English sentences with "
            "names, numbers, dates or definitions, and these documents hold none"
        )
    wanted = min(round(count / 3), len(chosen) // 2)
    missing = _near_misses(chosen, wanted, documents, names, years, rng)
    drafts = chosen[: count - len(missing)] + missing
    return sorted(drafts, key=lambda d: (d.near.source, d.near.start, d.kind == NEAR_MISS))


def _vocabulary(documents: Documents, progress: Progress | None) -> tuple[Names, list[str]]:
    names, years = Names(), set[str]()
    for done, source in enumerate(documents.sources):
        found = list(statements(source, documents.text_of(source)))
        for statement in found:
            names.add(statement.text)
        years.update(years_in(statement.text for statement in found))
        if progress:
            progress("Looking for names", done + 1, len(documents.sources))
    return names, sorted(years)


def _candidates(source: str, text: str, names: Names) -> list[Draft]:
    found = []
    for statement in statements(source, text):
        for fact in facts(statement.text, names):
            asked = ask(statement.text, fact, names)
            if asked:
                place = Evidence(source, statement.start + fact.start, statement.start + fact.end)
                answer = text[place.start : place.end]
                if answer == statement.text[fact.start : fact.end]:  # no line break in it
                    words, quality = asked
                    question = GoldQuestion(_id(words, place), words, (answer,), (place,))
                    origin = Origin.at(source, *statement.sentence, text)
                    found.append(
                        Draft(question, fact.kind, place, statement.text, quality, (origin,))
                    )
    return found


def _id(words: str, place: Evidence) -> str:
    told = f"{place.source}\n{place.start}\n{place.end}\n{words}"
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _without_repeats(drafts: Iterable[Draft]) -> list[Draft]:
    """The drafts whose words no earlier one has; a question that has two answers is left out."""
    drafts = list(drafts)
    answers: dict[str, set[str]] = {}
    for draft in drafts:
        answers.setdefault(_folded(draft), set()).add(draft.answer)
    first: dict[str, Draft] = {}
    for draft in drafts:
        if len(answers[_folded(draft)]) == 1:
            first.setdefault(_folded(draft), draft)
    return list(first.values())


def _folded(draft: Draft) -> str:
    return " ".join(re.findall(r"\w+", draft.question.question.casefold()))


def _varied(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts in an order whose beginning has many sentences, documents and kinds."""
    of_sentence: Counter[tuple[str, str]] = Counter()
    of_kind: Counter[tuple[str, str]] = Counter()
    keys = []
    for draft in drafts:
        sentence, kind = (draft.near.source, draft.statement), (draft.near.source, draft.kind)
        keys.append((of_sentence[sentence], of_kind[kind]))
        of_sentence[sentence] += 1
        of_kind[kind] += 1
    order = sorted(range(len(drafts)), key=keys.__getitem__)
    return [drafts[i] for i in order]


def _near_misses(
    drafts: Sequence[Draft],
    wanted: int,
    documents: Documents,
    names: Names,
    years: Sequence[str],
    rng: random.Random,
) -> list[Draft]:
    tried: list[tuple[Swap, Draft]] = []
    for draft in [d for d in drafts if d.kind not in _NOT_MISSED][: 4 * wanted]:
        text = documents.text_of(draft.near.source)
        low, high = max(0, draft.near.start - _AROUND), draft.near.end + _AROUND
        question = draft.question.question
        asked = QuestionParts(question, draft.statement, text[low:high], text, draft.kind == SHARE)
        tried += [(swap, draft) for swap in swaps(asked, names, years, rng)]
    kept = unstated([swap for swap, _ in tried], documents)
    known = {_folded(draft) for draft in drafts}
    made: dict[str, tuple[int, Draft]] = {}
    for swap, draft in tried:
        if swap in kept and draft.question.id not in made:
            miss = _miss(swap, draft, kept[swap], documents)
            if _folded(miss) not in known:
                known.add(_folded(miss))
                made[draft.question.id] = swap.kind, miss
    return [miss for _, miss in sorted(made.values(), key=lambda pair: pair[0])][:wanted]


def _miss(swap: Swap, draft: Draft, named: Evidence | None, documents: Documents) -> Draft:
    """The near miss; ``named`` is the sentence that its new word is from."""
    question = GoldQuestion(_id(swap.question, draft.near), swap.question, (), ())
    origins = draft.origins
    if named:
        text = documents.text_of(named.source)
        origins += (Origin.at(named.source, named.start, named.end, text),)
    return replace(
        draft,
        question=question,
        kind=NEAR_MISS,
        origins=tuple(dict.fromkeys(origins)),
        swapped=(swap.old, swap.new),
    )
