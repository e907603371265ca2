"""The reading order of a page's lines.

PDFium gives text in the order in which the file draws it, and most programs draw it as it is read:
column by column, each from its top. That order is kept unless it is plainly wrong: where it
goes to and fro between columns of prose, or climbs up the page again and again. Then the page is
read by its geometry: full-width lines part it into bands, a band's columns are read one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from rag.load.pdf.geometry import Box, around, shared
from rag.load.pdf.tables import Table
from rag.load.pdf.text import Line, Word, line_of

_GUTTER = 0.7  # in heights of the font; columns of prose stand at least so far apart
_PROSE_ROWS = 5  # as many lines beside each other show that there are columns
_PROSE_WIDTH = 9.0  # in heights of the font; cells of a table are narrower
_FULL = 0.85  # share of its column that a full line covers
_FULL_SHARE = 0.25  # share of the lines of a column of prose that are full
_LINES_PER_BLANK = 4  # of columns of prose, at least, for each blank line that reaches over both
_INNER = 0.25  # share of the lines of a column of prose that do not begin with a capital
_EQUAL_WIDTH = 0.7  # columns of prose are of one width; terms beside their definitions are not
_TO_AND_FRO = 0.3  # share of a column's lines after which the order changes to the next column
_CLIMBS = 0.3  # share of the steps between lines that go up
_MIN_CLIMBS = 4


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a line with no wide gap in it; ``line`` is its line's place in PDFium's order."""

    words: tuple[Word, ...]
    box: Box
    line: int


@dataclass(frozen=True, slots=True)
class _Band:
    """What stands between two pieces that cross the gutter, the one above included."""

    crossing: list[_Piece] = field(default_factory=list)
    left: list[_Piece] = field(default_factory=list)
    right: list[_Piece] = field(default_factory=list)


def reading_order(lines: Sequence[Line | Table]) -> list[Line | Table]:
    """Return the lines of one turn in reading order; lines that reach over two columns are parted.

    The lines are in their own frame: each begins at its left, whatever its script and turn.
    """
    if len(lines) < 3:
        return list(lines)
    height = median(line.box.height for line in lines)
    pieces = [piece for index, line in enumerate(lines) for piece in _pieces(line, index, height)]
    gutter = _gutter(pieces, height)
    wavers = gutter is not None and _goes_to_and_fro(pieces, gutter, height)
    if not wavers and not _climbs(lines):
        return list(lines)
    return [
        line_of(words, lines[index].turn) if words else lines[index]
        for index, words in _merged(_arranged(pieces, height))
    ]


def _pieces(line: Line | Table, index: int, height: float) -> Iterator[_Piece]:
    if isinstance(line, Table):
        yield _Piece((), line.box, index)
        return
    words: list[Word] = []
    for word in line.words:
        if words and word.box.left - words[-1].box.right > _GUTTER * max(line.box.height, height):
            yield _Piece(tuple(words), around(w.box for w in words), index)
            words = []
        words.append(word)
    yield _Piece(tuple(words), around(w.box for w in words), index)


def _gutter(pieces: Sequence[_Piece], height: float) -> float | None:
    """Where the right one of two columns of prose begins that stand beside each other."""
    best, best_count = None, 0
    starts = sorted(piece.box.left for piece in pieces)
    for index, start in enumerate(starts[: max(0, len(starts) - _PROSE_ROWS + 1)]):
        is_first = index == 0 or start - starts[index - 1] > 0.2 * height
        if not is_first or starts[index + _PROSE_ROWS - 1] - start > 3 * height:
            continue
        count = sum(
            len(band.left) + len(band.right)
            for band in _bands(pieces, start, height)
            if _is_prose(band, height)
        )
        if count > best_count:
            best, best_count = start, count
    return best


def _bands(pieces: Sequence[_Piece], gutter: float, height: float) -> list[_Band]:
    """The bands from the top; in each the pieces keep PDFium's order."""
    bands = [_Band()]
    sides = []
    for place, piece in enumerate(pieces):
        if piece.box.left >= gutter - 0.1 * height:
            side = 2
        elif piece.box.right <= gutter - _GUTTER * height:
            side = 1
        else:
            side = 0
        sides.append((-(piece.box.top + piece.box.bottom), place, side, piece))
    for _, _, side, piece in sorted(sides, key=lambda item: item[:2]):
        if side == 0:
            if bands[-1].left or bands[-1].right:
                bands.append(_Band())
            bands[-1].crossing.append(piece)
        else:
            (bands[-1].left if side == 1 else bands[-1].right).append(piece)
    return bands


def _is_prose(band: _Band, height: float) -> bool:
    """Whether two columns of running text stand beside each other."""
    if min(len(band.left), len(band.right)) < _PROSE_ROWS:
        return False
    left, right = around(p.box for p in band.left), around(p.box for p in band.right)
    if shared(left.bottom, left.top, right.bottom, right.top) < 0.5:
        return False
    blanks = _common_blanks([*band.left, *band.right], height)
    if blanks * _LINES_PER_BLANK > min(len(band.left), len(band.right)):
        return False  # examples, each beside its meaning
    widths = [_width_of_prose(side, height) for side in (band.left, band.right)]
    return min(widths) > max(_PROSE_WIDTH * height, _EQUAL_WIDTH * max(widths))


def _common_blanks(pieces: Sequence[_Piece], height: float) -> int:
    """How many blank lines reach over all pieces."""
    count, lowest = 0, float("inf")
    for piece in sorted(pieces, key=lambda piece: -piece.box.top):
        count += piece.box.top < lowest - 0.5 * height < float("inf")
        lowest = min(lowest, piece.box.bottom)
    return count


