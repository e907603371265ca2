"""Import of a BEIR folder: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/*.tsv``.

Such sets tell which documents are relevant, not which words answer: the evidence of a question is
all of its relevant documents, and its ``answers`` are null.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.errors import QuestionSetError
from rag.question_sets.entry import Entry, identity, require, skipped
from rag.question_sets.lines import json_lines
from rag.question_sets.locate import Documents
from rag.question_sets.model import Evidence, GoldQuestion, unique

_PREFERRED = ("test.tsv", "dev.tsv", "train.tsv")


def corpus(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the id and text of each document of the corpus: its title, a blank line, its text."""
    for where, item in _items(path / "corpus.jsonl"):
        parts = [str(item.get("title") or "").strip() if isinstance(item, dict) else ""]
        parts.append(require(item, "text", str, where).strip())
        yield identity(item, "_id", where), "\n\n".join(filter(None, parts))


def from_beir(path: Path, documents: Documents) -> Iterator[Entry]:
    """The queries that have relevant documents, located in the documents as whole passages."""
    qrels = qrels_file(path)
    relevant = _relevant(qrels)
    wanted = {name for names in relevant.values() for name in names}
    places = {
        name: documents.find_passage(text, name)
        for name, text in corpus(path)
        if name in wanted and text.strip()
    }
    asked = set()
    for where, item in _items(path / "queries.jsonl"):
        name = identity(item, "_id", where)
        asked.add(name)
        words = require(item, "text", str, where).strip()
        yield _entry(where, name, words, [places.get(each) for each in relevant.get(name, ())])
    for name in sorted(relevant.keys() - asked):
        yield skipped(f"{qrels.name}, query {name!r}", "queries.jsonl does not hold it")


def _entry(where: str, name: str, asked: str, found: Sequence[Evidence | None]) -> Entry:
    """A query whose relevant documents were ``found``: None is one that was not."""
    if not found:
        return skipped(where, "no document is relevant to it")
    evidence = unique(each for each in found if each)
    if not asked or not evidence:
        reason = "its relevant documents are not in the index" if asked else "it is blank"
        return skipped(where, reason)
    lost = found.count(None)
    remark = f"{lost} of {len(found)} relevant documents are not in the index" if lost else ""
    return Entry(where, GoldQuestion(name, asked, (), evidence, answers_known=False), remark)


def _items(path: Path) -> Iterator[tuple[str, Any]]:
    """The place and the value of each line."""
    return ((f"{path.name}, line {number}", item) for number, item in json_lines(path))


def qrels_file(path: Path) -> Path:
    """Return the file of judgements, of several the test set's.

    Raises :class:`QuestionSetError`.
    """
    named = {file.name: file for file in sorted((path / "qrels").glob("*.tsv"))}
    if not named:
        raise QuestionSetError(f"{path} holds no qrels/*.tsv: name a folder in BEIR's form")
    return next((named[name] for name in _PREFERRED if name in named), next(iter(named.values())))


def _relevant(qrels: Path) -> dict[str, list[str]]:
    """Ids of the relevant documents of each query."""
    relevant: dict[str, list[str]] = {}
    with qrels.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
            if not row or (number == 1 and not row[-1].lstrip("-").isdigit()):
                continue  # the header
            try:
                query, document, score = row
                if int(score) > 0:
                    relevant.setdefault(query, []).append(document)
            except ValueError:
                raise QuestionSetError(
                    f"{qrels.name}, line {number}: expected query, document and a whole number, "
                    "separated by tabs"
                ) from None
    return relevant
