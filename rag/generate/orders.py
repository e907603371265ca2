"""Recognises text that gives orders to a language model instead of telling something.

Not a defence by itself: orders can be worded in endless ways. An answer that rests on such a
passage is shown with a warning, see :mod:`rag.answer`.
"""

from __future__ import annotations

import base64
import binascii
import re

from rag.generate.visible import visible, without_control_tokens

_WINDOW = 60
"""Characters between the words of an order, at most."""

_NEGLECT = (
    r"ignor\w+|disregard\w*|forget\w*|overrid\w+|bypass\w*|stop following"
    r"|missachte\w*|vergiss|vergessen sie|oubli\w+|olvid\w+|omit[aei]\w*|dimentic\w+|trascur\w+"
    r"|esque\w+|desconsider\w+|negeer\w*|vergeet|zignoruj\w*|zapomnij\w*|yok say\w*|unut\w*"
    r"|görmezden gel\w*|glöm\w*|игнориру\w+|проигнорируй\w*|забуд\w+|не обращай"
    r"|忽略|無視|无视|忽視|忘记|忘記|忘れ|不要理会|무시|잊어|تجاهل\w*|انس[َى]?|अनदेखा|अनदेखी|भूल"
)
_ORDERS = (
    r"(?:previous|prior|preceding|earlier|above|foregoing|former|your|system|all|any|other|these"
    r"|those)\s+(?:\w+\s+){0,3}?(?:instructions?|rules?|prompts?|directions?|guidelines?|commands?"
    r"|directives?|orders?|messages?|context)"
    r"|(?:vorherige\w*|bisherige\w*|obige\w*|deine|ihre|alle)\s+(?:\w+\s+){0,2}?(?:anweisung\w*"
    r"|instruktion\w*|regeln|befehle|vorgaben)"
    r"|(?:instructions?|consignes?|r[eè]gles?|directives?)\s+(?:pr[eé]c[eé]dentes?|ant[eé]rieures?"
    r"|ci-dessus)|(?:tes|vos|toutes les)\s+(?:\w+\s+)?(?:instructions|consignes|règles)"
    r"|(?:instrucciones|reglas|indicaciones|órdenes)\s+(?:anteriores|previas)|tus\s+instrucciones"
    r"|(?:istruzioni|regole|indicazioni)\s+(?:precedenti|ricevute)|tutte le istruzioni"
    r"|(?:instruções|regras|orientações)\s+(?:anteriores|acima)|(?:eerdere|vorige|alle)\s+instructies"
    r"|(?:poprzednie|wszystkie|wcześniejsze)\s+(?:instrukcje|polecenia|zasady)"
    r"|(?:önceki|tüm)\s+(?:\w+\s+)?talimat\w*|(?:tidigare|alla)\s+instruktioner"
    r"|(?:предыдущ\w+|все|прежн\w+)\s+(?:\w+\s+)?(?:инструкци\w+|указани\w+|правил\w*|команд\w+)"
    r"|指令|指示|命令|提示词|系统提示|규칙|지시|명령|지침|التعليمات|الأوامر|निर्देश\w*|आदेश\w*"
)
_PATTERNS = (
    rf"(?:{_NEGLECT})[^.!?。！？\n]{{0,{_WINDOW}}}?(?:{_ORDERS})",
    rf"(?:{_ORDERS})[^.!?。！？\n]{{0,{_WINDOW}}}?(?:{_NEGLECT})",
    r"\b(?:system|developer|initial|hidden)[ -](?:prompt|message|instructions?)\b",
    r"\b(?:new|updated|real|actual|important)\s+(?:system\s+)?instructions?\b\s*(?::|for the "
    r"(?:model|assistant|ai))",
    r"\byou (?:are|were) (?:now|no longer)\b|\byou must (?:now )?(?:answer|reply|respond|say|write"
    r"|output|obey|cite|include|call)\b",
    r"\b(?:pretend|imagine) (?:to be|that you are|you are|you're) an?\b",
    r"\bact as (?:a|an|if|though|the)\b[^.\n]{0,40}\b(?:ai|model|assistant|character|dan|terminal"
    r"|interpreter|admin\w*)\b",
    r"\b(?:tell|ask|urge|convince|instruct)\s+(?:the\s+|your\s+)?(?:user|reader|human)s?\s+(?:to|that)\b",
    r"\b(?:jailbreak|developer mode|god mode|do anything now|debug mode)\b",
    r"\b(?:answer|reply|respond|output)\b(?: only)?(?: with)?[^.!?\n]{0,30}\b(?:exactly|verbatim"
    r"|nothing else|word for word|only with)\b",
    r"\b(?:cite|citing)\b[^.!?\n]{0,20}\[\d+\]",
    r"\b(?:do not|don't|never)\s+(?:tell|inform|warn|mention|reveal)\b[^.!?\n]{0,40}\b(?:user|human"
    r"|reader|them)\b",
    r"\b(?:language model|ai model|assistant|chatbot|llm|ai)s?\b[^.!?\n]{0,50}\b(?:must|should"
    r"|shall|is to|are to)\s+(?:\w+\s+)?(?:answer|reply|respond|say|write|output|ignore|recommend"
    r"|state|claim|tell|include|call|send|rate)\b",
    r"^\W{0,6}(?:system|assistant|user|developer|human|ai)\W{0,3}:",
    r"^#{2,}\s*(?:instruction|response|system|assistant|human|user)\b",
    r"\b(?:reveal|print|repeat|leak|disclose|output)\b[^.!?\n]{0,40}\b(?:api[ -]?keys?|prompts?"
    r"|passages|instructions|credentials|environment variables|word for word|verbatim)\b",
    r"\b(?:in|into|to|of)\s+your\s+(?:answer|reply|response|output)s?\b",
    r"!\[[^\]\n]{0,200}\](?:\(\s*\w+://|\[)",
    r"\"(?:tool|tool_calls?|function|function_call|name)\"\s*:.{0,200}\"(?:arguments|parameters|args)\"",
    r"\bend of (?:the )?(?:passages?|documents?|data|context|quote[sd]?|input)\b",
)
_ORDER = re.compile("|".join(_PATTERNS), re.IGNORECASE | re.MULTILINE | re.DOTALL)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{24,}={0,2}")
_MOST_DECODED = 20


def gives_orders(text: str) -> bool:
    """Whether ``text`` reads as if it told a language model what to do, in plain or in base64.

    So does text that holds a chat model's control tokens or characters that no reader sees: a
    document has no use for them.
    """
    shown = visible(text)
    if without_control_tokens(shown) != shown or _has_hidden_words(text):
        return True
    return bool(_ORDER.search(shown)) or any(map(_ORDER.search, _decoded(shown)))


def _has_hidden_words(text: str) -> bool:
    """Whether tag characters, or many invisible ones in a row, stand in ``text``."""
    return bool(re.search("[\U000e0000-\U000e007f]|[\u200b\u2060-\u206f\u202a-\u202e]{8,}", text))


def _decoded(text: str) -> list[str]:
    found = []
    for match in list(_BASE64.finditer(text))[:_MOST_DECODED]:
        piece = match[0].rstrip("=")
        with_padding = piece + "=" * (-len(piece) % 4)
        try:
            found.append(base64.b64decode(with_padding, validate=True).decode("utf-8"))
        except (binascii.Error, UnicodeDecodeError):
            continue
    return found
