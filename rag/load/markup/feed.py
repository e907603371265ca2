"""RSS and Atom feeds -> each entry under its title, with date, author and text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.load.builder import TextBuilder, sensible_title
from rag.load.dates import iso_date
from rag.load.markup.xml_parse import words
from rag.load.package import local_name
from rag.types import Document

if TYPE_CHECKING:
    from lxml import etree

_BODIES = ("encoded", "content", "description", "summary")  # the fullest first
_DATES = ("pubDate", "published", "date", "updated", "modified", "issued")
_AUTHORS = ("creator", "author")


def document(root: etree._Element, source: str) -> Document | None:
    """None for XML that is no feed."""
    entries = list(root.iter("{*}item", "{*}entry"))
    head = next(root.iter("{*}channel"), root)
    if not entries:
        return None
    builder = TextBuilder()
    title = _text(head, "title")
    builder.add(title, 1)
    builder.gap(2)
    builder.add(_text(head, "description") or _text(head, "subtitle"))
    for entry in entries:
        _add(builder, entry)
    return Document(source, builder.text(), sensible_title(title), headings=tuple(builder.headings))


def _add(builder: TextBuilder, entry: etree._Element) -> None:
    builder.gap(2)
    builder.add(_text(entry, "title"), 2)
    categories = [
        str(child.get("term") or words(child)) for child in entry if _is(child, "category")
    ]
    for name, value in (
        ("Date", iso_date(next(filter(None, (_text(entry, name) for name in _DATES)), ""))),
        ("Author", next(filter(None, (_text(entry, name) for name in _AUTHORS)), "")),
        ("Categories", ", ".join(filter(None, categories))),
    ):
        if value:
            builder.add(f"{name}: {value}")
    builder.gap(2)
    body = max((_body(entry, name) for name in _BODIES), key=lambda found: len(found.text))
    builder.include(body, deeper=2)


def _body(entry: etree._Element, name: str) -> Document:
    """The child's words: HTML that is escaped, that stands as XML, or plain text."""
    from rag.load.markup import html

    for child in entry:
        if _is(child, name):
            return html.fragment(_inner(child))
    return Document("", "")


def _inner(element: etree._Element) -> str:
    from lxml import etree

    inside = (etree.tostring(child, method="html", encoding="unicode") for child in element)
    return (element.text or "") + "".join(inside)


def _is(element: etree._Element, name: str) -> bool:
    """Whether the element has that name; one of a media extension is another thing."""
    return local_name(element) == name and "search.yahoo.com/mrss" not in str(element.tag)


def _text(element: etree._Element, name: str) -> str:
    """The words of a child, without markup; a name before others that an author has."""
    for child in element:
        if _is(child, name):
            named = next(child.iter("{*}name"), child)
            return " ".join(_body_text(named).split())
    return ""


def _body_text(element: etree._Element) -> str:
    text = words(element)
    if "<" not in text and "&" not in text:
        return text
    from rag.load.markup import html

    return html.fragment(text).text
