"""Jupyter notebooks -> Markdown cells with their headings, code, and what the code printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rag.errors import LoadError
from rag.load.builder import TextBuilder, clean, sensible_title
from rag.load.data.json_parse import parse
from rag.load.detect.encoding import decode
from rag.load.markup import markdown
from rag.types import Document

_MAX_OUTPUT_LENGTH = 4000
"""Characters kept of what one cell printed."""

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_OBJECT = re.compile(r"\[?<[^<>]*+>\]?")  # <Figure size 640x480 with 1 Axes>


def load(data: bytes, source: str) -> Document:
    """Raises :class:`LoadError` for what is not a notebook."""
    try:
        notebook = parse(decode(data))
    except ValueError:
        notebook = None
    if not isinstance(notebook, dict) or not (notebook.keys() & {"cells", "worksheets"}):
        raise LoadError("is damaged or not a notebook; open it in Jupyter and save it again")
    return document(notebook, source)


def document(notebook: dict[str, Any], source: str) -> Document:
    """Return the text of a notebook (version 3 or 4 of the format) that is parsed already."""
    builder = TextBuilder()
    for cell in _cells(notebook):
        builder.gap(2)
        _add_cell(builder, cell)
    text = builder.text()
    metadata = notebook.get("metadata")
    title = sensible_title(_text(metadata.get("title")) if isinstance(metadata, dict) else "")
    if not title:
        title = next((text[h.start : h.end] for h in builder.headings if h.level == 1), "")
    return Document(source, text, title, headings=tuple(builder.headings))


def _cells(notebook: dict[str, Any]) -> Iterator[dict[str, Any]]:
    sheets = _objects(notebook.get("worksheets")) or [notebook]  # version 3 had several
    for sheet in sheets:
        yield from _objects(sheet.get("cells"))


def _add_cell(builder: TextBuilder, cell: dict[str, Any]) -> None:
    source = _text(cell.get("source", cell.get("input")))
    kind = cell.get("cell_type")
    if kind == "heading":
        level = _text(cell.get("level"))
        builder.add(source, int(level) if level in set("123456") else 1)
    elif kind == "markdown":
        builder.include(markdown.load(clean(source).encode(), ""))
    else:
        builder.add(source)
    for output in _objects(cell.get("outputs")):
        builder.gap(2)
        builder.add(_output(output))


def _output(output: dict[str, Any]) -> str:
    """What a cell printed or returned, as text; pictures and progress bars say nothing."""
    kind = output.get("output_type")
    if kind in ("error", "pyerr"):
        text = f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
    elif kind == "stream":
        text = _text(output.get("text"))
    else:
        text = _shown(output.get("data", output))
    text = clean(_ANSI.sub("", text)).strip("\n")
    if len(text) > _MAX_OUTPUT_LENGTH:
        text = text[:_MAX_OUTPUT_LENGTH].rpartition("\n")[0] or text[:_MAX_OUTPUT_LENGTH]
        text += "\n…"
    return text


def _shown(forms: Any) -> str:
    """The most readable of the forms that a result has; a table as rows with their headers."""
    if not isinstance(forms, dict):
        return ""
    page = _text(forms.get("text/html", forms.get("html")))
    if "<table" in page:
        from rag.load.markup import html

        return html.fragment(page).text
    plain = _text(forms.get("text/plain", forms.get("text")))
    if plain and not _OBJECT.fullmatch(plain.strip()):
        return plain
    return _text(forms.get("text/markdown"))


def _text(value: Any) -> str:
    """Text that is stored as one string or as a list of lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
