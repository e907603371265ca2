"""Yes-or-no questions made of a passage's own statements; the answer is the span that decides."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from rag.text.sentences import sentence_spans
from training.edits import NUMBER, Edit, names_in, swap_opposite, swap_other
from training.windows import Piece

_AUXILIARY = r"is|was|are|were|can|could|will|would|has|have|had|may|must|should"
_STATEMENT = re.compile(
    rf"^(?P<subject>[A-Z][^,;:()\"]{{2,60}}?) (?P<verb>{_AUXILIARY}) (?P<rest>[^;:()\"]+?)\.?$"
)
_NO_SUBJECT = re.compile(
    r"^(?:It|They|He|She|This|These|That|Those|There|Who|What|Which|When|Where|Why|How|If|In|On|At"
    r"|As|For|From|By|With|After|Before|During|Although|While|But|And|Or|However|Since|To|I|We|You)\b"
    r"|\b(?:that|which|who|whose|when|where|if|because|while|and|or|to|been|being|not)\b"
)
_LOWERED = re.compile(r"^(?:The|A|An|Some|Many|Most|All|Its|His|Her|Their|Both|Each|Every)\b")
_CUT = re.compile(r",| (?:and|but|which|who|where|because|although|while|whereas|so that|when) ")
_IRREGULAR = dict(
    pair.split(":")
    for pair in (
        "became:become began:begin built:build bought:buy brought:bring came:come chose:choose "
        "died:die drew:draw fell:fall fought:fight found:find founded:found gave:give got:get "
        "grew:grow held:hold kept:keep knew:know led:lead left:leave lost:lose made:make met:meet "
        "moved:move paid:pay ran:run rose:rise said:say sang:sing saw:see sent:send sold:sell "
        "spoke:speak spent:spend stood:stand taught:teach told:tell took:take thought:think "
        "won:win went:go wore:wear wrote:write used:use lived:live believed:believe"
    ).split()
)
_PAST = re.compile(
    rf"^(?P<subject>[A-Z][^,;:()\"]{{2,60}}?) (?P<verb>[a-z]{{3,}}ed|{'|'.join(_IRREGULAR)})"
    r" (?P<rest>[^;:()\"]+?)\.?$"
)
_WITH_E = re.compile(
    r"(?:[aeiou](?:t|s|z|c|d|r|n|g|v|k|m|p)|[^aeioul]l|nc|[lnpr]s|rg|rv|lv|dg|u|c|v)$"
)
_WITHOUT_E = re.compile(r"(?:[aeiou]{2}[a-z]|er|en|on|it|or|el|al|ow|ay|ey|oy)$")
MAX_WORDS = 10
"""Longest predicate of a question, in words."""


def yes_no(piece: Piece, rng: random.Random) -> tuple[str, Piece] | None:
    """Return a yes-or-no question with the piece marked where it decides; None if none is made.

    In four of ten the predicate is changed, so that the sentence says no: the same span decides.
    """
    made = list(statements(piece.text))
    if not made:
        return None
    verb, subject, rest, start = rng.choice(made)
    found = Piece(piece.text, start, start + len(rest))
    asked = rest
    if rng.random() < 0.4:
        edit = _altered(rest, piece.text, rng)
        asked = edit.apply(rest) if edit else rest
    asked = re.sub(r"^not ", "", asked)
    return f"{verb.capitalize()} {subject} {asked}?", found


def statements(text: str) -> Iterator[tuple[str, str, str, int]]:
    """Yield plain statements as (auxiliary, subject, predicate, its offset in the text)."""
    for begin, end in sentence_spans(text):
        sentence = text[begin:end]
        auxiliary = match = _STATEMENT.match(sentence)
        if match is None or _NO_SUBJECT.search(match["subject"]):
            auxiliary, match = None, _PAST.match(sentence)
        if match is None or _NO_SUBJECT.search(match["subject"]):
            continue
        rest = _CUT.split(match["rest"], maxsplit=1)[0].rstrip()
        start = begin + match.start("rest")
        subject = match["subject"]
        first = subject.split()[0].lower()
        if _LOWERED.match(subject) or f" {first} " in text:
            subject = subject[0].lower() + subject[1:]
        verb = match["verb"]
        if not auxiliary:
            base = base_form(verb)
            if base is None:
                continue
            verb, subject = "did", f"{subject} {base}"
        if 1 <= len(rest.split()) <= MAX_WORDS and (auxiliary or len(rest.split()) > 1):
            yield verb, subject, rest, start


def base_form(past: str) -> str | None:
    """Return the infinitive of a past tense, by rule or from a list; None if it looks like none."""
    if past in _IRREGULAR:
        return _IRREGULAR[past]
    if not past.endswith("ed") or len(past) < 5:
        return None
    stem = past[:-2]
    if stem.endswith("i"):
        return stem[:-1] + "y"
    if stem[-1] == stem[-2] and stem[-1] not in "lsze":
        return stem[:-1]
    return stem + "e" if _WITH_E.search(stem) and not _WITHOUT_E.search(stem) else stem


def _altered(rest: str, passage: str, rng: random.Random) -> Edit | None:
    """Return an edit of a predicate after which the sentence denies it."""
    number = NUMBER.search(rest)
    if number:
        old = number.group()
        if old.isdigit():
            return Edit(old, str(int(old) + rng.choice((-2, -1, 1, 2, 10))))
    names = names_in(rest)
    others = [n for n in names_in(passage, first=False) if n not in rest]
    if names and others:
        return Edit(rng.choice(names), rng.choice(others))
    return swap_opposite(rest, rng) or swap_other(rest, passage, rng)
