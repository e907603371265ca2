"""XML -> its text in reading order, by lxml; nothing is fetched and no entity is expanded.

Without knowing the vocabulary: an element with text beside its children is a paragraph; one whose
children are short texts under different names is a record and becomes one line, like a row of a
table; every other text is a line of its own, after the name of its element unless that only says
"paragraph". Titles of sections are headings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.load.builder import TextBuilder, sensible_title
from rag.load.detect.encoding import decode
from rag.load.markup import feed, svg
from rag.load.markup.xml_parse import declared_encoding, parse, words
from rag.load.package import local_name
from rag.types import Document

if TYPE_CHECKING:
    from lxml import etree

_MAX_DEPTH = 100  # elements; below, all text is one paragraph
_MAX_PARAGRAPH_LENGTH = 10_000
_MAX_VALUE_LENGTH = 200  # characters of a text that its element's name labels
_TITLES = frozenset("title head".split())
_UNLABELLED = _TITLES | frozenset(
    "p para simpara paragraph li item listitem entry cell td th line l s seg t "
    "text span b i em strong string str value v content body data a phrase".split()
)
"""Names of elements that say nothing about the text in them."""

_ESCAPED_HTML = re.compile(r"</?(?:p|div|br|span|a|b|i|em|strong|ul|ol|li|table|h[1-6])\b[^<>]*>")
_NEVER_WORDS = frozenset("style class id href src d points schemaLocation".split())
_WORDY = frozenset(
    "title alt label caption summary name value text description desc tooltip placeholder message "
    "comment note content".split()
)
"""Attributes that are read; others only if their value is several words."""


def load(data: bytes, source: str) -> Document:
    """XML that is not well-formed is read as it stands, with its tags.

    Raises :class:`LoadError` for data that is not text, and for what needs entities.
    """
    text = decode(data, declared_encoding(data))
    root = parse(text)
    if root is None:
        return Document(source, text)
    kind = local_name(root)
    if kind == "svg":
        return svg.document(root, source)
    if kind in ("rss", "feed", "RDF") and (document := feed.document(root, source)):
        return document
    builder = TextBuilder()
    _Walker(builder).walk(root, 1, 0)
    text = builder.text()
    title = next((text[h.start : h.end] for h in builder.headings), "")
    return Document(source, text, sensible_title(title), headings=tuple(builder.headings))


class _Walker:
    """Writes elements of an unknown vocabulary to a builder."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder

    def walk(self, element: etree._Element, level: int, depth: int, label: str = "") -> None:
        """Write ``element``; ``level`` is that of a title in it, ``label`` goes before its text."""
        children = list(element)
        if depth == _MAX_DEPTH or not children or _is_paragraph(element, children):
            self._leaf(element, label)
            return
        if record := _record(element, children):
            self._builder.add(" | ".join(record))
            return
        attributes = [f"{name}: {value}" for name, value in _wordy_attributes(element)]
        self._builder.gap(2)
        self._builder.add(" | ".join(attributes))
        self._builder.add(element.text or "")
        titled = local_name(children[0]) in _TITLES
        for child in children:
            name = local_name(child)
            if child is children[0] and titled:
                self._builder.gap(2)
                self._builder.add(words(child), min(level, 6))
                self._builder.gap(2)
            else:
                self.walk(child, level + titled, depth + 1, "" if name in _UNLABELLED else name)
            self._builder.add(child.tail or "")
        self._builder.gap(2)

    def _leaf(self, element: etree._Element, label: str) -> None:
        text = words(element)
        if _ESCAPED_HTML.search(text):
            self._html("".join(element.itertext()))  # type: ignore[arg-type]
            return
        pairs = list(_wordy_attributes(element))
        is_long = len(text) > _MAX_VALUE_LENGTH or not label
        if text and not (is_long and not pairs):
            pairs.append((label or local_name(element), text))
        line = " | ".join(f"{name}: {value}" for name, value in pairs) if pairs else text
        if is_long:
            self._builder.gap(2)
        self._builder.add(line)
        if is_long:
            self._builder.gap(2)

    def _html(self, page: str) -> None:
        """A page that is the text of an element, as in feeds and in maps."""
        from rag.load.markup import html

        self._builder.gap(2)
        self._builder.include(html.fragment(page))
        self._builder.gap(2)


def _is_paragraph(element: etree._Element, children: list[etree._Element]) -> bool:
    """Whether text stands beside the element's children, as in a paragraph with emphasis.

    Stray text between sections makes no paragraph of them all.
    """
    texts = (element.text, *(child.tail for child in children))
    if not any(text and text.strip() for text in texts):
        return False
    return sum(len(text) for text in element.itertext()) <= _MAX_PARAGRAPH_LENGTH


def _record(element: etree._Element, children: list[etree._Element]) -> list[str]:
    """``name: value`` of each child, if all are short texts under different names; else none."""
    names = [local_name(child) for child in children]
    if len(children) < 2 or len(set(names)) < len(names):
        return []
    pairs = list(_wordy_attributes(element))
    for name, child in zip(names, children, strict=True):
        if (
            len(child)
            or len(text := words(child)) > _MAX_VALUE_LENGTH
            or _ESCAPED_HTML.search(text)
        ):
            return []
        pairs.extend((f"{name}.{key}", value) for key, value in _wordy_attributes(child))
        if text:
            pairs.append((name, text))
    return [f"{name}: {value}" for name, value in pairs]


def _wordy_attributes(element: etree._Element) -> Iterator[tuple[str, str]]:
    for key, raw in element.attrib.items():
        name = str(key).rpartition("}")[2]
        value = " ".join(str(raw).split())
        if name in _NEVER_WORDS or len(value) > _MAX_VALUE_LENGTH * 10:
            continue
        if (name.lower() in _WORDY and value) or (" " in value and _is_prose(value)):
            yield name, value


def _is_prose(value: str) -> bool:
    """Whether most words of an attribute are made of letters: no measures, paths or addresses."""
    parts = value.split()
    return sum(part.strip(".,;:!?()\"'").isalpha() for part in parts) * 2 > len(parts)
