"""Stand-ins for the page's tests: a reader and a language model, both scripted."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rag.errors import GeneratorError
from rag.types import Hit, Span


class WordReader:
    """Reads lines: the share of the question's long words that a line holds is its probability."""

    name = "words"
    version = "1"

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        asked = {word for word in re.findall(r"\w+", question.casefold()) if len(word) > 4}
        spans = {}
        for hit in hits:
            for line in re.finditer(r"[^\n]+", hit.text):
                held = asked & set(re.findall(r"\w+", line[0].casefold()))
                start, end = hit.start + line.start(), hit.start + line.end()
                spans[hit.source, start] = Span(hit, start, end, len(held) / (len(asked) or 1))
        return sorted(spans.values(), key=lambda span: -span.probability)

    def threshold(self, precision: float) -> float:
        return 0.5


@dataclass
class ScriptedGenerator:
    """Writes ``pieces``, one each ``pause`` seconds; then fails, if it has a ``failure``."""

    pieces: Sequence[str] = ()
    pause: float = 0.0
    failure: str = ""
    name: str = "scripted-model"
    closed: list[bool] = field(default_factory=list)

    def generate(self, question: str, passages: Sequence[str]) -> Iterator[str]:
        try:
            for piece in self.pieces:
                time.sleep(self.pause)
                yield piece
            if self.failure:
                raise GeneratorError(self.failure)
        finally:
            self.closed.append(True)
