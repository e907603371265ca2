"""As much English grammar as turns a statement into a question: inversion and "did"."""

from __future__ import annotations

import re
from collections.abc import Callable

_AUXILIARIES = "is are was were will would can could should may might must has have had".split()
_REGULAR = """
abandon accelerate accept account achieve acquire add adopt allow announce appear approve arrive
ask attack attract base become begin believe belong call cause change claim close collect collapse
complete consist contain continue contribute control convert cover create cross damage decide
declare decline decrease defeat deliver demand describe design destroy develop die discover earn
employ enable end ensure enter establish estimate exceed exist expand explain export extend face
fail feature finish focus follow force form gain generate handle happen help hire house identify
import improve include increase indicate introduce invade invent invest join kill last launch
limit live locate maintain manage mark marry measure move name need obtain occupy occur offer open
operate order organize own pass pay perform plan play possess post prepare present prevent produce
promise propose protect prove provide publish reach receive recognize record reduce refuse reject
release remain remove rename replace report represent require resign resolve result retire return
reveal rule save serve settle share show sign start state stop study succeed suffer support
surround survive total train transfer travel treat turn unveil use visit vote want warn work
""".split()
_IRREGULAR = """
became:become began:begin bought:buy broke:break brought:bring built:build came:come caught:catch
chose:choose cost:cost drew:draw drove:drive ended:end fell:fall felt:feel fought:fight found:find
gave:give got:get grew:grow held:hold kept:keep knew:know laid:lay led:lead left:leave lost:lose
made:make meant:mean met:meet paid:pay ran:run rose:rise said:say sank:sink saw:see sent:send
set:set sold:sell spent:spend spoke:speak stood:stand taught:teach told:tell took:take went:go
won:win wore:wear wrote:write overtook:overtake
""".split()
_DOUBLED = frozenset("occur plan stop transfer control".split())


def _past(verb: str) -> str:
    if verb in _DOUBLED:
        return f"{verb}{verb[-1]}ed"
    if verb.endswith("e"):
        return f"{verb}d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return f"{verb[:-1]}ied"
    return f"{verb}ed"


_IRREGULAR_PAST = dict(pair.split(":") for pair in _IRREGULAR)
_BASE_OF_PAST = {_past(verb): verb for verb in _REGULAR if verb not in _IRREGULAR_PAST.values()}
_BASE_OF_PAST |= _IRREGULAR_PAST
NO_SUBJECT = re.compile(
    r"[,;:—–()“”\"]|\b(?:that|which|who|whose|whom|where|when|while|if|because|although|to|as|not)\b",
    re.I,
)
_BETWEEN = re.compile(r"\b(?:that|which|who|and|but|where|when|as|while|because)\b")
_PARTICIPLE_NEXT = re.compile(
    r"(?:(?:already|also|long|not|never|recently|since|now|once|even|only|always|often|yet|just) )*"
    r"(?:\w+ed|\w+en|been|become|begun|built|bought|brought|come|cut|done|fallen|found|gone|grown"
    r"|had|held|kept|led|lost|made|met|paid|put|risen|run|seen|sent|set|shown|sold|spent|won)\b"
)
_MAX_SUBJECT_LENGTH = 8
_VERB = re.compile(rf"\b(?:{'|'.join([*_AUXILIARIES, *_BASE_OF_PAST])})\b")

_ALSO = ("be", "been", "have", "reach", "produce")
ENDS_WITH_VERB = re.compile(rf"\b(?:{'|'.join([*_AUXILIARIES, *_BASE_OF_PAST, *_ALSO])}) $")


def verb_at(clause: str) -> re.Match[str] | None:
    """Return the first verb after a subject of a few words.

    None where the sentence is more involved.
    """
    match = _VERB.search(clause, 1)
    if match is None:
        return None
    subject, after = clause[: match.start()], clause[match.end() :]
    if (
        not subject.strip()
        or len(subject.split()) > _MAX_SUBJECT_LENGTH
        or NO_SUBJECT.search(subject)
    ):
        return None
    if re.search(r"\b(?:of|in|on|at|by|for|from|with|and|or) $", subject):
        return None
    if match[0] not in _AUXILIARIES:  # perhaps a participle: "the plant built in 1990 was ..."
        later = re.search(rf"\b(?:{'|'.join(_AUXILIARIES)})\b", after)
        if after.startswith(" by ") or (later and not _BETWEEN.search(after[: later.start()])):
            return None
    return match


def is_verb(word: str) -> bool:
    """Tell whether a word is one of the verbs that are known here, as a statement uses it."""
    return word in _AUXILIARIES or word in _BASE_OF_PAST


def stem(word: str) -> str:
    """A word without what its forms differ in, so that "sold", "sells" and "selling" are one."""
    base = _BASE_OF_PAST.get(word, word)
    return re.sub(r"(?:ing|ed|es|s|e)$", "", base) if len(base) > 4 else base


def invert(clause: str, uncapital: Callable[[str], str]) -> str | None:
    """``"Production will begin"`` -> ``"will production begin"``; None where it is not safe."""
    match = verb_at(clause)
    if match is None:
        return None
    verb, after = match[0], clause[match.end() :].strip()
    coordinated = re.findall(r"\b(?:and|but) (\w+)", after)
    if any(is_verb(word) or word.endswith("ed") for word in coordinated):
        return None  # a second verb, which would have to be inverted too
    first, _, others = clause[: match.start()].strip().partition(" ")
    if first.endswith("ly"):
        return None
    subject = f"{uncapital(first)} {others}".strip()
    if verb in ("has", "have", "had") and not _PARTICIPLE_NEXT.match(after):
        auxiliary = {"has": "does", "have": "do", "had": "did"}[verb]
        return f"{auxiliary} {subject} have {after}".strip()
    if verb in _AUXILIARIES:
        return f"{verb} {subject} {after}".strip()
    return f"did {subject} {_BASE_OF_PAST[verb]} {after}".strip()
