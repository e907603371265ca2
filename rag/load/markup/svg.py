"""SVG images -> the words in them: titles, descriptions and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.load.builder import TextBuilder, sensible_title
from rag.types import Document

if TYPE_CHECKING:
    from lxml import etree

_OWN_PLACE = frozenset(("x", "y", "dy"))  # a tspan with one of these begins elsewhere


def document(root: etree._Element, source: str) -> Document:
    """Raises :class:`LoadError` for an image without words."""
    builder = TextBuilder()
    for element in root.iter("{*}title", "{*}desc", "{*}text", "{*}foreignObject"):
        builder.add(_words(element))
    text = builder.text()
    if not text:
        raise LoadError("is an SVG image without text; describe it in a text file")
    title = next((_words(child) for child in root if str(child.tag).endswith("}title")), "")
    return Document(source, text, sensible_title(title))


def _words(element: etree._Element) -> str:
    from lxml import etree

    pieces: list[str] = []
    for event, node in etree.iterwalk(element, events=("start", "end")):
        if event == "start":
            pieces += [" " if _OWN_PLACE & set(map(str, node.keys())) else "", node.text or ""]
        elif node is not element:
            pieces.append(node.tail or "")
    return " ".join("".join(pieces).split())
