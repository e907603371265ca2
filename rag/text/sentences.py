"""Sentence borders as character spans, for many languages and without a model.

A span never holds leading or trailing white space. Lines that carry no words worth indexing
(images, bare links, rules) are in no span; offsets still count them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

TextSpan = tuple[int, int]

# The patterns below take time linear in the text, whatever it is: their repetitions are
# possessive, and none can start anew inside what it has already tried.
_LINK = re.compile(
    r"!?\[[^\[\]\n]*+\]\([^()\n]*+\)|!\[[^\[\]\n]*+\]\[[^\[\]\n]*+\]"
    r"|<?https?://[^\s<>]++>?|<img\b[^<>\n]*+(?:<(?!img\b)[^<>\n]*+)*+>"
)
_BULLETS = re.compile(r"[\s\-*+•|]*+(?:\d++\.\s[\s\-*+•|]*+)*+")
_HAS_WORD = re.compile(r"[^\W_]")

_CLOSERS = "\"'”’»)]」』）】〉》*_"
_TERMINATOR = re.compile(
    # Latin and others: white space must follow
    rf"(?<![.!?…])[.!?…]++[{re.escape(_CLOSERS)}]*+(?=\s|$)"
    # CJK: no white space needed
    rf"|(?<![。！？｡!?])[。！？｡!?]++[{re.escape(_CLOSERS)}]*+(?=[^\x00-\x7f\s])"
    rf"|[。！？｡।؟۔]++[{re.escape(_CLOSERS)}]*+"
    r"|(?<=[a-z]{3})\.(?=[A-Z][a-z,’' ])"  # a forgotten blank: "consumers.Now"
)
_BLANKS = re.compile(r"\s*+")
_LAST_WORD = re.compile(r"[^\s(\[\"“‘'„«]+$")
_OPENERS = "\"'“‘„«([¿¡*_"
_LIST_MARKER = re.compile(r"\s*(?:[-*+•‣–]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s")
_KEY = re.compile(  # of settings, assignments, and the headers of a mail
    r"[ \t>]*+[\w.$@/\"'-]{1,80}+(?: [\w.-]{1,30}+){0,3}+ ?(?::|[:+*/%&|^-]?=)(?:[ \t]|$)"
)

ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof sr jr st vs cf inc ltd corp approx lt sgt capt rev hon gov sen rep messrs "
    "ca resp e.g i.e a.m p.m ph.d u.s u.k u.n d.c z.b d.h u.a bzw usw evtl ggf hr fr sra srta dra "
    "ee.uu mme mlle jan feb mar apr jun jul aug sept sep oct nov dec".split()
)
"""Words, lower case and without their last full stop, after which a sentence seldom ends."""

_BEFORE_NUMBERS = frozenset("no nos nr art abs sec ch vol vols fig figs p pp eq ed".split())
"""Abbreviations only where a number follows: "No. 5"."""

_STARTERS = frozenset(
    "the a an this that these those it he she they we you i in on at as by for from after before "
    "however but and or so if when while although there its his her their our my der die das ein "
    "eine es er sie wir el la los las un una en".split()
)


def sentence_spans(text: str, start: int = 0, end: int | None = None) -> list[TextSpan]:
    """Spans ``(start, end)`` of the sentences in ``text[start:end]``, in order, not overlapping.

    Every character outside the spans is white space or belongs to a line without words.
    """
    end = len(text) if end is None else end
    return [
        sentence
        for block_start, block_end in _blocks(text, start, end)
        for sentence in _split_block(text, block_start, block_end)
    ]


def spans_over(spans: Sequence[TextSpan], start: int, end: int) -> range:
    """Indices of the ``spans``, which are in order, that share a character with ``[start, end)``.

    Empty where none does.
    """
    inside = [i for i, (a, b) in enumerate(spans) if a < end and b > start]
    return range(inside[0], inside[-1] + 1) if inside else range(0)


def is_noise(line: str) -> bool:
    """Tell whether a line has no words of its own: only images, links, bullets or punctuation."""
    if not _HAS_WORD.search(line):
        return True
    return _BULLETS.fullmatch(_LINK.sub("|", line)) is not None


def without_noise(text: str) -> str:
    """Return ``text`` without its lines that carry no words."""
    return "\n".join(line for line in text.split("\n") if line.strip() and not is_noise(line))


def _blocks(text: str, start: int, end: int) -> Iterator[TextSpan]:
    """Runs of lines that sentences may span: paragraphs, with wrapped lines kept together."""
    paragraph: list[TextSpan] = []
    position = start
    for line in text[start:end].split("\n"):
        span = (position, position + len(line))
        position = span[1] + 1
        if line.strip() and not is_noise(line):
            paragraph.append(span)
        else:
            yield from _join_wrapped(text, paragraph)
            paragraph = []
    yield from _join_wrapped(text, paragraph)


def _join_wrapped(text: str, lines: list[TextSpan]) -> Iterator[TextSpan]:
    if not lines:
        return
    width = max(end - start for start, end in lines)
    block_start = lines[0][0]
    for (above_start, above_end), (start, end) in itertools.pairwise(lines):
        if not _is_wrapped(text[above_start:above_end], text[start:end], width):
            yield block_start, above_end
            block_start = start
    yield block_start, lines[-1][1]


def _is_wrapped(above: str, below: str, width: int) -> bool:
    """Whether the break between two lines is only the margin: the next word had no room."""
    if " | " in below or _LIST_MARKER.match(below):
        return False
    if _KEY.match(above) and _KEY.match(below):
        return False
    if below.lstrip()[:1].islower() and not above.rstrip().endswith((".", "!", "?", ":", ";")):
        return True
    first_word = below.split(maxsplit=1)[0]
    return 40 <= width <= 120 and len(above) + 1 + len(first_word) > width


def _split_block(text: str, start: int, end: int) -> Iterator[TextSpan]:
    block = text[start:end]
    first = _after_blanks(block, 0)
    for match in _TERMINATOR.finditer(block):
        if _ends_sentence(block, first, match.start(), match.end()):
            yield start + first, start + match.end()
            first = _after_blanks(block, match.end())
    if first < len(block):
        yield start + first, start + len(block.rstrip())


def _after_blanks(text: str, position: int) -> int:
    blanks = _BLANKS.match(text, position)
    return blanks.end() if blanks else position


def _ends_sentence(block: str, first: int, mark: int, after: int) -> bool:
    """Whether the punctuation ``block[mark:after]`` ends the sentence that starts at ``first``.

    It does not after an abbreviation or a number.
    """
    rest = block[after : after + 40].lstrip().lstrip(_OPENERS)
    if not rest or block[mark] in "。！？｡।؟۔":
        return True
    if rest[0].islower():
        return False
    if block[mark] != "." or after - mark > 1:
        return True
    word = _LAST_WORD.search(block, max(first, mark - 40), mark)
    if word is None:
        return True
    return not _is_abbreviation(word.group(), word.span() == (first, mark), rest)


def _is_abbreviation(word: str, is_first: bool, rest: str) -> bool:
    next_word = re.split(r"\W", rest, maxsplit=1)[0].lower()
    if word.isdigit() and len(word) <= 2:  # "am 1. Januar", or a list's number
        return is_first or next_word not in _STARTERS
    if len(word) == 1 and word.isalpha():  # an initial: "J. Smith", "z. B."
        return True
    if word.lower() in ABBREVIATIONS or re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]", word):
        return next_word not in _STARTERS
    return word.lower() in _BEFORE_NUMBERS and next_word[:1].isdigit()
