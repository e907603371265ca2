"""What the model sends: its pieces, its reasoning to leave out, and whether it came to an end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionChunk


class ReasoningFilter:
    """Takes ``<think>...</think>`` blocks out of a stream, and blank space before the answer.

    Tags may be split over pieces in any way. A block that never closes is dropped where the
    answer has not ``begun`` (the model ran out of tokens) and is text where it has: then it is an
    answer about the tag.
    """

    def __init__(self) -> None:
        self.begun = False
        self._held = ""  # not yet known to be answer or reasoning

    def feed(self, piece: str) -> str:
        """Return what can be shown now that ``piece`` has come; empty when nothing can."""
        self._held = _BLOCK.sub("", self._held + piece)
        start = self._held.find(_OPEN)
        if start < 0:
            start = len(self._held) - _length_of_begun_tag(self._held)
        text, self._held = self._held[:start], self._held[start:]
        return self._shown(text)

    def close(self) -> str:
        """Return what was held back and turned out to be part of the answer."""
        rest, self._held = self._held, ""
        return self._shown(rest) if self.begun or not rest.startswith(_OPEN) else ""

    def _shown(self, text: str) -> str:
        text = text if self.begun else text.lstrip()
        self.begun = self.begun or bool(text)
        return text


_OPEN, _CLOSE = "<think>", "</think>"
_BLOCK = re.compile(f"{_OPEN}.*?{_CLOSE}", re.DOTALL)


def _length_of_begun_tag(text: str) -> int:
    """How many characters at the end of ``text`` may be the beginning of an opening tag."""
    return next((n for n in range(len(_OPEN) - 1, 0, -1) if text.endswith(_OPEN[:n])), 0)


def read_piece(chunk: ChatCompletionChunk) -> tuple[str, str]:
    """Return text and finish reason of a chunk, each empty if absent. Raises ValueError.

    The client does not validate what it is sent, so the chunk may be of any shape.
    """
    choices: object = getattr(chunk, "choices", None)
    if not isinstance(choices, list):
        raise ValueError("a chunk without choices")
    if not choices:  # usage figures come so
        return "", ""
    text: object = getattr(getattr(choices[0], "delta", None), "content", None) or ""
    reason: object = getattr(choices[0], "finish_reason", None) or ""
    if not isinstance(text, str) or not isinstance(reason, str):
        raise ValueError("a chunk whose content is not text")
    return text, reason


def unfinished(finish: str, empty: bool) -> str:
    """Return what is wrong with a stream that ended, and what to do; empty if nothing is."""
    if not finish:
        return (
            "broke off without finishing its answer: ask again, look at the server's log, or "
            "check that RAG_LLM_BASE_URL is the address of an OpenAI-compatible API"
        )
    if finish == "content_filter":
        return "was stopped by the endpoint's content filter: ask in other words"
    if empty and finish == "length":
        return (
            "used up its tokens before it began to answer: allow more with RAG_LLM_MAX_TOKENS, "
            "or turn its reasoning off"
        )
    if empty:
        return "gave an empty answer: ask in other words, or set RAG_LLM_MODEL to another model"
    return ""
