"""Near misses made of the passage's own words: nothing in the question looks out of place.

What an edit of `training/edits.py` puts in is often found by its looks: the passage lacks the word.
Here who did it changes places with whom it was done to, or one of two things that are alike stands
for the other, so that only what the sentences say tells whether they answer.
"""

from __future__ import annotations

import random
import re

from training.edits import (
    NAME,
    NUMBER,
    QUESTION_WORDS,
    WORD,
    Edit,
    Neighbours,
    names_in,
    same_form,
)
from training.windows import sentences

_BOTH_WAYS = re.compile(
    r"\b(?:married|marry|spouse|wife|husband|partner|brother|sister|sibling|cousin|twin|friend|"
    r"border\w*|adjacent|near\w*|rival\w*|oppos\w*|opponent|against|versus|met|meet|with|between|"
    r"same|similar|like|both|equal|share[sd]?|fought|fight|war|neighbou?r\w*|differ\w*|other|another|"
    r"called|known|name[sd]?|term|synonym|means?|stands?|also|alternative\w*)\b",
    re.I,
)
_ONE_NAME = re.compile(
    r"(?:the )?[A-Z][\w'’&-]+(?: (?:of |the |de |von |van )?[A-Z][\w'’&-]+){0,3}"
)
_NO_NOUN = re.compile(
    r"^(?:[?,]|$| (?:in|on|at|by|for|from|to|of|and|or|with|as|after|before|during|since|until|"
    r"when|while|that|who|which|is|are|was|were|did|does|do|has|had|have|will|would|can|could|into|over|"
    r"under|than|because|through|about|not)\b)"
)
_AUXILIARY = re.compile(r"\b(?:did|does|do|will|would|can|could|should)(?: the)? $")
_ENDINGS = ("ed", "ing", "est", "er", "ion", "ly", "al", "ian")
_NAMES_ALIKE, _WORDS_ALIKE, _SYNONYM = 0.25, 0.15, 0.36
"""Cosines of word embeddings: from where two names or words are of a kind, or mean the same."""


def exchange_names(question: str) -> Edit | None:
    """Let two names of the question change places: every word still stands in the passage."""
    found = [m for m in NAME.finditer(question) if m.group().lower() not in QUESTION_WORDS]
    found = [m for m in found if m.start() > 0 and _stands_alone(question, m.group())]
    if len(found) < 2:
        return None
    one, other = found[0], found[1]
    between = question[one.end() : other.start()]
    if one.group() == other.group() or re.search(r"\b(?:and|or)\b|^[,\s]*$", between):
        return None  # their order means nothing there
    old = question[one.start() : other.end()]
    return Edit(old, f"{other.group()}{between}{one.group()}", mutual=False)


def ask_of_answer(
    question: str, passage: str, answer: str, neighbours: Neighbours, rng: random.Random
) -> Edit | None:
    """Put the answer in the place of a name: "Who replaced Smith?" becomes "Who replaced Jones?".

    Not where the question holds both ways round, as who married whom does.
    """
    if not _ONE_NAME.fullmatch(answer) or _BOTH_WAYS.search(question):
        return None
    mine = [n for n in names_in(question, first=False) if n in passage and n not in answer]
    mine = [n for n in mine if n not in question.replace(n, "", 1) and _stands_alone(question, n)]
    mine = [n for n in mine if _of_a_kind(n, answer, neighbours)]
    bare = answer.removeprefix("the ")
    if not mine or bare.lower() in question.lower():
        return None
    old = rng.choice(mine)
    before = "the " if f"the {old}" in question else ""
    return Edit(before + old, answer, mutual=False)


def swap_alike(
    question: str, passage: str, answer: str, neighbours: Neighbours, rng: random.Random
) -> Edit | None:
    """Put in the place of a name the one of the passage that is most like it."""
    low = question.lower()
    mine = names_in(question, first=False)
    others = {n for n in names_in(passage) if n.lower() not in low and n not in answer}
    others = {n for n in others if n.split()[0].lower() not in QUESTION_WORDS}
    pairs = [
        (likeness, old, new)
        for old in mine
        for new in sorted(others)
        if (likeness := neighbours.likeness(old, new)) > _NAMES_ALIKE
        and not set(old.split()) & set(new.split())
    ]
    if not pairs:
        return None
    _, old, new = rng.choice(sorted(pairs, reverse=True)[:2])
    return None if may_be_told(question, passage, answer, Edit(old, new)) else Edit(old, new)


def swap_told_word(
    question: str, passage: str, answer: str, neighbours: Neighbours, rng: random.Random
) -> Edit | None:
    """Put another word of the passage, of the same form, in the place of a word."""
    words = [w for w in WORD.findall(question) if w.islower() and w.endswith(_ENDINGS)]
    others = sorted({w for w in WORD.findall(passage) if w.islower() and w.endswith(_ENDINGS)})
    rng.shuffle(words)
    for old in words:
        fit = _alike(old, others, question + answer, neighbours)
        found = [Edit(old, new, mutual=False) for new in fit if same_form(old, new)]
        found = [edit for edit in found if not may_be_told(question, passage, answer, edit)]
        if found:
            return rng.choice(found)
    return None


def _of_a_kind(name: str, other: str, neighbours: Neighbours) -> bool:
    """Whether two names are alike, as far as their words are known."""
    likeness = neighbours.likeness(name, other)
    return likeness == 0.0 or likeness > _NAMES_ALIKE


def _alike(old: str, others: list[str], taken: str, neighbours: Neighbours) -> list[str]:
    """Return the other words that are of a kind with the old one and mean another thing."""
    if old in QUESTION_WORDS:
        return []
    return [
        new
        for new in others
        if new not in QUESTION_WORDS
        and new not in taken.lower()
        and new[:4] != old[:4]
        and _WORDS_ALIKE < neighbours.likeness(old, new) < _SYNONYM
    ]


def _stands_alone(question: str, name: str) -> bool:
    """Whether a name is a thing of its own there, no title's part and not said of a noun."""
    begun = question.index(name)
    before, after = question[:begun], question[begun + len(name) :]
    if re.search(r"(?:\w\.|[-A-Z]\w*|\b(?:a|an|which|what)) ?$", before):
        return False
    return bool(_NO_NOUN.match(after) or _AUXILIARY.search(before))


def may_be_told(question: str, passage: str, answer: str, edit: Edit) -> bool:
    """Whether the passage may well answer the edited question too.

    So it may where a sentence holds the new words, another number where the answer is one and, if
    it is not the answer's own sentence, half of the question's other words.
    """
    if not any(c.isdigit() for c in answer):
        return False
    asked = {w.lower() for w in WORD.findall(question) if len(w) > 3} - QUESTION_WORDS
    asked -= {w.lower() for w in WORD.findall(edit.old)}
    for start, end in sentences(passage):
        text = passage[start:end]
        if edit.new.lower() not in text.lower():
            continue
        held = sum(1 for word in asked if word in text.lower())
        rest = text.replace(answer, " ").replace(edit.new, " ")
        if NUMBER.search(rest) and (answer in text or held * 2 >= len(asked)):
            return True
    return False
