"""Write pairs of words that mean the same: `python -m training.synonyms WORDNET`.

WORDNET is a folder of the WordNet 3.0 database files (Debian: package wordnet-base). Two words are
a pair if both are mostly used in one and the same sense, by the counts of WordNet's own texts.
Pairs are taken in every form ("began" and "started"), into `synonyms.txt` beside this file.
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from training.opposites import exceptions, forms

FILE = Path(__file__).parent / "synonyms.txt"
PARTS = {"1": "noun", "2": "verb", "3": "adj", "4": "adv", "5": "adj"}
MIN_USES = 3
MIN_SHARE = 0.5
"""How often a word is used in its first sense, and for which share of all of its uses."""


def counts(folder: Path) -> Counter[tuple[str, str, int]]:
    """Return how often a word is used in a sense, by part of speech, word and number."""
    found = Counter[tuple[str, str, int]]()
    for line in (folder / "cntlist.rev").read_text("utf-8").splitlines():
        key, number, uses = line.split()
        word, rest = key.split("%")
        found[PARTS[rest[0]], word, int(number)] += int(uses)
    return found


def same(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (part of speech, lemma, lemma) of words with the same first sense."""
    uses = counts(folder)
    total = Counter[str]()
    for (_, word, _), number in uses.items():
        total[word] += number
    for part in ("noun", "verb", "adj"):
        sharing: dict[str, list[str]] = {}
        for line in (folder / f"index.{part}").read_text("utf-8").splitlines():
            if line.startswith("  "):
                continue
            word, *fields = line.split()
            first = fields[int(fields[2]) + 5]
            often = uses[part, word, 1]
            if len(word) > 3 and often >= MIN_USES and often >= MIN_SHARE * total[word]:
                sharing.setdefault(first, []).append(word)
        for words in sharing.values():
            for one, other in itertools.combinations(words, 2):
                yield part, one, other


def pairs(folder: Path) -> set[tuple[str, str]]:
    """Return pairs of forms, in alphabetical order."""
    found = set()
    irregular = {part: exceptions(folder, part) for part in ("noun", "verb", "adj")}
    for part, one, other in same(folder):
        mine, its = (forms(lemma, part, irregular[part]) for lemma in (one, other))
        for kind in mine.keys() & its.keys() - {"ly", "er", "est"}:
            a, b = mine[kind][0], its[kind][0]
            if a.isalpha() and b.isalpha() and a != b:
                found.add((min(a, b), max(a, b)))
    return found


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and write synonyms.txt."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wordnet", type=Path, help="folder with index.noun, verb.exc and the like")
    given = parser.parse_args(arguments)
    text = "".join(f"{one} {other}\n" for one, other in sorted(pairs(given.wordnet)))
    FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
