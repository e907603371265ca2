"""Text as a person sees it: what a language model is sent, and what of its answer is shown."""

from __future__ import annotations

import re
import unicodedata

_KEPT = "\n\t\u200c\u200d"  # words of Persian and Hindi, and emoji, are written with the joiners
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn")
_VARIATION = re.compile("[\ufe00-\ufe0e\U000e0100-\U000e01ef]+")  # but FE0F, which colours emoji
_TOKEN = re.compile(
    r"<(?=[|｜][^|｜>\n]{1,60}[|｜]>)"
    r"|<(?=/?(?:s|bos|eos|pad|unk|think|tool_call|tool_response|start_of_turn|end_of_turn|im_start"
    r"|im_end|system|user|assistant|passages?|function_calls?)\s*/?>)"
    r"|\[(?=/?(?:INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])"
    r"|<(?=</?SYS>>)",
    re.IGNORECASE,
)


def strip_invisible(text: str) -> str:
    """``text`` without characters that no reader sees: they can carry words for a model alone."""
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in _HIDDEN)
    return _VARIATION.sub("", shown)


def without_control_tokens(text: str) -> str:
    """Return ``text`` in which nothing is a control token of a chat model, such as ``<|im_end|>``.

    Some servers read such tokens wherever they stand. A space after the first sign makes them
    words.
    """
    return _TOKEN.sub(lambda match: f"{match[0]} ", text)
