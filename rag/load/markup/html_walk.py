"""Walks an HTML tree in reading order and writes what a browser would show, as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.load.builder import TextBuilder
from rag.load.markup.html_table import data_table_lines

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_NEVER_SHOWN = frozenset(
    "script style noscript template head iframe canvas audio video math-ml datalist object-data "
    "map param source track col colgroup noframes".split()
)
# Blocks with a blank line around them, as a browser's style sheet has it, and without.
_SPACED = frozenset(
    "p h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre figure hr fieldset article section main "
    "header footer aside nav details".split()
)
_UNSPACED = frozenset(
    "div li dt dd tr td th caption thead tbody tfoot address center form legend body html "
    "figcaption summary dialog option optgroup select textarea hgroup search menu dir frameset "
    "frame noframes title".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BOILERPLATE_ROLES = frozenset(("navigation", "banner", "contentinfo", "complementary", "search"))
_HIDING_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
_MAX_CHECKS = 200  # no page has more headers and sidebars; each look inside costs time
_WHITE_SPACE = re.compile(r"[ \t\n\r\f]+")


class Walker:
    """Fills :attr:`builder`; :attr:`dropped` tells whether boilerplate was left out."""

    def __init__(self, *, keep_boilerplate: bool = True, has_main: bool = False) -> None:
        self.builder = TextBuilder()
        self.dropped = False
        self._keep_boilerplate = keep_boilerplate
        self._has_main = has_main
        self._main_depth = 0  # how many <main> and <article> are open
        self._checks = 0
        self._pre_depth = 0
        self._level: int | None = None  # of the open heading
        self._lists: list[int | None] = []  # next number of each open list; None for bullets
        self._marker = ""
        self._line: list[str] = []
        self._at_space = True  # whether the line ends with white space or is empty

    def walk(self, root: LexborNode) -> None:
        """Write ``root`` and all below it; without recursion, so that no depth is too deep."""
        todo: list[tuple[LexborNode, bool]] = [(root, False)]
        while todo:
            node, entered = todo.pop()
            tag = node.tag or ""
            if entered:
                self._leave(node, tag)
            elif tag == "-text":
                self._write(node.text_content or "")
            elif self._is_shown(node, tag) and self._enter(node, tag):
                todo.append((node, True))
                todo.extend((child, False) for child in reversed(list(children(node))))
        self._flush()

    def _is_shown(self, node: LexborNode, tag: str) -> bool:
        if tag in _NEVER_SHOWN or not tag or tag[0] in "-!#":
            return False
        attributes = node.attributes
        if "hidden" in attributes or (tag == "dialog" and "open" not in attributes):
            return False
        if _HIDING_STYLE.search(attributes.get("style") or ""):
            return False
        if self._keep_boilerplate or not self._is_boilerplate(node, tag):
            return True
        self.dropped = True
        return False

    def _is_boilerplate(self, node: LexborNode, tag: str) -> bool:
        """Navigation anywhere; page headers, footers and sidebars outside the page's main part."""
        role = (node.attributes.get("role") or "").strip().lower()
        if tag == "nav" or role == "navigation":
            return True
        if tag not in ("header", "footer", "aside") and role not in _BOILERPLATE_ROLES:
            return False
        self._checks += 1
        if not self._has_main or self._main_depth or self._checks > _MAX_CHECKS:
            return False
        return node.css_first("h1, main, article, [role=main]") is None

    def _enter(self, node: LexborNode, tag: str) -> bool:
        """Begin an element; False if its children are done with."""
        if tag == "br":
            self._break_line()
        elif tag == "img":
            self._write(f" {node.attributes.get('alt') or ''} ")
        elif tag == "table":
            lines = data_table_lines(node, _words)
            if lines is not None:
                self._write_table(lines)
                return False
        if tag in _SPACED or tag in _UNSPACED:
            self._flush()
            self._space(tag)
        self._pre_depth += tag in ("pre", "textarea", "listing", "xmp")
        self._main_depth += _is_main(node, tag)
        self._level = _HEADINGS.get(tag, self._level)
        if tag in ("ul", "menu", "dir"):
            self._lists.append(None)
        elif tag == "ol":
            start = node.attributes.get("start") or ""
            self._lists.append(int(start) if start.isdecimal() and len(start) < 9 else 1)
        elif tag == "li":
            self._marker = self._next_marker()
        return True

    def _leave(self, node: LexborNode, tag: str) -> None:
        if tag in _SPACED or tag in _UNSPACED:
            self._flush()
            self._space(tag)
        self._pre_depth -= tag in ("pre", "textarea", "listing", "xmp")
        self._main_depth -= _is_main(node, tag)
        if tag in _HEADINGS:
            self._level = None
        elif tag in ("ul", "menu", "dir", "ol"):
            self._lists.pop()
        elif tag == "li":
            self._marker = ""

    def _space(self, tag: str) -> None:
        nested_list = tag in ("ul", "ol") and (len(self._lists) > 0)
        in_item = bool(self._lists) and tag in ("p", "div")
        self.builder.gap(2 if tag in _SPACED and not nested_list and not in_item else 1)

    def _next_marker(self) -> str:
        if not self._lists or self._lists[-1] is None:
            return "- "
        number = self._lists[-1]
        self._lists[-1] = number + 1
        return f"{number}. "

    def _write(self, text: str) -> None:
        if not self._pre_depth:
            text = _WHITE_SPACE.sub(" ", text)
            if self._at_space:
                text = text.lstrip(" ")
        if text:
            self._line.append(text)
            self._at_space = text[-1] in " \n"

    def _break_line(self) -> None:
        if self._line:
            self._line[-1] = self._line[-1].rstrip(" ") if not self._pre_depth else self._line[-1]
        self._line.append("\n")
        self._at_space = True

    def _write_table(self, lines: list[str]) -> None:
        self._flush()
        self.builder.gap(2)
        self.builder.add("\n".join(lines))
        self.builder.gap(2)

    def _flush(self) -> None:
        """End the line that is being written."""
        block = "".join(self._line)
        self._line, self._at_space = [], True
        if block.strip():
            self.builder.add(self._marker + block.lstrip("\n"), self._level)
            self._marker = ""


def children(node: LexborNode) -> Iterator[LexborNode]:
    """Yield the nodes directly below ``node``."""
    child = node.first_child
    while child is not None:
        yield child
        child = child.next


def _is_main(node: LexborNode, tag: str) -> bool:
    return tag in ("main", "article") or node.attributes.get("role") == "main"


def _words(cell: LexborNode) -> str:
    """All words of a table cell on one line."""
    walker = Walker()
    walker.walk(cell)
    return " ".join(walker.builder.text().split())
