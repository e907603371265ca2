"""Builds the canonical text of formats that are extracted rather than read as they stand."""

from __future__ import annotations

import re

from rag.types import Document, Heading

# Dropped: control characters (but tab and newline), soft hyphens, byte-order marks.
_DROPPED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\ufeff]")
_REPLACED = str.maketrans(
    {
        "\r": "\n",
        "\x85": "\n",
        "\u2028": "\n",
        "\u2029": "\n",
        "\xa0": " ",  # as a browser copies it, so that a phrase is found and compared as typed
        "\uf0b7": "•",  # the bullets of Word's Symbol and Wingdings fonts
        "\uf0a7": "•",
    }
)
_EDGES = "\n\u200b"  # zero-width spaces mark where link icons of headings stand
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_A_TITLE = re.compile(
    r"(microsoft (word|powerpoint|excel) - .*|untitled.*|\(?anonymous\)?|no title|title"
    r"|(document|presentation|book|workbook|slide) ?\d*|powerpoint[ -]pr[eä]sentation"
    r"|.*\.\w{2,5}|.*[\\/]\S+\.\w+)",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """Return ``text`` without control characters and lone surrogates.

    Spaces and line ends are made plain.
    """
    text = _DROPPED.sub("", text.replace("\r\n", "\n").translate(_REPLACED))
    return _SURROGATE.sub("\ufffd", text)


def sensible_title(title: str | None) -> str:
    """Return ``title`` from a file's properties as one line, or "" where a program made it up."""
    words = " ".join(clean(title or "").split())
    return "" if len(words) > 300 or _NOT_A_TITLE.fullmatch(words) else words


class TextBuilder:
    """Joins blocks of text and remembers where the headings stand."""

    def __init__(self) -> None:
        self.headings: list[Heading] = []
        self._parts: list[str] = []
        self._length = 0
        self._gap = 0

    def gap(self, lines: int) -> None:
        """Ask for at least ``lines`` line ends before the next block."""
        self._gap = max(self._gap, lines)

    @property
    def length(self) -> int:
        """Characters added so far."""
        return self._length

    def add(self, block: str, level: int | None = None) -> int | None:
        """Append ``block``, a heading if it has a ``level``; blank blocks leave no trace.

        Returns where it starts; None for a blank block.
        """
        block = clean(block).strip(_EDGES).rstrip()
        if not block.strip():
            return None
        if level is not None:
            block = " ".join(block.split())
        self._end_gap()
        if level is not None:
            self.headings.append(Heading(level, self._length, self._length + len(block)))
        self._append(block)
        return self._length - len(block)

    def include(self, document: Document, deeper: int = 0) -> None:
        """Append the text of ``document``, and its headings ``deeper`` levels further in."""
        block = document.text.strip("\n").rstrip()
        if not block.strip():
            return
        self._end_gap()
        shift = self._length - (len(document.text) - len(document.text.lstrip("\n")))
        self.headings.extend(
            Heading(h.level + deeper, h.start + shift, h.end + shift) for h in document.headings
        )
        self._append(block)

    def text(self) -> str:
        """Return what was added so far."""
        return "".join(self._parts)

    def _end_gap(self) -> None:
        if self._parts:
            self._append("\n" * max(self._gap, 1))
        self._gap = 0

    def _append(self, piece: str) -> None:
        self._parts.append(piece)
        self._length += len(piece)
