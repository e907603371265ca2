"""Import of a CSV table with the columns ``question``, ``answer`` and ``source``."""

from __future__ import annotations

import csv
import difflib
import textwrap
from collections.abc import Iterator
from pathlib import Path

from rag.errors import QuestionSetError
from rag.question_sets.entry import Entry, skipped
from rag.question_sets.locate import Documents
from rag.question_sets.model import GoldQuestion

COLUMNS = ("question", "answer", "source")

_SHOWN = 100


def from_table(path: Path, documents: Documents) -> Iterator[Entry]:
    """One question a row, separated by commas, semicolons or tabs, in UTF-8.

    An empty answer means that the documents do not say; an empty source that any of them may.
    A column ``id`` is used if there is one.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        delimiter = max(",;\t", key=header.count)
        file.seek(0)
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            names = [name.strip().lower() for name in next(rows, [])]
            missing = [name for name in COLUMNS if name not in names]
            if missing:
                told = textwrap.shorten(", ".join(names), _SHOWN, placeholder=" …") or "nothing"
                raise QuestionSetError(
                    f"{path} lacks the column {missing[0]!r}: its first line must name "
                    f"{', '.join(COLUMNS)}, but names {told}"
                )
            for row in rows:
                cells = [cell.strip() for cell in row]
                while len(cells) > len(names) and not cells[-1]:  # some programs fill rows up
                    cells.pop()
                if len(cells) != len(names) and any(cells):
                    what = f"it has {len(cells)} cells, but the first line {len(names)}"
                    yield skipped(f"line {rows.line_num}", f"{what}: quote cells with separators")
                elif any(cells):
                    named = dict(zip(names, cells, strict=True))
                    yield _entry(rows.line_num, named, documents)
        except csv.Error as error:
            raise QuestionSetError(f"{path}, line {rows.line_num}: {error}") from error


def _entry(line: int, row: dict[str, str], documents: Documents) -> Entry:
    where = f"line {line}"
    asked, answer, source = (row.get(name, "") for name in COLUMNS)
    name = row.get("id") or f"line-{line}"
    if not asked:
        return skipped(where, "the question is blank")
    if not answer:
        return Entry(where, GoldQuestion(name, asked, (), ()))
    if source and source not in documents:
        close = difflib.get_close_matches(source, documents.sources, n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return skipped(where, f"the index holds no document {source!r}{hint}")
    places = documents.find_answer(answer, asked, [source] if source else documents.sources)
    if not places:
        holder = repr(source) if source else "any document"
        return skipped(where, f"{answer!r} does not stand in {holder} word for word")
    remark = ""
    if len(places) > 1:
        remark = f"{answer!r} stands in {len(places)} places that fit alike; all count as evidence"
    return Entry(where, GoldQuestion(name, asked, (answer,), tuple(places)), remark)
