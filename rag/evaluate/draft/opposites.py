"""Words that turn a question into another one: opposites, ordinals, countries, years nearby."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PAIRS = """
highest lowest largest smallest biggest smallest oldest youngest longest shortest earliest latest
tallest shortest fastest slowest strongest weakest maximum minimum northern southern eastern western
north south east west upper lower summer winter spring autumn import export imports exports domestic
foreign initial final internal external indoor outdoor rural urban military civilian public private
inner outer senior junior
""".split()
_OTHERS: dict[str, list[str]] = {}
for _one, _other in zip(_PAIRS[::2], _PAIRS[1::2], strict=True):
    _OTHERS.setdefault(_one, []).append(_other)
    _OTHERS.setdefault(_other, []).append(_one)

_ORDINALS = "first second third fourth fifth sixth seventh".split()
_WORD = re.compile(
    rf"(?<![\w-])(?:{'|'.join(_OTHERS)}|(?<=\b[Tt]he )(?:{'|'.join(_ORDINALS[:-2])}))(?![\w-])"
)
"""An ordinal without "the" may be an adverb: "was first considered"."""

COUNTRIES = frozenset(
    "Argentina Australia Austria Bangladesh Belgium Brazil Bulgaria Canada Chile China Colombia "
    "Croatia Cuba Denmark Egypt Ethiopia Finland France Germany Ghana Greece Hungary Iceland India "
    "Indonesia Iran Iraq Ireland Israel Italy Japan Kenya Malaysia Mexico Morocco Nepal Nigeria "
    "Norway Pakistan Peru Poland Portugal Romania Russia Singapore Spain Sweden Switzerland "
    "Thailand Turkey Ukraine Uruguay Venezuela Vietnam".split()
)

_YEARS_AWAY = 9


def opposites(question: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each word of a question that has opposites, and those."""
    for word in dict.fromkeys(_WORD.findall(question)):
        if word in _OTHERS:
            yield word, _OTHERS[word]
        else:
            place = _ORDINALS.index(word)
            yield word, _ORDINALS[place + 1 : place + 3]


def years_near(year: str, later: bool) -> list[str]:
    """Return the years before, or the ``later`` ones, nearest first."""
    way = 1 if later else -1
    return [str(int(year) + way * away) for away in range(1, _YEARS_AWAY + 1)]
