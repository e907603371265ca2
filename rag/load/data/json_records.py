"""JSON and JSON lines -> lines that carry their keys: ``name: Ann | city: Bern``.

Each object of a list is a line, like a row of a table; one that is long, or holds paragraphs, has a
line for each of its values. Keys of objects in objects are joined with dots. Numbers stay as they
are written; nulls and empty values are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from rag.errors import LoadError
from rag.load.builder import TextBuilder, clean, sensible_title
from rag.load.data import notebook
from rag.load.data.json_parse import MAX_DEPTH, TOO_DEEP, Number, parse
from rag.load.detect.encoding import decode
from rag.types import Document

_MAX_SIZE = 64_000_000
"""Characters of JSON that are parsed as one value."""

_MAX_SIGNS = 4_000_000
"""Commas, colons and brackets in it: each may stand for an object of 100 bytes or more."""

_MAX_ROW_LENGTH = 400
_MAX_WORD_LENGTH = 60
_MAX_PREFIX_LENGTH = 120  # of joined keys; what is above is cut
_MAX_TEXT_LENGTH = 200_000_000
_LINES_SUFFIXES = (".jsonl", ".ndjson", ".jsonlines")


def load(data: bytes, source: str) -> Document:
    """Text that is not valid JSON stays as it is. Raises :class:`LoadError` for what is no text."""
    text = decode(data)
    as_lines = PurePosixPath(source).suffix.lower() in _LINES_SUFFIXES
    is_small = len(text) <= _MAX_SIZE and _signs(text) <= _MAX_SIGNS
    if is_small and not as_lines:
        try:
            return _document(parse(text), source)
        except ValueError:
            pass
    if as_lines or _is_lines(text):
        return _lines_document(text, source)
    if not is_small:
        raise LoadError(
            f"is JSON of {len(text) / 1e6:,.0f} MB with {_signs(text):,} commas, colons and "
            f"brackets; up to {_MAX_SIZE // 1_000_000} MB and {_MAX_SIGNS:,} are read as one "
            "value: save it as JSON lines, or split it"
        )
    return Document(source, text)


def _signs(text: str) -> int:
    return sum(map(text.count, ",:[{"))


def _is_lines(text: str) -> bool:
    """Whether the first lines are values of their own."""
    lines = [line for line in text[:_MAX_SIZE].splitlines() if line.strip()][:2]
    return len(lines) == 2 and all(isinstance(_line_value(line), (dict, list)) for line in lines)


def _line_value(line: str) -> Any:
    """The value of a line; the line itself where it is not valid JSON."""
    try:
        return parse(line) if len(line) <= _MAX_SIZE and _signs(line) <= _MAX_SIGNS else line
    except ValueError:
        return line


def _lines_document(text: str, source: str) -> Document:
    writer = _Writer()
    for line in text.split("\n"):
        if line.strip():
            writer.element(_line_value(line))
    writer.end_rows()
    return Document(source, writer.builder.text())


def _document(value: Any, source: str) -> Document:
    if isinstance(value, dict):
        if "nbformat" in value and ("cells" in value or "worksheets" in value):
            return notebook.document(value, source)
        title = next((value[k] for k in ("title", "name") if isinstance(value.get(k), str)), "")
    else:
        title = ""
    writer = _Writer()
    writer.root(value)
    builder = writer.builder
    return Document(source, builder.text(), sensible_title(title), headings=tuple(builder.headings))


class _Writer:
    """Writes values; :attr:`builder` has the text."""

    def __init__(self) -> None:
        self.builder = TextBuilder()
        self._rows: list[str] = []  # not yet in the builder, which costs more than a row
        self._size = 0

    def root(self, value: Any) -> None:
        """A whole file: lists of objects stand below the rest, each under its key as heading."""
        if not isinstance(value, dict):
            self._elements(value if isinstance(value, list) else [value])
            return
        pairs, lists = _flatten(value, "", 1)
        self._add("\n".join(f"{key}: {text}" for key, text in pairs))
        for key, elements in lists:
            self.builder.gap(2)
            self._add(key, 1)
            self._elements(elements)

    def element(self, value: Any) -> None:
        """One element of a list: a row, or a block of lines with a blank line around it."""
        lines = list(_element_lines(value, "", 2))
        if len(lines) == 1 and "\n" not in lines[0]:
            self._rows.append(lines[0])
            return
        self.end_rows()
        self.builder.gap(2)
        self._add("\n".join(lines))
        self.builder.gap(2)

    def end_rows(self) -> None:
        """Write the rows since the last block."""
        self._add("\n".join(row for row in self._rows if row))
        self._rows = []

    def _elements(self, values: list[Any]) -> None:
        if not _is_nested(values):
            self._add(_enumeration(values))
            return
        for value in values:
            self.element(value)
        self.end_rows()

    def _add(self, block: str, level: int | None = None) -> None:
        self._size += len(block)
        if self._size > _MAX_TEXT_LENGTH:
            raise LoadError("is JSON with long keys that are repeated too often; split it")
        self.builder.add(block, level)


def _element_lines(value: Any, prefix: str, depth: int) -> Iterator[str]:
    """An element as one line, or as several if it is long or holds lists of objects."""
    if isinstance(value, list) and not _is_nested(value):
        row = [_words(item) for item in value]
        yield _labelled(prefix, " | ".join(text for text in row if text))
        return
    if not isinstance(value, (dict, list)):
        yield _labelled(prefix, _words(value))
        return
    pairs, lists = _flatten(value, prefix, depth) if isinstance(value, dict) else ([], [])
    if isinstance(value, list):
        lists = [(prefix, value)]
    written = [f"{key}: {text}" for key, text in pairs]
    if sum(map(len, written)) > _MAX_ROW_LENGTH or any("\n" in line for line in written):
        yield from written
    elif written:
        yield " | ".join(written)
    for key, elements in lists:
        for element in elements:
            yield from _element_lines(element, key, _deeper(depth))


def _flatten(
    value: dict[str, Any], prefix: str, depth: int
) -> tuple[list[tuple[str, str]], list[tuple[str, list[Any]]]]:
    """Keys and texts in order, and apart from them the lists that hold objects or lists."""
    pairs: list[tuple[str, str]] = []
    lists: list[tuple[str, list[Any]]] = []
    for name, item in value.items():
        key = _joined(prefix, name)
        if isinstance(item, dict):
            inner_pairs, inner_lists = _flatten(item, key, _deeper(depth))
            pairs.extend(inner_pairs)
            lists.extend(inner_lists)
        elif isinstance(item, list) and _is_nested(item):
            lists.append((key, item))
        elif isinstance(item, list):
            if text := _enumeration(item):
                pairs.append((key, text))
        elif text := _words(item):
            pairs.append((key, text))
    return pairs, lists


def _is_nested(values: list[Any]) -> bool:
    """Whether a list cannot be written on one line: it holds objects, or lists with words."""
    todo = [(values, 1)]
    while todo:
        within, depth = todo.pop()
        for item in within:
            if isinstance(item, dict):
                return True
            if isinstance(item, list):
                if any(not isinstance(inner, (Number, list)) for inner in item):
                    return True
                todo.append((item, _deeper(depth)))
    return False


def _words(value: Any) -> str:
    """A scalar as text, or numbers in lists of lists: coordinates say nothing on many lines."""
    if isinstance(value, Number):
        return value
    if isinstance(value, str):
        return clean(value).strip()
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    return " ".join(_numbers(value))


def _enumeration(values: list[Any]) -> str:
    """Words side by side, sentences on lines of their own."""
    texts = [text for value in values if (text := _words(value))]
    return ("\n" if any(len(text) > _MAX_WORD_LENGTH for text in texts) else ", ").join(texts)


def _numbers(values: list[Any]) -> Iterator[str]:
    todo = list(reversed(values))
    while todo:
        item = todo.pop()
        if isinstance(item, list):
            todo.extend(reversed(item))
        else:
            yield item


def _labelled(prefix: str, text: str) -> str:
    return f"{prefix}: {text}" if prefix and text else text


def _joined(prefix: str, name: str) -> str:
    key = " ".join(clean(name).split())
    return f"{prefix}.{key}"[-_MAX_PREFIX_LENGTH - len(key) :] if prefix else key


def _deeper(depth: int) -> int:
    if depth == MAX_DEPTH:
        raise LoadError(TOO_DEEP)
    return depth + 1
