"""Text to search terms, the same way for what is indexed and for what is asked.

SQLite's FTS5 splits text at everything that is neither letter nor digit. That loses numbers
(``851,200``), takes vowel signs for separators (Hindi, Thai) and finds nothing in scripts
written without blanks. So the terms are made here and handed to FTS5 separated by blanks; its
tokenizer (:data:`TOKENIZE`) only splits at those blanks and stems English (Porter).

Folding: Unicode compatibility forms (full width, ligatures), case, and the accents of Latin,
Greek and Cyrillic letters. Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese runs become
overlapping pairs of characters, as Lucene's ``CJKAnalyzer`` does. Nothing here does I/O.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import groupby, islice, pairwise

TOKENIZE = "porter unicode61 remove_diacritics 0 categories 'L* N* M* Co' tokenchars '.'"
"""The ``tokenize=`` option of the FTS5 table. Marks (``M*``) belong to words; ``.`` stands only
inside numbers, for the terms made here have it nowhere else."""

MAX_QUESTION_TERMS = 64
"""Different terms of a question that are searched: the first ones. Bounds the work for a
question as long as a book; the dense side reads about as many words."""

MAX_TERM_LENGTH = 64
"""Characters of a term that count. Longer "words" are addresses or encoded data."""

STOP_WORDS = frozenset(
    """
    a about after all also am an and any are as at be because been before being between both but
    by can cannot could did do does doing done during each else ever every for from get gets got
    had has have having he her here hers him his how i if in into is it its itself just made make
    many may me might more most much must my no nor not of off on once only or other our out over
    please same shall she should so some such tell than that the their them then there these they
    this those through to too until up upon us use used very was we were what when where which
    while who whom whose why will with would you your
    aint arent cant couldnt didnt doesnt dont hadnt hasnt havent im isnt ive shouldnt theyre
    theyve wasnt werent weve wont wouldnt youre youve
    """.split()
)
"""English words that say nothing about the passage sought, normalize as terms are."""

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u3005-\u3007\u3040-\u31bf\u31f0-\u31ff\U0001b000-\U0001b16f"  # kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Han
)
_ACCENTS = re.compile("[\u0300-\u036f]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]+")
_THOUSANDS = re.compile(
    r"(?<!\d)(?<!\d[.,])\d{1,3}([.,'\u2019\u00a0\u2009\u202f])\d{3}(?:\1\d{3})*(?!\d)"
)
_POSSESSIVE = re.compile(r"['\u2019]s(?=[-\u2010_]|$)")
_HYPHENS = re.compile(r"[-\u2010_]")
_APOSTROPHES = re.compile(r"['\u2019]")


def index_terms(text: str) -> str:
    """Return the terms of ``text``, separated by blanks, as they go into the FTS5 table."""
    return " ".join(term for word in _words(text) for term in _terms(*word))


def match_expression(question: str) -> str | None:
    """Return the FTS5 ``MATCH`` expression for any of the question's terms; None when it has none.

    Terms are quoted, and hold nothing but letters, marks, digits and ``.``: no question can
    write syntax. Stop words are left out unless the question has nothing else.
    """
    phrases = _phrases(question, STOP_WORDS) or _phrases(question, frozenset())
    return " OR ".join(phrases) or None


def count_words(text: str) -> float:
    """Return the number of words; in scripts without blanks, two characters count as one."""
    return sum(len(word) / 2 if kind == "unspaced" else 1.0 for kind, word in _words(text))


def _phrases(question: str, stop_words: frozenset[str]) -> list[str]:
    """The first :data:`MAX_QUESTION_TERMS` different terms, quoted for FTS5."""
    quoted = (
        f'"{term}"*' if prefix else f'"{term}"'
        for kind, word in _words(question)
        for term, prefix in _question_terms(kind, word, stop_words)
    )
    return list(islice(dict.fromkeys(quoted), MAX_QUESTION_TERMS))


def _question_terms(kind: str, word: str, stop_words: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """``(term, is a prefix)`` of one word of a question."""
    if kind == "unspaced":
        # In the index a run's characters stand in pairs, the last one alone too: a single
        # character is therefore the beginning of a term wherever it occurs.
        yield from ((a + b, False) for a, b in pairwise(word)) if len(word) > 1 else [(word, True)]
        return
    terms = list(_terms(kind, word))
    if terms and terms[0] not in stop_words:
        yield from ((term, False) for term in terms if term not in stop_words)


def _words(text: str) -> Iterator[tuple[str, str]]:
    """``(kind, word)`` of the normalize text; ``kind`` is a group of :func:`_pattern`."""
    for match in _pattern().finditer(_fold(text)):
        yield str(match.lastgroup), match.group()


def _fold(text: str) -> str:
    """``text`` without case, accents, compatibility forms and thousands separators."""
    text = _THOUSANDS.sub(lambda match: match.group().replace(match.group(1), ""), text)
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)).casefold()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", text))


def _terms(kind: str, word: str) -> Iterator[str]:
    """The terms one word is indexed under, the word as a whole first."""
    if kind == "unspaced":
        yield from (a + b for a, b in pairwise(word))
        yield word[-1]
    elif kind == "number":
        yield from _number_terms(word)
    elif kind == "acronym":
        yield word.replace(".", "")
    else:
        yield from _word_terms(word)


def _number_terms(number: str) -> list[str]:
    """``3.3`` and ``3,3`` are ``3.3``; dates and versions count whole and in parts."""
    parts = [part[:MAX_TERM_LENGTH] for part in re.split("[.,]", number)]
    whole = ".".join(parts)[:MAX_TERM_LENGTH].rstrip(".")
    if len(parts) == 2 and ("." in number or len(parts[1]) <= 2):
        return [whole]
    return list(dict.fromkeys([whole, *parts]))


def _word_terms(word: str) -> list[str]:
    """``solid-state`` is also ``solid`` and ``state``; ``Luther's`` is ``luther``.

    A letter cut off by an apostrophe (``l'Europe``, ``don't``) is no term of its own.
    """
    if word.isalnum():
        return [word[:MAX_TERM_LENGTH]]
    word = _POSSESSIVE.sub("", word)
    parts = []
    for part in _HYPHENS.split(word):
        pieces = _APOSTROPHES.split(part)
        parts += pieces if len(pieces) == 1 else [piece for piece in pieces if len(piece) > 1]
    whole = _APOSTROPHES.sub("", _HYPHENS.sub("", word))
    return [term[:MAX_TERM_LENGTH] for term in dict.fromkeys([whole, *parts])]


@cache
def _pattern() -> re.Pattern[str]:
    """What counts as a word. Made at first use: it goes through the marks Unicode knows."""
    marks = _marks()
    letter = rf"[^\W\d_{_UNSPACED}]"
    letters = rf"(?:[a-z0-9]++|[^\W_{_UNSPACED}])++"  # the first branch is for speed alone
    word = rf"{letters}(?:[{marks}]++[^\W_{_UNSPACED}]*+)*+"
    return re.compile(
        rf"(?P<number>\d++(?:[.,]\d+)++)"
        rf"|(?P<acronym>(?:{letter}\.){{2,}}(?:{letter}(?!\w))?)"
        rf"|(?P<word>{word}(?:['\u2019\-\u2010_]{word})*+)"
        rf"|(?P<unspaced>(?:(?=[^\W_]|[{marks}])[{_UNSPACED}])++)"
    )


def _marks() -> str:
    """The combining marks of Unicode as ranges of a character class."""
    codes = [code for code in range(0x300, 0x1E900) if unicodedata.category(chr(code))[0] == "M"]
    runs = groupby(enumerate(codes), lambda item: item[1] - item[0])
    ends = ([code for _, code in run] for _, run in runs)
    return "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in ends)
