"""Import of a BEIR folder: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/*.tsv``.

Such sets tell which documents are relevant, not which words answer: the evidence of a question is
all of its relevant documents, and its ``answers`` are null.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from rag.errors import QuestionSetError
from rag.questions.entry import Entry, identity, json_lines, require, skipped
from rag.questions.locate import Documents
from rag.questions.model import Question, unique

_PREFERRED = ("test.tsv", "dev.tsv", "train.tsv")


def corpus(path: Path) -> Iterator[tuple[str, str]]:
    """Id and text of each document of the corpus: its title, a blank line, its text."""
    for where, item in json_lines(path / "corpus.jsonl"):
        parts = [str(item.get("title") or "").strip() if isinstance(item, dict) else ""]
        parts.append(require(item, "text", str, where).strip())
        yield identity(item, "_id", where), "\n\n".join(filter(None, parts))


def from_beir(path: Path, documents: Documents) -> Iterator[Entry]:
    """The queries that have relevant documents, located in the documents as whole passages."""
    relevant = _relevant(path)
    wanted = {name for names in relevant.values() for name in names}
    places = {
        name: documents.find_passage(text, name)
        for name, text in corpus(path)
        if name in wanted and text.strip()
    }
    for where, item in json_lines(path / "queries.jsonl"):
        name, asked = identity(item, "_id", where), require(item, "text", str, where).strip()
        if name not in relevant:
            yield skipped(where, "no document is relevant to it")
            continue
        found = [places.get(document) for document in relevant[name]]
        evidence = unique(each for each in found if each)
        if not asked or not evidence:
            reason = "its relevant documents are not in the index" if asked else "it is blank"
            yield skipped(where, reason)
            continue
        lost = found.count(None)
        remark = f"{lost} of {len(found)} relevant documents are not in the index" if lost else ""
        yield Entry(where, Question(name, asked, (), evidence, answers_known=False), remark)


def _relevant(path: Path) -> dict[str, list[str]]:
    """Ids of the relevant documents of each query; of several qrels files the test set's."""
    files = sorted((path / "qrels").glob("*.tsv"))
    named = {file.name: file for file in files}
    chosen = next((named[name] for name in _PREFERRED if name in named), None)
    if chosen is None and not files:
        raise QuestionSetError(f"{path} holds no qrels/*.tsv: name a folder in BEIR's form")
    chosen = chosen or files[0]
    relevant: dict[str, list[str]] = {}
    with chosen.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
            if not row or (number == 1 and not row[-1].lstrip("-").isdigit()):
                continue  # the header
            try:
                query, document, score = row
                if int(score) > 0:
                    relevant.setdefault(query, []).append(document)
            except ValueError:
                raise QuestionSetError(
                    f"{chosen.name}, line {number}: expected query, document and a whole number, "
                    "separated by tabs"
                ) from None
    return relevant
