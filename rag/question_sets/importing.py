"""Other formats in, a question set out, with an account of what was left out and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rag.atomic_files import replacing
from rag.errors import QuestionSetError
from rag.load.registry import Load, load_file
from rag.question_sets.beir import corpus, from_beir, qrels_file
from rag.question_sets.corpus import write_documents
from rag.question_sets.entry import Entry
from rag.question_sets.jsonl import from_jsonl
from rag.question_sets.lines import explained
from rag.question_sets.locate import Documents
from rag.question_sets.squad import articles, from_squad
from rag.question_sets.table import from_table


@dataclass(frozen=True, slots=True)
class Format:
    """A format of question sets: how its entries are read, and what its files are called.

    ``texts`` reads the documents that come with such a set; None where none come. ``check`` looks
    whether all that the set needs is there, before a large corpus is written for nothing.
    """

    read: Callable[[Path, Documents], Iterator[Entry]]
    suffixes: tuple[str, ...] = ()
    texts: Callable[[Path], Iterator[tuple[str, str]]] | None = None
    check: Callable[[Path], object] | None = None


FORMATS: Mapping[str, Format] = {
    "squad": Format(from_squad, (".json",), articles),
    "csv": Format(from_table, (".csv", ".tsv")),
    "beir": Format(from_beir, (), corpus, qrels_file),
    "jsonl": Format(from_jsonl, (".jsonl",)),
}


def bring_documents(path: Path, kind: str, folder: Path, load: Load = load_file) -> Documents:
    """Write the documents that come with the set into ``folder``, and search those.

    They are read back by ``load``, as a sync will read them.
    Raises :class:`QuestionSetError` for a format that brings none.
    """
    form = FORMATS[kind]
    if form.texts is None:
        raise QuestionSetError(f"a {kind} file brings no documents: leave out --documents")
    with explained(path):
        if form.check is not None:
            form.check(path)
        return write_documents(folder, form.texts(path), load)


def guess_format(path: Path) -> str:
    """Return the format that the name promises.

    Raises :class:`QuestionSetError` where none does.
    """
    if path.is_dir():
        return "beir"
    if not path.exists():
        raise QuestionSetError(f"cannot read {str(path)!r}: there is no such file or folder")
    for kind, form in FORMATS.items():
        if path.suffix.lower() in form.suffixes:
            return kind
    raise QuestionSetError(
        f"cannot tell the format of {str(path)!r}: say --format {', '.join(FORMATS)}"
    )


def entries(path: Path, kind: str, documents: Documents) -> Iterator[Entry]:
    """Yield what ``path``, of a format in :data:`FORMATS`, holds.

    Answers are located in the documents.

    Raises :class:`QuestionSetError` where the file as a whole cannot be read.
    """
    with explained(path):
        yield from FORMATS[kind].read(path, documents)


@dataclass(frozen=True, slots=True)
class Remark:
    """What there is to say of one place in the imported file."""

    where: str
    reason: str


@dataclass(slots=True)
class ImportReport:
    """What was imported; ``skipped`` was not, ``notes`` was and deserves a look."""

    imported: int = 0
    answerable: int = 0
    skipped: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return asdict(self)


def write_questions(path: Path, found: Iterable[Entry]) -> ImportReport:
    """Write a question set, whole or not at all; a second question of one id is skipped.

    Raises :class:`QuestionSetError` if nothing could be imported.
    """
    report = ImportReport()
    seen: set[str] = set()
    with replacing(path) as file:
        for entry in found:
            question = entry.question
            if question is None:
                report.skipped.append(Remark(entry.where, entry.remark))
                continue
            if question.id in seen:
                reason = f"its id {question.id!r} came before"
                report.skipped.append(Remark(entry.where, reason))
                continue
            seen.add(question.id)
            file.write(json.dumps(question.to_dict(), ensure_ascii=False) + "\n")
            report.imported += 1
            report.answerable += question.answerable
            if entry.remark:
                report.notes.append(Remark(entry.where, entry.remark))
        if not report.imported:
            first = report.skipped[0] if report.skipped else None
            why = f"{first.where}: {first.reason}" if first else "it holds no questions"
            raise QuestionSetError(
                f"no question could be imported ({len(report.skipped)} skipped); {why}"
            )
    return report
