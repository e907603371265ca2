"""Legacy DOC (Word 6 to 2003) -> text: headings by style, tables as rows, notes, text boxes.

An own reader over olefile. Of the 23 files measured, antiword refused four readable ones and lost
text of three more, catdoc lost headers, lists and tables; neither is maintained, and an index must
not depend on which of them a machine has.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator

from rag.load.builder import TextBuilder
from rag.load.office.doc_binary import Look, WordFile
from rag.load.office.numbering import BULLET
from rag.load.office.word_walk import first_row_names
from rag.load.ole import open_ole, read_stream, title_of
from rag.load.table import Cell, Row, table_lines
from rag.types import Document

_WHAT = "a Word document"
_CELL, _BREAK, _PARAGRAPH = 7, 12, 13
_BEGIN, _SEPARATE, _END = 0x13, 0x14, 0x15  # of a field: what it computes, what it shows
_CHARACTERS = {0x0B: "\n", 0x1E: "-", 0x1F: "", 0x0E: "\n"}
_ENDS = re.compile("[\x07\x0c\x0d]")


def load(data: bytes, source: str) -> Document:
    """Raises :class:`rag.errors.LoadError` for a document that is damaged or encrypted."""
    container = open_ole(data, _WHAT)
    try:
        word = WordFile(
            read_stream(container, "WordDocument"),
            read_stream(container, "0Table"),
            read_stream(container, "1Table"),
        )
        title = title_of(container)
    finally:
        container.close()
    word.hide()
    writer = _Writer(word)
    writer.write(*word.parts["main"])
    for part in ("notes", "endnotes", "boxes"):
        writer.write(*word.parts[part])
    writer.write(*word.parts["margins"], once=True)
    text, headings = writer.builder.text(), tuple(writer.builder.headings)
    title = title or writer.title
    if not title:
        title = next((text[h.start : h.end] for h in headings if h.level == 1), "")
    return Document(source, text, title, headings=headings)


class _Writer:
    """Writes paragraphs and tables; :attr:`title` is the first paragraph of style Title."""

    def __init__(self, word: WordFile) -> None:
        self.builder = TextBuilder()
        self.title = ""
        self._word = word
        self._numbering = word.numbering()
        self._cell: list[str] = []
        self._row: Row = []
        self._rows: list[Row] = []
        self._written: set[str] = set()
        self._after_list = False

    def write(self, start: int, end: int, *, once: bool = False) -> None:
        """Write the text between two positions; with ``once`` what was not written yet."""
        for words, mark, position in _paragraphs(self._word.units, start, end):
            look = self._word.look(position)
            if self._is_in_table(look, mark):
                self._in_table(words, mark, look)
            else:
                self._end_table()
                if not (once and words in self._written):
                    self._paragraph(words, look)
                self._written.add(words)
        self._end_table()

    def _is_in_table(self, look: Look, mark: int) -> bool:
        if not self._word.knows_paragraphs():
            return mark == _CELL
        return look.in_table or mark == _CELL

    def _in_table(self, words: str, mark: int, look: Look) -> None:
        ends_row = look.ends_row
        if not self._word.knows_paragraphs():  # then an empty cell after a cell ends the row
            ends_row = mark == _CELL and not words and bool(self._row) and not self._cell
        if ends_row:
            self._rows.append(self._row)
            self._row = []
            return
        self._cell.append(words)
        if mark == _CELL:
            self._row.append(Cell(" ".join(" ".join(self._cell).split())))
            self._cell = []

    def _end_table(self) -> None:
        if self._cell or self._row:
            self._rows.append([*self._row, Cell(" ".join(" ".join(self._cell).split()))])
        rows, self._rows, self._row, self._cell = self._rows, [], [], []
        if rows:
            self.builder.gap(2)
            self.builder.add("\n".join(table_lines(rows, int(first_row_names(rows)))))
            self.builder.gap(2)
            self._after_list = False

    def _paragraph(self, words: str, look: Look) -> None:
        if not words:
            return
        if look.is_title and not self.title:
            self.title = " ".join(words.split())
        marker = self._numbering.marker(str(look.list), look.list_level) if look.list else ""
        listed = look.level is None and bool(marker)
        self.builder.gap(1 if listed and self._after_list else 2)
        numbered = listed or marker not in ("", BULLET)
        self.builder.add(f"{marker} {words}" if numbered else words, look.level)
        self._after_list = listed


def _paragraphs(units: array[int], start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Words, mark at the end, and position of that mark, of each paragraph."""
    # One character a unit: halves of a pair stay apart until their words are put together.
    text = array("I", units[start:end]).tobytes().decode("utf-32-le", "surrogatepass")
    fields: list[bool] = []  # of each open field, whether what it shows has begun
    position = 0
    while position < len(text):
        found = _ENDS.search(text, position)
        stop = found.start() if found else len(text)
        words = _shown(text[position:stop], fields)
        mark = ord(text[stop]) if found else _PARAGRAPH
        # The mark of the last paragraph may be missing: then the one before tells its look.
        yield words, mark, start + min(stop, len(text) - 1)
        position = stop + 1


def _shown(text: str, fields: list[bool]) -> str:
    """The text without what its fields compute; ``fields`` are those that are open."""
    pieces: list[str] = []
    for character in text:
        code = ord(character)
        if code == _BEGIN:
            fields.append(False)
        elif code == _SEPARATE and fields:
            fields[-1] = True
        elif code == _END and fields:
            fields.pop()
        elif all(fields):
            if code >= 0x20 or code == 9:
                pieces.append(character)
            else:
                pieces.append(_CHARACTERS.get(code, ""))
    joined = "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.strip()
