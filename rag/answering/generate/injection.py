"""Recognises prompt injection: text that addresses a language model and tells it what to do.

Text that talks *about* instructions, models or prompts is no injection, and neither is an image
or a link by itself. A quoted attack counts as one, for a model may follow it all the same.

Not a defence by itself: attacks can be worded in endless ways. An answer that rests on such a
passage is shown with a warning, see :mod:`rag.answering.answer`; links that a model writes are
dropped by :func:`rag.answering.cite.drop_foreign_links`.
"""

from __future__ import annotations

import base64
import binascii
import re

from rag.answering.generate.dismissals import DISMISSALS
from rag.answering.generate.visible import strip_invisible, without_control_tokens

_BEGIN = (
    r"(?:(?-i:^\W*(?=[A-Z]))|[.!?:;。！？]\W*|[\"“”'‘(\[>]\s*"
    r"|\b(?:please|now|then|instead|just|always|must|should|shall|only)\s+)"
)
"""Where an order may begin; a line that goes on with a small letter was only wrapped."""
_MODEL = (
    r"(?:language model|(?:large )?language ai|ai (?:language )?(?:model|assistant)|chatbot|llm)"
)
_WRITE = r"(?:append|add|insert|include|put|repeat\w*|embed|write|place|show|display|render|output)"
_ANSWER = r"(?:answer|reply|response|output)s?"
_SPEAK = r"(?:answer|reply|respond|say|write|output|state|claim|recommend|repeat|tell)"
_SECRET = (
    r"(?:your|the) (?:\w+ )?(?:system|hidden|initial|original|secret) (?:prompts?|instructions?"
    r"|messages?)|your (?:\w+ )?(?:prompts?|instructions|api keys?|credentials|context)"
    r"|(?:all|the) (?:other |previous )?passages"
)
_LINK = r"(?:!?\[[^\]\n]{0,200}\][(\[]|<(?:img|a|script|iframe)\b|https?://)"

_ROLES = (  # a turn of a chat that never was, as models are trained on
    r"^\W{0,6}(?:system|assistant|developer)\W{0,3}:[^\n]{0,120}?\b(?:from now on|you (?:are|must"
    r"|will|shall|should|only|always|never)|ignore|do not (?:answer|tell|mention)|the user)\b",
    r"<(system|assistant)>.{1,500}?</",
    r"(?-i:^\W{0,6}(?:SYSTEM|ASSISTANT)\W{0,3}:)(?:[^\S\n]*[\w’'-]+,?){6}",
    r"(?-i:\bSYSTEM (?:MESSAGE|PROMPT|INSTRUCTIONS?|OVERRIDE)\b)[^.!?\n]{0,40}:",
    r"^#{2,4}\s*(?:instruction|human|assistant|system)\s*:",
    r"^\W*end of (?:the )?(?:passages?|documents?|data|context|quotes?|input)\b\W*?\n.{0,80}?"
    r"^\W*(?:question|user|system|assistant|task|(?:new )?instructions?)\W{0,3}:",
    r"\"(?:tool_calls?|function_call)\"\s*:.{0,200}\"(?:arguments|parameters|args)\"",
)
_PERSONAS = (
    rf"\b(?:as an?|if you are an?|dear|hey|hi|attention,?|note to(?: the)?) (?:{_MODEL}|ai)\b"
    r"[^.!?\n]{0,60}\b(?:you|must|should|shall|please)\b",
    rf"\b{_MODEL}s?\b[^.!?\n]{{0,50}}\b(?:must|should|shall|is to|are to)\s+(?:\w+\s+)?"
    rf"(?:{_SPEAK}|ignore|include|call|send|rate)\b",
    rf"\byou (?:are|were|will be) (?:now|no longer) (?:\w+ ){{0,4}}(?:{_MODEL}|ai|model|bot"
    r"|assistant|character|persona|dan|unrestricted|jailbroken|bound|restricted|limited by)\b",
    rf"{_BEGIN}(?:pretend|imagine|act|role-?play)\b[^.!?\n]{{0,60}}\b(?:{_MODEL}|ai|assistant|dan"
    r"|terminal|interpreter|character|unrestricted|who (?:tells|says|answers|claims))\b",
    r"\bdo anything now\b",
    r"\b(?:developer|god|dan|jailbreak|unrestricted) mode(?: is| has been)?(?: now)? (?:enabled|on"
    r"|activated|unlocked)\b.{0,120}?\b(?:answers?|responses?|restrict\w+|filter\w*|limits)\b",
)
_ANSWERS = (
    r"\byou must (?:now |only |always )?(?:answer|reply|respond|say|write|output)\b(?: only)?"
    r"(?: with| that)? ?(?:only )?(?:[\"“<'‘]|(?-i:[A-Z]{2,}\b))",
    r"\b(?:new|updated|real|actual|secret)\s+(?:system\s+)?instructions?\s*:.{0,200}?"
    rf"(?:{_BEGIN}|\band\s+){_SPEAK}\b",
    r"\b(?:new|updated|real|actual|important)\s+(?:system\s+)?instructions? for (?:the |any |all )?"
    rf"(?:{_MODEL}|model|assistant|ai)s?\b",
    rf"{_BEGIN}(?:answer|reply|respond|output)(?: only)?(?: with)?[^.!?\n]{{0,30}}\b(?:exactly|only"
    r"|verbatim|nothing else|word for word)\s*(?:[:\"“<'‘]|with\b|[.!]|$|(?-i:[A-Z]{2,}\b))",
    rf"{_BEGIN}cite \[\d+\]",
    rf"\b(?:begin|start|end|finish)\s+(?:each |every |all )?(?:of )?your {_ANSWER} with\b",
    rf"{_BEGIN}(?:mention|include|add|insert|append|hide)\b[^.!?\n]{{0,60}}\b(?:in|into|to) "
    r"(?:all|each|every|any)(?: of)?(?: your)? (?:answer|reply|replies|response)s?\b",
    rf"{_BEGIN}(?:tell|urge|convince|instruct) (?:the |your )(?:user|reader|human)s? that\b",
    rf"{_BEGIN}(?:tell|ask|urge|convince|instruct) (?:the |your )(?:user|reader|human)s? to\b"
    rf"[^.!?\n]{{0,80}}{_LINK}",
    r"\b(?:do not|don['’]t|never) (?:tell|inform|warn|mention|reveal|show)\b[^.!?\n]{0,30}?\b"
    r"(?:user|human|reader)s?\b[^.!?\n]{0,40}\b(?:this|these|instructions?|prompt|note|passage)\b",
)
_LEAKS = (
    rf"{_BEGIN}(?:reveal|print|repeat|leak|disclose|output|show|send|translate|encode)"
    rf"\s[^.!?\n]{{0,40}}?(?:{_SECRET}|instructions (?:that )?you were given)\b",
    rf"\band (?:reveal|print|repeat|leak|disclose|output) (?:{_SECRET})\b",
    # markup for the answer, through which a browser would carry something away
    rf"\b{_WRITE}\b.{{0,40}}?{_LINK}.{{0,200}}?\b(?:to|in|into|of|with) (?:your|the|each|every) "
    rf"(?:\w+ )?{_ANSWER}\b",
    rf"{_LINK}.{{0,200}}?\b{_WRITE}[^.!?\n]{{0,40}}\b(?:to|in|into) (?:your|each|every) {_ANSWER}"
    r"\b",
    rf"{_BEGIN}{_WRITE}\b.{{0,20}}?!?\[[^\]\n]{{0,200}}\][(\[].{{0,200}}?\bat the (?:very )?"
    r"(?:end|top|bottom|start|beginning)\s*(?:[.!]|\Z)",
    r"https?://[^\s)\]>]*[?&]\w+=[^\n]{0,100}\b(?:the|our|this|whole|entire|user['’]?s) (?:question"
    r"|conversation|chat history|context|passages)\b",
    r"\b(?:the|our|this|whole|entire|user['’]?s) (?:question|conversation|chat history|context"
    r"|passages)\b[^\n]{0,100}https?://[^\s)\]>]*[?&]\w+=",
)
_FLAGS = re.IGNORECASE | re.MULTILINE | re.DOTALL


