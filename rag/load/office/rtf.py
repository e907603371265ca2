"""RTF -> text: headings by style, tables as rows; notes, headers and footers after the body.

Hidden and deleted text, comments, pictures and embedded files are left out.
"""

from __future__ import annotations

import re

from rag.errors import LoadError
from rag.load.builder import TextBuilder, sensible_title
from rag.load.office.rtf_parse import Paragraph, Reader, Writer
from rag.load.office.word_walk import first_row_names
from rag.load.table import Cell, Row, table_lines
from rag.types import Document

_HEADING_NAME = re.compile(r"heading (\d)", re.IGNORECASE)


def load(data: bytes, source: str) -> Document:
    """What can be read of a damaged file is read. Raises :class:`LoadError` for no RTF at all."""
    if b"{\\rtf" not in data[:1024]:
        raise LoadError("is damaged or not an RTF document; open it in Word and save it again")
    writer = _Writer()
    reader = Reader(data, writer)
    writer.reader = reader
    reader.read()
    return writer.document(source, sensible_title(reader.title))


class _Text:
    """One text: the body, a note, a header or a text box."""

    def __init__(self, builder: TextBuilder) -> None:
        self.builder = builder
        self.pieces: list[str] = []
        self.cell: list[str] = []  # the paragraphs of the open cell
        self.cells: list[str] = []  # of the open row
        self.rows: list[tuple[list[str], list[str], bool]] = []
        self.after_list = False
        self.marker = ""  # of the open item of a list

    def take(self) -> str:
        """The words since the last call; halves of characters are joined."""
        text = "".join(self.pieces)
        self.pieces.clear()
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return joined.strip()

    def end_table(self) -> None:
        rows, self.rows = self.rows, []
        if rows:
            grid = _grid(rows)
            headers = sum(1 for _ in _while_header(rows))
            count = headers if headers < len(grid) else int(first_row_names(grid))
            self.builder.gap(2)
            self.builder.add("\n".join(table_lines(grid, count or int(first_row_names(grid)))))
            self.builder.gap(2)
            self.after_list = False


class _Writer(Writer):
    """Writes the body as it comes; keeps what stands apart for the end."""

    def __init__(self) -> None:
        self.reader: Reader | None = None
        self.title = ""
        self._texts = [_Text(TextBuilder())]
        self._kinds = [""]
        self._apart: dict[str, list[str]] = {"note": [], "margin": []}

    def document(self, source: str, title: str) -> Document:
        """All that was read."""
        body = self._texts[0]
        self._end_open_row(body)
        builder = body.builder
        for kind in ("note", "margin"):
            for text in dict.fromkeys(self._apart[kind]):
                builder.gap(2)
                builder.add(text)
        text, headings = builder.text(), tuple(builder.headings)
        title = title or self.title
        if not title:
            title = next((text[h.start : h.end] for h in headings if h.level == 1), "")
        return Document(source, text, title, headings=headings)

    def text(self, text: str) -> None:
        """Add characters to the open paragraph."""
        self._texts[-1].pieces.append(text)

    def end_paragraph(self, paragraph: Paragraph) -> None:
        """End the open paragraph."""
        text = self._texts[-1]
        words = text.take()
        marker, text.marker = text.marker, ""
        if paragraph.in_table:
            text.cell.append(words)
            return
        self._end_open_row(text)
        if not words:
            return
        level = self._level(paragraph, words)
        listed = paragraph.listed and level is None
        text.builder.gap(1 if listed and text.after_list else 2)
        text.builder.add(f"{marker or '-'} {words}" if listed else words, level)
        text.after_list = listed

    def end_cell(self) -> None:
        """End a cell; what is open belongs to it."""
        text = self._texts[-1]
        words = " ".join(" ".join((*text.cell, text.take())).split())
        text.cells.append(words)
        text.cell.clear()

    def end_row(self, merges: list[str], is_header: bool) -> None:
        """End a row of cells."""
        text = self._texts[-1]
        if text.cells:
            text.rows.append((text.cells, list(merges), is_header))
            text.cells = []

    def enter(self, kind: str) -> None:
        """Begin a text that stands apart."""
        self._texts.append(_Text(TextBuilder()))
        self._kinds.append(kind)

    def leave(self) -> None:
        """End it: a text box is a block of its own where it stands."""
        if len(self._texts) < 2:
            return
        text, kind = self._texts.pop(), self._kinds.pop()
        self._end_open_row(text)
        words = text.builder.text()
        if kind == "marker":
            bullet = not any(character.isalnum() for character in words)
            self._texts[-1].marker = "" if bullet else " ".join(words.split())
        elif words and kind in self._apart:
            self._apart[kind].append(words)
        elif words:
            self._texts[-1].pieces.append(f"\n{words}\n")

    def _end_open_row(self, text: _Text) -> None:
        """End the table before a paragraph; a row that was cut short is one all the same."""
        if text.cell:
            words = " ".join(" ".join(text.cell).split())
            text.cell.clear()
            if words:
                text.cells.append(words)
        if text.cells:
            text.rows.append((text.cells, [], False))
            text.cells = []
        text.end_table()

    def _level(self, paragraph: Paragraph, words: str) -> int | None:
        name, level = "", paragraph.level
        if self.reader is not None:
            name, of_style = self.reader.styles.get(paragraph.style, ("", None))
            level = level if level is not None else of_style
        if len(self._texts) > 1:
            return None
        if name.lower() == "title":
            self.title = self.title or " ".join(words.split())
            return 1
        if level is not None:
            return level + 1
        found = _HEADING_NAME.fullmatch(name)
        return int(found[1]) or None if found else None


def _while_header(rows: list[tuple[list[str], list[str], bool]]) -> list[int]:
    count = 0
    while count < len(rows) and rows[count][2]:
        count += 1
    return list(range(count))


def _grid(rows: list[tuple[list[str], list[str], bool]]) -> list[Row]:
    """Cells with those that are merged counted once, over all that they cover."""
    grid: list[Row] = []
    origin: dict[int, tuple[int, int]] = {}  # column -> place of the cell that a merge began with
    for line, (texts, merges, _) in enumerate(rows):
        cells: Row = []
        for column, text in enumerate(texts):
            merge = merges[column] if column < len(merges) else ""
            if merge == "clmrg" and cells and not text:
                cells[-1] = Cell(cells[-1].text, cells[-1].colspan + 1, cells[-1].rowspan)
            elif merge == "clvmrg" and column in origin and not text:
                above, place = origin[column]
                start = grid[above][place]
                grid[above][place] = Cell(start.text, start.colspan, line - above + 1)
            else:
                origin.pop(column, None)
                if merge == "clvmgf":
                    origin[column] = (line, len(cells))
                cells.append(Cell(text))
        grid.append(cells)
    return grid
