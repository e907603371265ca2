"""Question-answering files read into examples, with tokenised text put back into plain English."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Penn-Treebank and NQ spacing, as (pattern, replacement); the matched text is replaced and the
# offsets of the answer are moved along.
_REWRITES = [
    (r"<[^<>]{1,12}> ?", ""),
    (r" ?-LRB- ?", " ("),
    (r" ?-RRB-", ")"),
    (r"`` ?", '"'),
    (r" ''", '"'),
    (r" (?=(?:n't|'s|'re|'ve|'ll|'d|'m)\b)", ""),
    (r" (?=[,.;:?!%)\]])", ""),
    (r"(?<=[(\[$]) ", ""),
    (r" ?([–-]) (?=\w)", None),
]
_REWRITE = re.compile("|".join(f"(?P<r{i}>{pattern})" for i, (pattern, _) in enumerate(_REWRITES)))


@dataclass(frozen=True, slots=True)
class Example:
    """A question with the passage that answers it.

    `context[start:end]` is the answer; both are 0 where there is none. `group` names the texts
    that near misses may come from: an article where the file gives titles, else the whole file.
    """

    source: str
    group: str
    context: str
    question: str
    start: int
    end: int

    @property
    def answer(self) -> str:
        """The answer in the passage's own words."""
        return self.context[self.start : self.end]


@dataclass(frozen=True, slots=True)
class DevExample:
    """A question of a development set; no answers means that the passage does not say."""

    id: str
    context: str
    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """How one training file is used; `weight` is its relative share of the examples drawn.

    `negatives`: passages without the answer are looked for. `edits`: near misses are made of its
    questions. `spans`: answers are marked, not only whether there is one. `noise`: its questions
    are also asked as people type them. `twins`: unanswerable questions, each drawn with an
    answerable one to the same passage. `statements`: yes-or-no questions are made of its passages.
    """

    weight: float
    tokenised: bool = False
    grouped: bool = True
    negatives: bool = True
    edits: bool = False
    spans: bool = True
    noise: bool = True
    twins: bool = False
    statements: bool = False


FACTS = "facts"
"""The source of the examples that `training/facts.py` makes."""

# Wikipedia counts most. Titles of the product reviews hold five passages each, too few to find a
# near miss in, so those count as one group; likewise the Chinese files.
SOURCES: dict[str, Source] = {
    "squad1_du_test": Source(13, edits=True, statements=True),
    "squad1_train_20articles": Source(3, edits=True, statements=True),
    "squad1_routerlens": Source(4, grouped=False, edits=True, statements=True),
    "squad1_cs224n": Source(5, grouped=False, edits=True, statements=True),
    "squad1_more": Source(1.5, grouped=False, edits=True, statements=True),
    "squad2_train_near_misses": Source(22, negatives=False, twins=True),
    "squad2_train_other_paragraph": Source(3, negatives=False),
    "squadshifts_new_wiki": Source(8, edits=True, statements=True),
    "squadshifts_amazon_reviews": Source(5, grouped=False, edits=True),
    "squadshifts_reddit": Source(5, grouped=False, edits=True),
    "policyqa_dev": Source(1, negatives=False),
    "policyqa_test": Source(1, negatives=False),
    "fairytaleqa_train": Source(2, negatives=False),
    "qamr_sentences": Source(3, tokenised=True, grouped=False, negatives=False),
    "nq_swap": Source(4, tokenised=True, grouped=False),
    "privacyqa_clauses": Source(1.5, grouped=False, negatives=False, spans=False),
    "condaqa_dontknow": Source(0.5, grouped=False, negatives=False, spans=False),
    "ja_jaquad_train": Source(4, noise=False),
    "ja_jsquad": Source(2, noise=False),
    "zh_cmrc2018_dev_trial": Source(5, grouped=False, noise=False),
    "zh_tw_drcd_dev_test": Source(4, grouped=False, noise=False),
    "fr_piaf": Source(3),
    FACTS: Source(9, grouped=False, negatives=False),
}


