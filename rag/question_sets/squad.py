"""Import of SQuAD's JSON, version 1 and 2, and of the many sets that have its form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.question_sets.entry import Entry, identity, require, skipped
from rag.question_sets.lines import parse_json
from rag.question_sets.locate import Documents, occurrences
from rag.question_sets.model import Evidence, GoldQuestion, unique


def articles(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the title and text of each article: its paragraphs, a blank line between them."""
    for number, article in enumerate(_data(path)):
        where = f"data[{number}]"
        paragraphs = require(article, "paragraphs", list, where)
        contexts = [require(p, "context", str, f"{where}.paragraphs") for p in paragraphs]
        yield _title(article, number), "\n\n".join(contexts)


def from_squad(path: Path, documents: Documents) -> Iterator[Entry]:
    """Yield the questions; each paragraph is located in the documents, and answers within it."""
    for a, article in enumerate(_data(path)):
        title = _title(article, a)
        for p, paragraph in enumerate(require(article, "paragraphs", list, f"data[{a}]")):
            where = f"data[{a}].paragraphs[{p}]"
            context = require(paragraph, "context", str, where)
            questions = require(paragraph, "qas", list, where)
            place = documents.find_passage(context, title) if context.strip() else None
            for q, item in enumerate(questions):
                yield _entry(f"{where}.qas[{q}]", item, context, place, documents)


def _title(article: Any, number: int) -> str:
    title = article.get("title") if isinstance(article, dict) else None
    return str(title or f"article {number}")


def _entry(
    where: str, item: Any, context: str, place: Evidence | None, documents: Documents
) -> Entry:
    name, asked = identity(item, "id", where), require(item, "question", str, where).strip()
    answers = require(item, "answers", list, where)
    if not asked:
        return skipped(where, "the question is blank")
    if item.get("is_impossible") is True:
        return Entry(where, GoldQuestion(name, asked, (), ()))
    if not answers:
        return skipped(where, "it has no answers and is not marked 'is_impossible'")
    if place is None:
        return skipped(where, "its paragraph stands in no document")
    found = [_locate(answer, where, context, place, documents) for answer in answers]
    evidence = unique(each for each in found if each)
    if not evidence:
        return skipped(where, "none of its answers stands in its paragraph")
    texts = dict.fromkeys(answer["text"].strip() for answer in answers)
    lost = found.count(None)
    remark = f"{lost} of {len(found)} answers do not stand in the paragraph" if lost else ""
    return Entry(where, GoldQuestion(name, asked, tuple(filter(None, texts)), evidence), remark)


def _locate(
    answer: Any, where: str, context: str, place: Evidence, documents: Documents
) -> Evidence | None:
    """The answer's occurrence nearest to where the file says it starts."""
    words = require(answer, "text", str, f"{where}.answers")
    told = require(answer, "answer_start", int, f"{where}.answers")
    told += len(words) - len(words.lstrip())
    words = words.strip()
    passage = documents.text_of(place.source)[place.start : place.end]
    starts = occurrences(passage, words) if words else []
    if not starts:
        return None
    told -= len(context) - len(context.lstrip())
    if passage.startswith(words, max(told, 0)):
        starts = [max(told, 0)]
    start = place.start + min(starts, key=lambda start: abs(start - told))
    return Evidence(place.source, start, start + len(words))


def _data(path: Path) -> list[Any]:
    content = parse_json(path.read_text(encoding="utf-8-sig"), str(path))
    data: list[Any] = require(content, "data", list, str(path))
    return data
