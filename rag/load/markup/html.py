"""HTML -> the words a reader of the page sees, with headings and tables.

Parsed with selectolax (Lexbor): it builds the tree of the HTML5 standard, as browsers do for broken
pages too, fetches nothing, and is many times as fast as Beautiful Soup. What is content is decided
here, cautiously: extractors such as trafilatura lose text that they take for boilerplate.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.load.builder import TextBuilder, clean
from rag.load.detect.encoding import decode
from rag.load.markup.html_walk import Walker
from rag.types import Document

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_META_CHARSET = re.compile(
    rb"""<meta\s[^>]*?charset\s*=\s*["']?\s*([A-Za-z0-9_.:+-]+)"""
    rb"""|<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9_.:+-]+)""",
    re.IGNORECASE,
)
_LOOK_FOR_CHARSET = 16_384
# In XHTML these may close themselves; an HTML parser would take the rest of the page as their text.
_SELF_CLOSED = re.compile(
    r"<(script|style|title|textarea|iframe|noscript|template|svg|a|div|span|p|h[1-6]|td|th|li)"
    r"(\s[^<>]*)?/>",
    re.IGNORECASE,
)
_MIN_SHARE = 1 / 3
"""If less than this is left without what looks like boilerplate, then it was content: keep it."""


def load(data: bytes, source: str) -> Document:
    """Raises :class:`rag.errors.LoadError` for data that is not text."""
    from selectolax.lexbor import LexborHTMLParser

    html = decode(data, _declared_charset(data))
    if html.lstrip()[:5].lower() == "<?xml":
        html = _SELF_CLOSED.sub(r"<\1\2></\1>", html)
    tree = LexborHTMLParser(html.replace("\0", "\ufffd"))
    built, dropped = _extract(tree, keep_boilerplate=False)
    text = built.text()
    if dropped:
        whole, _ = _extract(tree, keep_boilerplate=True)
        if len(text) < len(whole.text()) * _MIN_SHARE:
            built, text = whole, whole.text()
    headings = tuple(built.headings)
    title = _title(tree) or next((text[h.start : h.end] for h in headings if h.level == 1), "")
    return Document(source, text, title=title, headings=headings)


def fragment(page: str) -> Document:
    """HTML that stands inside another format, where it is decoded already."""
    return load(f"\ufeff{clean(page)}".encode(), "")


def _extract(tree: LexborHTMLParser, *, keep_boilerplate: bool) -> tuple[TextBuilder, bool]:
    has_main = tree.css_first("main, article, [role=main]") is not None
    walker = Walker(keep_boilerplate=keep_boilerplate, has_main=has_main)
    if tree.root is not None:
        walker.walk(tree.root)
    return walker.builder, walker.dropped


def _title(tree: LexborHTMLParser) -> str:
    node = tree.css_first("head > title") or tree.css_first("body title:not(svg title)")
    return " ".join(clean(node.text()).split()) if node is not None else ""


def _declared_charset(data: bytes) -> str | None:
    found = _META_CHARSET.search(data, 0, _LOOK_FOR_CHARSET)
    if not found:
        return None
    return (found.group(1) or found.group(2)).decode("ascii")
