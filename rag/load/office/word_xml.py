"""Word documents as one XML file: of Word 2003, and the packages that Word 2007 writes flat."""

from __future__ import annotations

from typing import Any

from rag.errors import LoadError
from rag.load.builder import TextBuilder, sensible_title
from rag.load.office.numbering import numbering_from_xml
from rag.load.office.word_walk import Styles, Walker
from rag.load.package import local_name, parse_xml
from rag.types import Document

_WORD_2003 = b"http://schemas.microsoft.com/office/word/2003/wordml"
_WORD_2006 = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_DAMAGED = "is damaged or not a Word document; open it in Word and save it again as .docx"
_EXTRA_PARTS = ("footnotes", "endnotes", "header", "footer")
_DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_OFFICE_TITLE = "{urn:schemas-microsoft-com:office:office}Title"


def load(data: bytes, source: str) -> Document:
    """Raises :class:`LoadError` for a file that is damaged or holds no document."""
    from lxml import etree

    try:
        # What both call by the same names only differs in where the names come from.
        root = parse_xml(data.replace(_WORD_2003, _WORD_2006))
    except etree.XMLSyntaxError as error:
        raise LoadError(_DAMAGED) from error
    parts = _parts(root) or {"document": [root]}
    builder = TextBuilder()
    styles = [style for part in parts.get("styles", [root]) for style in part.iter("{*}styles")]
    numbering = numbering_from_xml(next(iter(parts.get("numbering", [])), ()))
    walker = Walker(builder, Styles(styles), numbering)
    for document in parts.get("document", []):
        for body in (e for e in document.iter("{*}body") if local_name(e) == "body"):
            walker.walk(body)
            break
    for kind in _EXTRA_PARTS:
        for part in parts.get(kind, []):
            walker.walk(part, once=kind in ("header", "footer"))
    text, headings = builder.text(), tuple(builder.headings)
    found = next(root.iter(_DC_TITLE, _OFFICE_TITLE), None)
    title = sensible_title(found.text) if found is not None else ""
    title = title or walker.title
    if not title:
        title = next((text[h.start : h.end] for h in headings if h.level == 1), "")
    return Document(source, text, title, headings=headings)


def _parts(root: Any) -> dict[str, list[Any]]:
    """The parts of a flat package by the kind that their content type ends with."""
    parts: dict[str, list[Any]] = {}
    for part in root if local_name(root) == "package" else ():
        kind = next((v for k, v in part.attrib.items() if k.endswith("}contentType")), "")
        kind = kind.removesuffix("+xml").removesuffix(".main").rpartition(".")[2]
        for holder in (e for e in part if local_name(e) == "xmlData"):
            parts.setdefault(kind, []).extend(holder)
    return parts
