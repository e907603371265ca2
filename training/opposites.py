"""Write the word pairs of opposite meaning: `python -m training.opposites WORDNET rag/assets`.

WORDNET is a folder of the WordNet 3.0 database files (Debian: package wordnet-base). Pairs are
taken in every form ("won" and "lost"); adverbs are made of adjectives ("indirectly", "directly").
"""

from __future__ import annotations

import argparse
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer

from training.model import default_backbone

PARTS = ("noun", "verb", "adj", "adv")

# What WordNet does not call antonyms, but what makes a question ask for something else.
MORE = """
first last; biggest smallest; greatest smallest; higher lower; long short; old new; before after;
during before; rose fell; start finish; found lost; enter leave; join leave; allow forbid;
support oppose; agreed refused; gain lose; teach learn; taught studied; men women; man woman;
brother sister; husband wife; modern ancient; major minor; common rare; summer winter;
over under; upper lower; with without; never always; only never; cause prevent; born buried;
live die; benefit drawback; arrive depart; create destroy; build demolish; allow ban;
appoint dismiss; marry divorce; require forbid; before since; until since; front behind;
benefit harm; like oppose; thousand hundred; million thousand; billion million;
exterior interior
"""


def antonyms(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (part of speech, lemma, lemma) for each antonym pointer between single words."""
    for part in PARTS:
        words: dict[str, list[str]] = {}
        pointers: list[tuple[str, int, str, int]] = []
        for line in (folder / f"data.{part}").read_text("utf-8").splitlines():
            if line.startswith("  "):
                continue
            fields = line.split(" | ")[0].split()
            count = int(fields[3], 16)
            words[fields[0]] = [fields[4 + 2 * i].split("(")[0] for i in range(count)]
            rest = fields[4 + 2 * count :]
            for i in range(int(rest[0])):
                symbol, target, _, places = rest[1 + 4 * i : 5 + 4 * i]
                if symbol == "!":
                    pointers.append((fields[0], int(places[:2], 16), target, int(places[2:], 16)))
        for source, mine, target, its in pointers:
            yield part, words[source][mine - 1].lower(), words[target][its - 1].lower()


def exceptions(folder: Path, part: str) -> dict[str, list[str]]:
    """Return the irregular forms of each lemma."""
    found: dict[str, list[str]] = {}
    for line in (folder / f"{part}.exc").read_text("utf-8").splitlines():
        form, *lemmas = line.split()
        for lemma in lemmas:
            found.setdefault(lemma, []).append(form)
    return found


def forms(lemma: str, part: str, irregular: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the forms of a lemma by their kind."""
    made = {"base": [lemma]}
    odd = irregular.get(lemma, [])
    if part == "verb":
        past = [form for form in odd if not form.endswith("ing")]
        made["s"] = [_ending(lemma, "s")]
        made["ed"] = past or [_ending(lemma, "ed")]
        made["ing"] = [form for form in odd if form.endswith("ing")] or [_ending(lemma, "ing")]
    elif part == "noun":
        made["s"] = odd or [_ending(lemma, "s")]
    elif part == "adj":
        made["ly"] = [_adverb(lemma)]
        made["er"] = [f for f in odd if f.endswith("er")] or [_ending(lemma, "er")]
        made["est"] = [f for f in odd if f.endswith("est")] or [_ending(lemma, "est")]
    return made


def _ending(word: str, ending: str) -> str:
    if ending == "s":
        if re.search(r"(?:s|x|z|ch|sh)$", word):
            return word + "es"
        return word[:-1] + "ies" if re.search(r"[^aeiou]y$", word) else word + "s"
    if ending != "ing" and re.search(r"[^aeiou]y$", word):
        return word[:-1] + "i" + ending
    if word.endswith("e") and not (ending == "ing" and word.endswith("ee")):
        return word[:-1] + ending
    return word + ending


def _adverb(adjective: str) -> str:
    if adjective.endswith("le"):
        return adjective[:-1] + "y"
    if adjective.endswith("ic"):
        return adjective + "ally"
    return _ending(adjective, "ily")[:-3] + "ily" if adjective.endswith("y") else adjective + "ly"


def pairs(folder: Path, known: set[str]) -> set[tuple[str, str]]:
    """Return pairs of words, in alphabetical order, at least one of them `known`."""
    irregular = {part: exceptions(folder, part) for part in PARTS}
    found = set()
    extra = [("verb", *pair.split()) for pair in MORE.split(";")]
    for part, one, other in itertools.chain(antonyms(folder), extra):
        mine, its = (forms(lemma, part, irregular[part]) for lemma in (one, other))
        for kind in mine.keys() & its.keys():
            for a, b in itertools.product(mine[kind], its[kind]):
                if _is_kept(a, b, known):
                    found.add((min(a, b), max(a, b)))
    return found


def _is_kept(one: str, other: str, known: set[str]) -> bool:
    if not (one.isalpha() and other.isalpha() and min(len(one), len(other)) > 2):
        return False
    return one != other and (one in known or other in known)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and write opposites.txt."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wordnet", type=Path, help="folder with data.noun, verb.exc and the like")
    parser.add_argument("out", type=Path, help="folder that opposites.txt is written to")
    given = parser.parse_args(arguments)
    vocabulary = Tokenizer.from_file(str(default_backbone() / "tokenizer.json")).get_vocab()
    found = sorted(pairs(given.wordnet, set(vocabulary)))
    text = "".join(f"{one} {other}\n" for one, other in found)
    (given.out / "opposites.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