def _compiled(*patterns: str) -> re.Pattern[str]:
    """One expression for all; a space is also the end of a line, for text may be wrapped."""
    return re.compile("|".join(patterns).replace(" ", r"\s"), _FLAGS)


_INJECTION = _compiled(*DISMISSALS, *_ROLES, *_PERSONAS, *_ANSWERS, *_LEAKS)
_HINTS = tuple(
    _compiled(pattern)
    for pattern in (
        # who to be from here on
        r"\byou (?:are|were) (?:now|no longer)\b|\bfrom now on\b",
        r"\b(?:pretend|imagine) (?:to be|that you are|you are|you['’]re) an?\b"
        r"|\bact as (?:an?|if)\b|\b(?:stay|remain|break) (?:in )?character\b",
        # how to answer, which examinations tell as well
        r"\b(?:you (?:must|will|should)(?: always| only| never)?|always|only ever) (?:answer|reply"
        rf"|respond|say|write|output|obey)\b|\b(?:in|into|to|of) your {_ANSWER}\b"
        r"|\b(?:answer|reply|respond)\b(?: only)?(?: with)?[^.!?\n]{0,30}\b(?:exactly|verbatim"
        r"|nothing else|word for word|only with)\b",
        # who speaks
        r"^\W{0,6}(?:system|assistant|human|ai|chat ?gpt)\W{0,3}:",
        rf"\b(?:{_MODEL}|jailbreak\w*|developer mode|your (?:system|initial) prompt)\b",
    )
)
"""What honest text seldom says. Two kinds of it in one passage do as much as one plain order."""
_MIN_HINTS = 2
_TAGS_OR_HIDDEN_RUN = re.compile("[\U000e0000-\U000e007f]|[\u200b\u2060-\u206f\u202a-\u202e]{8,}")
_PLACEHOLDER = re.compile(r"</?(?:s|pad|unk|user|system|assistant)\s*/?>", re.IGNORECASE)
"""Tokens of models that manuals write too: ``npm owner add <user>``."""
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{24,}={0,2}")
_MAX_DECODED = 20


def looks_like_prompt_injection(text: str) -> bool:
    """Tell whether ``text`` addresses a language model to steer it, in plain or in base64.

    So does text that holds a chat model's control tokens or characters that no reader sees: a
    document has no use for them.
    """
    shown = strip_invisible(text)
    tokens = _PLACEHOLDER.sub("", shown)
    if without_control_tokens(tokens) != tokens or _TAGS_OR_HIDDEN_RUN.search(text):
        return True
    return any(map(_addresses_model, (shown, *_decoded(shown))))


def _addresses_model(text: str) -> bool:
    if _INJECTION.search(text):
        return True
    return sum(bool(hint.search(text)) for hint in _HINTS) >= _MIN_HINTS


def _decoded(text: str) -> list[str]:
    """The texts that stand in ``text`` as base64, the first ones of many."""
    found = []
    for match in list(_BASE64.finditer(text))[:_MAX_DECODED]:
        piece = match[0].rstrip("=")
        with_padding = piece + "=" * (-len(piece) % 4)
        try:
            found.append(base64.b64decode(with_padding, validate=True).decode("utf-8"))
        except (binascii.Error, UnicodeDecodeError):
            continue
    return found
