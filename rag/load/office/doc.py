"""Legacy DOC (Word 6 to 2003) -> text: headings, tables as rows, notes, headers and footers."""

from __future__ import annotations

from collections.abc import Iterator

from rag.load.builder import TextBuilder
from rag.load.office.legacy_tree import Element, read_tree, words, write, written_notes
from rag.types import Document


def load(data: bytes, source: str) -> Document:
    """Raises :class:`rag.errors.LoadError` for a document that is damaged or encrypted."""
    sections, title = read_tree(data, "doc", "Word")
    elements = [element for section in sections for element in section["elements"]]
    _doubt_first_heading(elements)
    builder = TextBuilder()
    write(builder, elements)
    write(builder, written_notes(elements))
    write(builder, _margins(sections))
    text, headings = builder.text(), tuple(builder.headings)
    if not title:
        title = next((text[h.start : h.end] for h in headings if h.level == 1), "")
    return Document(source, text, title, headings=headings)


def _doubt_first_heading(elements: list[Element]) -> None:
    """Make a paragraph of a short first line that is the only heading.

    No style need say that it is one: it may as well be the date of a letter.
    """
    headings = [element for element in elements if element["type"] == "heading"]
    if len(headings) == 1 and headings[0] is elements[0]:
        headings[0]["type"] = "paragraph"


def _margins(sections: list[Element]) -> Iterator[Element]:
    """The paragraphs of headers and footers, each once."""
    seen: set[str] = set()
    for end in ("header", "footer"):
        for section in sections:
            for name in (f"first_page_{end}", end):
                for element in (section.get(name) or {}).get("content", []):
                    text = words(element)
                    if text not in seen:
                        seen.add(text)
                        yield element
