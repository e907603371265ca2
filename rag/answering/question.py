"""A question, analysed once for all that answer it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rag.text.overlap import terms
from rag.text.terms import index_terms

_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w’'-]+")
_INNER_WORD = re.compile(r"(?<!^)(?<![.!?]\s)\b(?!I\b)[^\W\d_]\w*")
_WORD = re.compile(r"\d[\d.,]*\d|[\w’'-]+")
_QUESTION_MARKS = ("?", "？", "؟")

_MAX_STYLE_LENGTH = 1000
"""Characters that tell how a question was typed."""

_GREETINGS = frozenset(
    "hi hello hey greetings thanks thank thx cheers bye goodbye ok okay yes".split()
)
_PRAISE = frozenset("no great good nice perfect cool".split())
_POLITE = frozenset(
    """
    a again all and day evening everyone for help helping lot morning much night now so that thats
    the there this very you your
    """.split()
)
_LIST = re.compile(
    r"^(?:list|name|enumerate|give)\b|\b(?:which|what|who|where)\s(?:\w+\s)?(?:are|were)\b"
    r"|\b(?:which|what)\s(?:\w+\s)?(?!(?:is|was|does|has|this|its|us|as)\b)[a-z]{2,}[^s\W]s\b"
    r"|\b(?:two|three|four|five|six|several|examples|types|kinds|reasons|members|features)\b",
    re.I,
)
_EXPLANATION = re.compile(
    r"^\W*(?:why|explain|describe|tell me|what happen\w*|summari[sz]e"
    r"|how(?! (?:many|much|old|long|far|tall|high|large|big|fast|often|wide|deep|heavy)\b))\b",
    re.I,
)


@dataclass(frozen=True)
class Question:
    """What was asked, and what of it the stages look at. Each part is computed at first use."""

    text: str

    @cached_property
    def terms(self) -> frozenset[str]:
        """The words that carry meaning, normalized as they are indexed."""
        return frozenset(terms(self.text))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The terms that begin with a digit."""
        return frozenset(term for term in self.terms if term[0].isdigit())

    @cached_property
    def names(self) -> frozenset[str]:
        """Terms of words with a capital that does not open a sentence, but for numbers."""
        return frozenset(terms(" ".join(_NAME.findall(self.text)))) - self.numbers

    @cached_property
    def name_positions(self) -> tuple[int, ...]:
        """Where words stand that are capitalized though they begin no sentence: "IT", "The Who"."""
        if self.text.isupper():
            return ()
        inner = _INNER_WORD.finditer(re.sub(r"^\W+", "", self.text))
        return tuple(word.start() for word in inner if word.group()[0].isupper())

    @cached_property
    def care(self) -> float:
        """How carefully it was typed: a half each for a capital and for a question mark at its end.

        The words of a question typed in passing are seldom the documents' words.
        """
        text = self.text[:_MAX_STYLE_LENGTH]
        marked = text.rstrip().endswith(_QUESTION_MARKS)
        return (marked + any(character.isupper() for character in text)) / 2

    @cached_property
    def is_small_talk(self) -> bool:
        """Whether it asks nothing, whatever was said before: "Hi", "Thank you!" or "???"."""
        words, said = set(index_terms(self.text).split()), _GREETINGS | _PRAISE
        return not words or (bool(words & said) and words <= said | _POLITE)

    @cached_property
    def has_subject(self) -> bool:
        """Whether it alone names something to look for: "What is it?" does not."""
        named = self.terms - _GREETINGS or self.name_positions
        return bool(named) and not self.is_small_talk

    @cached_property
    def asks_for_several(self) -> bool:
        """Whether a list may answer it, so that two answers are no contradiction."""
        return bool(_LIST.search(self.text))

    @cached_property
    def asks_for_explanation(self) -> bool:
        """Whether the sentence that holds the answer may be too little: "why", "how does"."""
        return bool(_EXPLANATION.search(self.text))

    def words_of(self, wanted: frozenset[str]) -> list[str]:
        """The words, as they are written, that have one of the ``wanted`` terms, each once."""
        written = _WORD.findall(self.text)
        return list(dict.fromkeys(word for word in written if terms(word) & wanted))


@lru_cache(maxsize=256)
def analysed(text: str) -> Question:
    """Return the question of a text; the same one while it is being answered."""
    return Question(text)
