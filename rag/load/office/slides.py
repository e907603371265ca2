"""PPTX -> text, slide by slide: titles as headings, tables and charts as rows, notes.

python-pptx opens the package and knows which layout a slide follows; its parser resolves no
entities and fetches nothing. Shapes are walked as XML (:mod:`rag.load.office.slide_walk`).
"""

from __future__ import annotations

import io
from typing import Any

from rag.errors import LoadError
from rag.load.builder import TextBuilder, sensible_title
from rag.load.office.slide_walk import SlideWalker
from rag.load.package import open_package, transitional
from rag.types import Document, Page, Place

_WHAT = "a PowerPoint presentation"
_SECTION_LAYOUTS = frozenset(("title", "secHead"))
_DAMAGED = "is damaged or not a PowerPoint presentation; open it in PowerPoint and save it again"


def load(data: bytes, source: str) -> Document:
    """Raises :class:`LoadError` for a package that is damaged or not a presentation."""
    presentation = _open(data)
    deck = Deck()
    footers: set[str] = set()
    for slide in presentation.slides:
        deck.begin()
        level = 1 if _layout(slide) in _SECTION_LAYOUTS else 2
        SlideWalker(deck.builder, slide, level, footers).walk()
        _write_notes(deck.builder, slide)
    return deck.document(source, _properties_title(presentation))


class Deck:
    """The text of a presentation, with its slides as pages."""

    def __init__(self) -> None:
        self.builder = TextBuilder()
        self._starts: list[int] = []

    def begin(self) -> None:
        """Begin the next slide."""
        self._starts.append(self.builder.length)
        self.builder.gap(2)

    def document(self, source: str, title: str = "") -> Document:
        """The presentation; without a ``title`` it has that of its first slide."""
        text, headings = self.builder.text(), tuple(self.builder.headings)
        # The gap before a slide's first word belongs to the slide before, as in a PDF.
        starts = [_after_gap(text, start) for start in self._starts]
        ends = [*starts[1:], len(text)] if starts else []
        pages = tuple(
            Page(number, start, end)
            for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
        )
        places = tuple(Place(f"slide {p.number}", p.start, p.end) for p in pages if p.end > p.start)
        if not title and headings and pages and headings[0].start < pages[0].end:
            title = text[headings[0].start : headings[0].end]
        return Document(source, text, title, pages, headings, places)


def write_notes(builder: TextBuilder, text: str) -> None:
    """What the speaker is to say on a slide, after all that the slide shows."""
    if text.strip():
        builder.gap(2)
        builder.add(f"Notes: {text.strip()}")
        builder.gap(2)


def _after_gap(text: str, start: int) -> int:
    while start < len(text) and text[start] == "\n":
        start += 1
    return start


def _open(data: bytes) -> Any:
    from pptx.package import Package

    archive = open_package(data, _WHAT, as_trees=True)
    try:
        data = transitional(data, archive, "ppt/presentation.xml")
        presentation = Package.open(io.BytesIO(data)).presentation_part.presentation
    except Exception as error:  # python-pptx lets KeyError, XMLSyntaxError, AttributeError through
        raise LoadError(_DAMAGED) from error
    return presentation


def _layout(slide: Any) -> str:
    try:
        return str(slide.slide_layout.element.get("type") or "")
    except Exception:  # a slide without its layout still has its words
        return ""


def _write_notes(builder: TextBuilder, slide: Any) -> None:
    try:
        frame = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        text = frame.text.replace("\v", "\n").strip() if frame is not None else ""
    except Exception:  # notes that are damaged are no reason to lose the slide
        return
    write_notes(builder, text)


def _properties_title(presentation: Any) -> str:
    try:
        return sensible_title(presentation.core_properties.title)
    except Exception:  # a title is no reason to lose the document
        return ""