def read_lines(path: Path) -> Iterator[dict[str, object]]:
    """Yield the JSON objects of a gzipped file, one a line."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def detokenise(text: str, start: int = 0, end: int = 0) -> tuple[str, int, int]:
    """Return `text` without tokeniser spacing and markup, and where `[start, end)` went."""
    pieces: list[str] = []
    done = 0
    length = 0
    moved = {start: 0, end: 0}
    for match in _REWRITE.finditer(text):
        index = int(str(match.lastgroup)[1:]) if str(match.lastgroup).startswith("r") else 8
        replacement = _REWRITES[index][1]
        new = match.group().strip() if replacement is None else replacement
        _note(moved, (start, end), done, match.start(), length)
        pieces += [text[done : match.start()], new]
        length += match.start() - done
        for offset in (start, end):
            if match.start() < offset < match.end():
                moved[offset] = length + len(new)
        length += len(new)
        done = match.end()
    _note(moved, (start, end), done, len(text) + 1, length)
    pieces.append(text[done:])
    return "".join(pieces), moved[start], moved[end]


def _note(moved: dict[int, int], offsets: tuple[int, int], low: int, high: int, new: int) -> None:
    """Record the new place of each offset in `[low, high]`, where `low` moved to `new`."""
    for offset in offsets:
        if low <= offset <= high:
            moved[offset] = new + offset - low


def _example(row: dict[str, object], name: str, source: Source) -> Example | None:
    """Make an example of one line; the shortest of several answers stands for all."""
    answers = row["answers"]
    assert isinstance(answers, list)
    context, question = str(row["context"]), " ".join(str(row["question"]).split())
    if not question:
        return None
    group = f"{name}/{row['title']}" if source.grouped else name
    if not answers:
        return Example(name, group, context, question, 0, 0)
    answer = min(answers, key=lambda a: len(a["text"]))
    start, end = int(answer["start"]), int(answer["start"]) + len(answer["text"])
    if source.tokenised:
        context, start, end = detokenise(context, start, end)
        question = detokenise(question)[0]
    start, end = strip_span(context, start, end)
    return Example(name, group, context, question, start, end) if end > start else None


def strip_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Take white space and closing punctuation off a span's borders."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in ".,;:"):
        end -= 1
    return start, end


def read_training(data: Path, limit: int | None = None) -> list[Example]:
    """Read the training files in `data`/train without what is held out, `limit` of each at most.

    A passage held out in one file is held out in all. Files that are missing are left out; a
    folder without any is an error.
    """
    examples = _read_all(data)
    kept = Counter[str]()
    lacking = {e.context for e in examples if is_held_out(e)}
    found = []
    for example in examples:
        if example.context not in lacking and (limit is None or kept[example.source] < limit):
            kept[example.source] += 1
            found.append(example)
    return found


def read_held_out(data: Path) -> list[Example]:
    """Read the articles that no reader is trained on: what decides about refusals learns there."""
    found = [example for example in _read_all(data) if is_held_out(example)]
    return [example for example in found if example.end]


def is_held_out(example: Example) -> bool:
    """Whether an example is kept from training: one article in twelve, or passage without titles.

    The same articles always, whatever the seed.
    """
    source = SOURCES[example.source]
    kept_apart = source.negatives or source.twins
    by_title = source.grouped and kept_apart
    key = example.group.split("/", 1)[1] if by_title else example.context
    return kept_apart and zlib.crc32(key.encode()) % 12 == 1


def _read_all(data: Path) -> list[Example]:
    examples: list[Example] = []
    for name, source in SOURCES.items():
        path = data / "train" / f"{name}.jsonl.gz"
        if path.exists():
            made = (_example(row, name, source) for row in read_lines(path))
            examples += [example for example in made if example is not None]
    if not examples:
        raise FileNotFoundError(f"no training file such as squad1_du_test.jsonl.gz in {data}/train")
    return examples


def read_dev(path: Path) -> list[DevExample]:
    """Read a development set such as `dev/reading/squad2.jsonl.gz`."""
    rows = []
    for row in read_lines(path):
        answers = row["answers"]
        assert isinstance(answers, list)
        texts = tuple(str(answer["text"]) for answer in answers)
        rows.append(DevExample(str(row["id"]), str(row["context"]), str(row["question"]), texts))
    return rows