def _width_of_prose(side: Sequence[_Piece], height: float) -> float:
    """The width of a column of running text; 0 if it is none.

    Many of its lines are full, and many begin within a sentence, unlike those of a table or of a
    list of contents.
    """
    lines: list[list[_Piece]] = []
    for row in _rows(side):
        for number, piece in enumerate(row):
            if number and piece.box.left - lines[-1][-1].box.right < 2 * _GUTTER * height:
                lines[-1].append(piece)
            else:
                lines.append([piece])
    widths = sorted(line[-1].box.right - line[0].box.left for line in lines)
    width = widths[int(0.9 * (len(widths) - 1))]
    full = sum(one > _FULL * width for one in widths)
    inner = sum(_begins_within(line[0].words[0].text.text) for line in lines if line[0].words)
    enough = full >= max(_PROSE_ROWS, _FULL_SHARE * len(lines)) and inner > _INNER * len(lines)
    return width if enough else 0.0


def _begins_within(word: str) -> bool:
    """Whether a word can stand within a sentence: not with a capital; scripts without case may."""
    return word[0].isalpha() and not word[0].isupper()


def _goes_to_and_fro(pieces: Sequence[_Piece], gutter: float, height: float) -> bool:
    """Whether PDFium's order changes between the columns again and again."""
    changes = lines = 0
    for band in _bands(pieces, gutter, height):
        if _is_prose(band, height):
            right = {id(piece) for piece in band.right}
            among = sorted([*band.left, *band.right], key=lambda piece: piece.line)
            changes += sum(
                id(a) not in right and id(b) in right and a.box.width > _PROSE_WIDTH / 2 * height
                for a, b in pairwise(among)
            )
            lines += min(len(band.left), len(band.right))
    return changes > max(2, _TO_AND_FRO * lines)


def _climbs(lines: Sequence[Line | Table]) -> bool:
    """Whether lines stand above the one before: all of them, or many long ones.

    Short ones may: the words of a drawing are drawn in any order.
    """
    up, down = _steps([line.box for line in lines])
    if up > 1 and not down:
        return True
    up, down = _steps(
        [b for b in (line.box for line in lines) if b.width > _PROSE_WIDTH * b.height]
    )
    return up >= _MIN_CLIMBS and up > _CLIMBS * (up + down)


def _steps(boxes: Sequence[Box]) -> tuple[int, int]:
    """How often the next of two boxes above each other is the upper one, and the lower one."""
    up = down = 0
    for a, b in pairwise(boxes):
        if shared(a.left, a.right, b.left, b.right) > 0:
            up += b.bottom > a.bottom + 0.5 * a.height
            down += b.bottom < a.bottom - 0.5 * a.height
    return up, down


def _arranged(pieces: Sequence[_Piece], height: float) -> Iterator[_Piece]:
    """Band by band, and in each column by column; without columns row by row."""
    gutter = _gutter(pieces, height)
    if gutter is None:
        for row in _rows(pieces):
            yield from row
        return
    for band in _bands(pieces, gutter, height):
        for row in _rows(band.crossing):
            yield from row
        for part in _parts(band, height):
            yield from _arranged(part, height)


def _parts(band: _Band, height: float) -> list[list[_Piece]]:
    """A band's columns; where rows of a table stand above or below them, those apart."""
    sections: list[tuple[bool, _Band]] = []
    right = {id(piece) for piece in band.right}
    lowest = float("inf")
    for row in _rows([*band.left, *band.right]):
        if not sections or max(piece.box.top for piece in row) < lowest - 0.5 * height:
            sections.append((False, _Band()))
        lowest = min(lowest, *(piece.box.bottom for piece in row))
        for piece in row:
            (sections[-1][1].right if id(piece) in right else sections[-1][1].left).append(piece)
    parts: list[list[_Piece]] = []
    columns = _Band()
    for _, section in [*sections, (True, _Band())]:
        both = [*section.left, *section.right]
        if both and not _is_tabular(section, height):
            columns.left.extend(section.left)
            columns.right.extend(section.right)
            continue
        parts += [columns.left, columns.right]
        columns = _Band()
        parts += _rows(both)
    return [part for part in parts if part]


def _is_tabular(section: _Band, height: float) -> bool:
    """Whether a section holds rows of narrow cells that reach over both columns."""
    rows = _rows([*section.left, *section.right])
    widths = [piece.box.width for row in rows for piece in row]
    cells = len(widths) / len(rows)
    return (
        len(rows) > 1
        and bool(section.left and section.right)
        and cells > 2
        and median(widths) < _PROSE_WIDTH * height
    )


def _rows(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Pieces that stand beside each other, from the top, each row from its left."""
    rows: list[list[_Piece]] = []
    low = high = 0.0
    for piece in sorted(pieces, key=lambda p: -(p.box.top + p.box.bottom)):
        if rows and shared(low, high, piece.box.bottom, piece.box.top) > 0.5:
            rows[-1].append(piece)
        else:
            rows.append([piece])
            low, high = piece.box.bottom, piece.box.top
    for row in rows:
        row.sort(key=lambda p: p.box.left)
    return rows


def _merged(pieces: Iterator[_Piece]) -> Iterator[tuple[int, list[Word]]]:
    """Lines with their words: pieces of one that still follow each other, on one height."""
    words: list[Word] = []
    previous: _Piece | None = None
    for piece in pieces:
        if previous and (piece.line != previous.line or piece.box.left < previous.box.left):
            yield previous.line, words
            words = []
        words = [*words, *piece.words]
        previous = piece
    if previous:
        yield previous.line, words
