"""What a question asks for, by its question word: ``when``, ``who``, ``how many`` and so on."""

from __future__ import annotations

import re

YES_NO, OTHER = "yes or no", "other"

# Per kind: words of languages with blanks, and of those without.
_WORDS = {
    "how many": (
        r"how (?:many|much)|what (?:percent(?:age)?|number|amount|share)|wie ?viele?|cuánt[oa]s?",
        r"多少|[几幾][个個人次]",
    ),
    "when": (
        r"when|(?:what|which) (?:year|date|day|month|century|decade)|wann|cuándo"
        r"|welche[mns]? jahr|qué año",
        r"何时|何時|什么时候|什麼時候|哪一?年|いつ",
    ),
    "who": (r"who|whom|whose|wer|wen|wem|wessen|quién(?:es)?", r"谁|誰"),
    "where": (r"where|wo|woher|wohin|dónde", r"哪[里裡裏]|どこ"),
    "why": (r"why|warum|weshalb|wieso|por qué", r"为什么|為什麼|なぜ"),
    "how": (r"how|wie|cómo", r"如何|怎[么麼]|どう"),
    "which": (r"which|welche[mnrs]?|cuál(?:es)?", r"哪"),
    "what": (r"what|was (?:ist|sind|war|waren|hat|wird|f[uü]r)|qué", r"什[么麼]|何|なに"),
}
_FINDERS = {
    kind: re.compile(rf"\b(?:{spaced})\b|{unspaced}", re.I)
    for kind, (spaced, unspaced) in _WORDS.items()
}
_ASKS_YES_NO = re.compile(
    r"\s*(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should)\b", re.I
)

KINDS = (*_FINDERS, YES_NO, OTHER)
"""All kinds, in the order in which reports list them."""


def question_kind(question: str) -> str:
    """Return the kind of the first question word.

    Of two at one place, the earlier in :data:`KINDS`.
    """
    found = {
        kind: match.start()
        for kind, finder in _FINDERS.items()
        if (match := finder.search(question))
    }
    if found:
        return min(found, key=lambda kind: found[kind])
    return YES_NO if _ASKS_YES_NO.match(question) else OTHER
