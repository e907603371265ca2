"""Walks the shapes of a slide in reading order and writes their text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.load.builder import TextBuilder, sensible_title
from rag.load.package import local_name, parse_xml
from rag.load.table import MAX_SPAN, Cell, Row, table_lines

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_D = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_TITLES = frozenset(("title", "ctrTitle"))
_BODIES = frozenset(("body", "obj"))
_FOOTERS = frozenset(("ftr", "hdr"))
_NUMBERS = frozenset(("sldNum", "dt"))
_SKIPPED = frozenset(("Fallback", "nvGrpSpPr", "grpSpPr", "extLst"))
_MAX_POINTS = 10_000  # of a chart: more are data, not text


class SlideWalker:
    """Writes a slide: its title as a heading of ``level``, then its shapes in their order.

    Footers that are in ``footers`` were written with an earlier slide.
    """

    def __init__(self, builder: TextBuilder, slide: Any, level: int, footers: set[str]) -> None:
        self._builder = builder
        self._part = slide.part
        self._element = slide.element
        self._level = level
        self._footers = footers

    def walk(self) -> None:
        """Write the title, wherever it stands, and all other shapes."""
        shapes = [shape for tree in self._element.iter(f"{_P}spTree") for shape in _shapes(tree)]
        titles = [shape for shape in shapes if _placeholder(shape) in _TITLES]
        footers = [shape for shape in shapes if _placeholder(shape) in _FOOTERS]
        for title in titles:
            self._builder.gap(2)
            self._builder.add(" ".join(" ".join(_paragraphs(title)).split()), self._level)
        for shape in shapes:
            if shape not in titles and shape not in footers:
                self._builder.gap(2)
                self._shape(shape)
        for shape in footers:
            text = "\n".join(_paragraphs(shape))
            if text not in self._footers:
                self._footers.add(text)
                self._builder.gap(2)
                self._builder.add(text)

    def _shape(self, shape: Any) -> None:
        kind = local_name(shape)
        if kind == "sp" and _placeholder(shape) not in _NUMBERS:
            self._text(shape)
        elif kind == "graphicFrame":
            self._graphic(shape)
        elif kind == "pic":
            self._builder.add(_description(shape))

    def _text(self, shape: Any) -> None:
        """Paragraphs of a shape; those of a slide's body are the points of a list."""
        paragraphs = [p for body in _children(shape, "txBody") for p in _children(body, "p")]
        texts = [(p, _inline(p).strip()) for p in paragraphs]
        several = sum(bool(text) for _, text in texts) > 1
        in_body = several and _placeholder(shape) in _BODIES
        for paragraph, text in texts:
            listed = bool(text) and _is_listed(paragraph, in_body)
            self._builder.add(f"- {text}" if listed else text)

    def _graphic(self, frame: Any) -> None:
        for element in frame.iter(f"{_A}tbl", f"{_C}chart", f"{_D}relIds"):
            kind = local_name(element)
            if kind == "tbl":
                self._builder.add("\n".join(_table(element)))
            else:
                root = self._related(element.get(f"{_R}id") or element.get(f"{_R}dm"))
                if root is not None:
                    lines = _chart(root) if kind == "chart" else _diagram(root)
                    self._builder.add("\n".join(lines))
        self._builder.gap(2)

    def _related(self, identity: str | None) -> Any:
        """The XML of a part that the slide uses; None for one that is missing or damaged."""
        try:
            part = self._part.related_part(identity)
            return part._element if hasattr(part, "_element") else parse_xml(part.blob)
        except Exception:  # a chart that is damaged is no reason to lose the slide
            return None


def _shapes(tree: Any) -> Iterator[Any]:
    """Shapes, pictures and frames, through groups and alternatives."""
    for child in tree:
        kind = local_name(child)
        if kind in ("sp", "pic", "graphicFrame"):
            yield child
        elif kind and kind not in _SKIPPED:
            yield from _shapes(child)


def _children(element: Any, wanted: str) -> Iterator[Any]:
    return (child for child in element if local_name(child) == wanted)


