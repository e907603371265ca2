"""Legacy PPT (PowerPoint 97 to 2003) -> text, slide by slide, with the speaker's notes.

Text of masters is left out, as are comments.
"""

from __future__ import annotations

from rag.load.office.legacy_tree import Element, read_tree, words, write
from rag.load.office.slides import Deck, write_notes
from rag.types import Document

_MASTER = "Slide Master"  # what office-oxide calls the last section, which is no slide
_FIELD = "*"  # stands for the slide's number, date or footer


def load(data: bytes, source: str) -> Document:
    """Raises :class:`rag.errors.LoadError` for a presentation that is damaged or encrypted."""
    slides, title = read_tree(data, "ppt", "PowerPoint")
    deck = Deck()
    for slide in slides:
        titles, others = _parted(slide["elements"])
        if slide["title"] == _MASTER and not titles:
            continue
        deck.begin()
        write(deck.builder, titles)
        write(deck.builder, others)
        write_notes(deck.builder, "\n".join(map(words, slide.get("speaker_notes") or [])))
    return deck.document(source, title)


def _parted(elements: list[Element]) -> tuple[list[Element], list[Element]]:
    """The title of a slide, and all else that it shows."""
    shown = [element for element in elements if words(element).strip() != _FIELD]
    titles = [element for element in shown if element["type"] == "heading"][:1]
    others = [element for element in shown if element not in titles]
    return titles, [
        element | {"type": "paragraph"} if element["type"] == "heading" else element
        for element in others
    ]
