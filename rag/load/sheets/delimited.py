"""CSV, TSV and the like -> rows: the delimiter and the encoding are found by looking."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import PurePosixPath

from rag.load.detect.encoding import decode
from rag.load.sheets.sheet import SheetWriter
from rag.load.sheets.sheet_header import SheetCell
from rag.types import Document

_DELIMITERS = ",;\t|"
_NO_DELIMITER = "\x1f"  # for lines that are one field each
_MARK = "end"
_MIN_SHARE = 0.4  # of rows with the same number of fields; prose with commas has fewer
_LOOKED_AT = 100  # rows that tell the delimiter
_MAX_FIELD_LENGTH = 10_000_000
_MAX_QUOTED_LENGTH = (
    20_000  # a longer field that begins with a quotation mark lacks the closing one
)
_SEPARATOR_LINE = re.compile(r"sep=(.)\n", re.IGNORECASE)
_VALUE = re.compile(r"[^\W\d_]")
_UNIT = re.compile(r"[-+(]?\s*[€$£¥]?\s*\d[\d.,: /-]*\s*([%°€$£¥]|[A-Za-z]{1,3})?\)?")
_TRUTH = frozenset(("true", "false"))


def load(data: bytes, source: str) -> Document:
    """Raises :class:`rag.errors.LoadError` for data that is not text, or too large."""
    text = decode(data).removeprefix("\ufeff")
    named = _SEPARATOR_LINE.match(text)
    skipped = 0
    if named:
        text, skipped = text[named.end() :], 1
    prefers_tab = PurePosixPath(source).suffix.lower() in (".tsv", ".tab", ".xls")
    delimiter = named[1] if named else _delimiter(text, "\t" if prefers_tab else ",")
    writer = SheetWriter(trusted=True)
    for number, fields in enumerate(_records(text, delimiter), start=1 + skipped):
        writer.row(number, {i: _cell(field) for i, field in enumerate(fields) if field.strip()})
    document = writer.document(source)
    first = next((h for h in document.headings), None)
    title = document.text[first.start : first.end] if first else ""
    return Document(
        source, document.text, title, headings=document.headings, places=document.places
    )


def _cell(field: str) -> SheetCell:
    field = field.strip()
    return SheetCell(field, words=_is_words(field))


def _is_words(field: str) -> bool:
    """Whether a field is words rather than a number, a date or a truth value."""
    if not _VALUE.search(field) or field.lower() in _TRUTH:
        return False
    return not _UNIT.fullmatch(field)


def _delimiter(text: str, preferred: str) -> str:
    """The delimiter by which most rows have as many fields as the others."""
    start = text[:200_000]
    lines = len(start.splitlines()[:_LOOKED_AT])

    def score(delimiter: str) -> tuple[float, bool, int]:
        rows = [len(row) for row in islice(_records(start, delimiter), _LOOKED_AT) if row]
        if not rows or lines == 0:
            return 0.0, False, 0
        fields, count = Counter(rows).most_common(1)[0]
        return (count / len(rows) if fields > 1 else 0.0), delimiter == preferred, fields

    best = max(_DELIMITERS, key=score)
    return best if score(best)[0] >= _MIN_SHARE else _NO_DELIMITER


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    """Rows of fields. Quotation marks that are never closed are taken for characters."""
    csv.field_size_limit(_MAX_FIELD_LENGTH)
    if _is_well_quoted(text, delimiter):
        yield from csv.reader(_lines(text), delimiter=delimiter)
    else:
        yield from csv.reader(_lines(text), delimiter=delimiter, quoting=csv.QUOTE_NONE)


def _is_well_quoted(text: str, delimiter: str) -> bool:
    if '"' not in text:
        return True
    last: list[str] = []
    try:
        for row in csv.reader(chain(_lines(text), ("\n", _MARK)), delimiter=delimiter):
            if any(len(field) > _MAX_QUOTED_LENGTH for field in row):
                return False
            last = row
    except csv.Error:
        return False
    return last == [_MARK]  # and not within a field whose quotation mark is open


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends, without a second copy of the text."""
    position = 0
    while position < len(text):
        end = text.find("\n", position) + 1 or len(text)
        yield text[position:end]
        position = end
