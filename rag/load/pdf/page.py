"""One page of a PDF -> its blocks in reading order."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from rag.load.pdf.aligned import aligned_tables
from rag.load.pdf.geometry import Box
from rag.load.pdf.order import reading_order
from rag.load.pdf.paragraphs import Block, make_blocks
from rag.load.pdf.rules import read_drawing
from rag.load.pdf.running import Sheet
from rag.load.pdf.tables import Style, Table, ruled_tables
from rag.load.pdf.text import Line, is_leftward, read_lines

if TYPE_CHECKING:
    from pypdfium2 import PdfPage, PdfTextPage


def lay_out(page: PdfPage, textpage: PdfTextPage) -> Sheet:
    """The page's blocks: what most of it is turned like first, then what stands across it."""
    blocks: list[Block] = []
    paper = Box(*page.get_bbox())
    frame = (0, False)
    for number, group in enumerate(_by_turn(read_lines(textpage))):
        turn, mirrored = max(group[0].turn, 0), _is_mirrored(group)
        lines = [line.turned(turn, mirrored) for line in group] if turn or mirrored else group
        if number == 0:
            frame = (turn, mirrored)
            drawing, style = read_drawing(page, turn, mirrored), style_reader(textpage)
            items = reading_order(ruled_tables(lines, drawing, style))
            items = aligned_tables(items, drawing, style, paper.turned(*frame))
            blocks += _blocks(items)
            continue
        for block in _blocks(reading_order(lines)):
            box = block.box.unturned(turn, mirrored).turned(*frame)
            blocks.append(replace(block, box=box, runs_on=False, runs_in=False))
    return Sheet(tuple(blocks), paper.turned(*frame))


def _blocks(items: Sequence[Line | Table]) -> list[Block]:
    blocks: list[Block] = []
    for is_table, run in groupby(items, key=lambda item: isinstance(item, Table)):
        if is_table:
            blocks += [item.block for item in run if isinstance(item, Table)]
        else:
            blocks += make_blocks([item for item in run if isinstance(item, Line)])
    return blocks


def _by_turn(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines of each turn, the most words first; slanted lines, one by one, at last."""
    groups: dict[int, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.turn, []).append(line)
    slanted = groups.pop(-1, [])
    ordered = sorted(groups.values(), key=lambda g: -sum(len(line.words) for line in g))
    return ordered + [[line] for line in slanted]


def _is_mirrored(lines: Sequence[Line]) -> bool:
    return 2 * sum(map(is_leftward, lines)) > len(lines)


def style_reader(textpage: PdfTextPage) -> Style:
    """Return a function that tells what a character looks like: font, size and colour."""
    import ctypes

    from pypdfium2 import raw

    name = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    parts = [ctypes.c_uint() for _ in range(4)]

    def style(index: int) -> Hashable:
        length = raw.FPDFText_GetFontInfo(textpage.raw, index, name, len(name), flags)
        raw.FPDFText_GetFillColor(textpage.raw, index, *parts)
        size = round(raw.FPDFText_GetFontSize(textpage.raw, index), 1)
        return name.raw[: min(length, len(name))], size, tuple(part.value for part in parts)

    return style


_SCANNED = 40  # characters; a page with more was not scanned, or has a text layer
_COVERED = 0.5  # share of a page that a picture covers which is a scan of it


def looks_scanned(page: PdfPage, sheet: Sheet) -> bool:
    """Whether the page shows a picture all over it and hardly any text, or no text but drawings."""
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE, FPDFPage_CountObjects

    if not sheet.blocks:
        return bool(FPDFPage_CountObjects(page) > 0)
    if sum(len(block.text.text) for block in sheet.blocks) > _SCANNED:
        return False
    width, height = page.get_size()
    for thing in page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = thing.get_bounds()
        if (right - left) * (top - bottom) > _COVERED * width * height:
            return True
    return False