def _placeholder(shape: Any) -> str | None:
    """What the shape stands in for in its layout: ``title``, ``body`` ...; None for a free one."""
    for properties in shape:
        if local_name(properties).startswith("nv"):
            for found in properties.iter(f"{_P}ph"):
                return str(found.get("type", "obj"))
    return None


def _paragraphs(shape: Any) -> list[str]:
    texts = (_inline(p).strip() for p in shape.iter(f"{_A}p"))
    return [text for text in texts if text]


def _inline(paragraph: Any) -> str:
    pieces: list[str] = []
    for child in paragraph.iter(f"{_A}t", f"{_A}br", f"{_A}tab"):
        kind = local_name(child)
        pieces.append((child.text or "") if kind == "t" else "\n" if kind == "br" else "\t")
    return "".join(pieces).replace("\v", "\n").replace("_x000D_", "\n")


def _is_listed(paragraph: Any, in_body: bool) -> bool:
    for properties in _children(paragraph, "pPr"):
        names = {local_name(child) for child in properties}
        if "buNone" in names:
            return False
        if names & {"buChar", "buAutoNum", "buBlip"}:
            return True
    return in_body


def _table(table: Any) -> list[str]:
    rows: list[Row] = []
    for row in _children(table, "tr"):
        cells: Row = []
        for cell in _children(row, "tc"):
            if cell.get("hMerge") in ("1", "true"):
                continue
            if cell.get("vMerge") in ("1", "true"):
                continue  # the cell above reaches down to here
            text = " ".join(" ".join(_paragraphs(cell)).split())
            cells.append(Cell(text, _span(cell.get("gridSpan")), _span(cell.get("rowSpan"))))
        rows.append(cells)
    properties = next(_children(table, "tblPr"), None)
    marked = properties is not None and properties.get("firstRow") in ("1", "true")
    return table_lines(rows, int(marked and len(rows) > 1))


def _span(value: str | None) -> int:
    return min(int(value), MAX_SPAN) if value and value.isdecimal() and len(value) < 6 else 1


def _chart(root: Any) -> list[str]:
    """Titles, then one line for each category with the values of all series."""
    lines = [
        text
        for title in root.iter(f"{_C}title")
        if (text := " ".join("".join(t.text or "" for t in title.iter(f"{_A}t")).split()))
    ]
    rows: dict[str, list[str]] = {}
    for number, series in enumerate(root.iter(f"{_C}ser"), 1):
        name = " ".join(_points(series, "tx").values()) or f"Series {number}"
        names = _points(series, "cat") or _points(series, "xVal")
        for index, value in (_points(series, "val") or _points(series, "yVal")).items():
            rows.setdefault(names.get(index, str(index + 1)), []).append(f"{name}: {value}")
    lines += [" | ".join((category, *values)) for category, values in rows.items()]
    return lines


def _points(series: Any, kind: str) -> dict[int, str]:
    """Stored values of a series by their index; of nested categories the innermost."""
    points: dict[int, str] = {}
    for element in _children(series, kind):
        level = next(element.iter(f"{_C}lvl"), element)
        for point in level.iter(f"{_C}pt"):
            index, value = point.get("idx", ""), point.findtext(f"{_C}v")
            if value and index.isdecimal() and len(points) < _MAX_POINTS:
                points[int(index[:9])] = _number(value)
        if not points and (value := element.findtext(f"{_C}v")):
            points[0] = value
    return points


def _number(value: str) -> str:
    from rag.load.sheets.number_format import plain

    try:
        number = float(value)
    except ValueError:
        return " ".join(value.split())
    return plain(number) if abs(number) < 1e300 else value


def _diagram(root: Any) -> list[str]:
    """The words of a diagram (SmartArt), a line for each of its shapes."""
    texts = (" ".join(" ".join(_paragraphs(t)).split()) for t in root.iter(f"{_D}t"))
    return [f"- {text}" for text in texts if text]


def _description(picture: Any) -> str:
    """The alternative text that was written for a picture; "" for a file's name."""
    for properties in _children(picture, "nvPicPr"):
        for named in _children(properties, "cNvPr"):
            return sensible_title(named.get("descr"))
    return ""
