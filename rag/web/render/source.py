"""The source panel: a document with the quoted words marked, as text and as its pages look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote as quoted
from urllib.parse import urlencode

from rag.types import Document, Location
from rag.web.render.markup import button, escape, shown_title

EXCERPT_CHARS = 700
"""Characters of context shown on each side of a quote, until the user asks for more."""

MAX_SHOWN_CHARS = 400_000
"""The most context shown on each side; a longer document is cut here, and the cut is shown."""


@dataclass(frozen=True, slots=True)
class View:
    """What the source panel shows: ``document`` with ``start:end`` marked.

    ``request`` is what the button that opened it sent, so that "Show more" can ask for the same
    with a greater ``radius``. ``kicker`` says what is marked, ``notice`` what to beware of.
    ``pages`` are those to show as they look.
    """

    document: Document
    start: int
    end: int
    request: Mapping[str, str | int]
    kicker: str = ""
    notice: str = ""
    radius: int = EXCERPT_CHARS
    pages: Sequence[Location] = ()


def source_panel(view: View, nonce: int) -> str:
    """The source panel; a new ``nonce`` makes the page scroll to the mark again."""
    document = view.document
    start, end = excerpt(document.text, view.start, view.end, view.radius)
    at = document.place_at(view.start, view.end) if view.end > view.start else ""
    # The heading of a sheet is the name of its rows' place too: said once.
    facts = [view.kicker, at, *(crumb for crumb in _crumbs(view) if not at.startswith(crumb))]
    marked = f"<mark tabindex='-1'>{escape(document.text[view.start : view.end])}</mark>"
    body = (
        ("<i>…</i> " if start else "")
        + _with_pages(document, start, view.start)
        + (marked if view.end > view.start else "")
        + _with_pages(document, view.end, end)
        + (" <i>…</i>" if end < len(document.text) else "")
    )
    notice = f'<p class="warning">{escape(view.notice)}</p>' if view.notice else ""
    title = shown_title(document.title)
    if title:
        facts.insert(0, document.source)
    return _panel(
        title or document.source,
        " · ".join(escape(fact) for fact in facts if fact),
        f'{notice}{_pages(view)}<div class="source-text" tabindex="0" '
        f'aria-label="Text of the source"><div class="words">{body}</div></div>'
        f"{_more(view, start, end)}",
        nonce,
    )


def _pages(view: View) -> str:
    """The real pages, and what switches between them and the text; empty if there are none."""
    if not view.pages:
        return ""
    tabs = "".join(
        f'<button type="button" class="tab" data-shows="{name}" aria-pressed="false">{label}'
        "</button>"
        for name, label in (("page", "Page"), ("text", "Text"))
    )
    zoom = '<button type="button" class="tab enlarge" aria-pressed="false">Larger</button>'
    unknown = ""
    if not any(page.marks for page in view.pages):
        unknown = '<p class="unmarked">Where the words stand on the page is not known.</p>'
    pages = "".join(_page(view, page) for page in view.pages)
    return (
        f'<div class="tabs" role="group" aria-label="Show the source as">{tabs}{zoom}</div>'
        f'<div class="source-page" tabindex="0" aria-label="Pages of the source">{unknown}{pages}'
        "</div>"
    )


def _page(view: View, at: Location) -> str:
    """A page; its picture comes from the route of ``rag.web.page_image``, the quote marked."""
    source = view.document.source
    wanted = urlencode({"start": view.start, "end": view.end, "page": at.page})
    spots = "".join(
        f'<span class="spot" style="left:{m.left:.2%};top:{m.top:.2%};'
        f'width:{m.right - m.left:.2%};height:{m.bottom - m.top:.2%}"></span>'
        for m in (at.marks or ())[:1]
    )
    return (
        f'<figure data-page="Page {at.page}">'
        f'<img src="v1/pages/{quoted(source)}?{escape(wanted)}" '
        f'alt="Page {at.page} of {escape(source)}" width="1200" height="1600">{spots}</figure>'
    )


def missing_panel(source: str, nonce: int) -> str:
    """The source panel for a document that is gone."""
    gone = '<p class="warning">This document is no longer in the knowledge base.</p>'
    return _panel(source, "", gone, nonce)


def empty_panel() -> str:
    """The source panel before anything is opened."""
    return (
        '<section class="source empty" aria-label="Source">'
        "<p>Open a citation to see its exact words here, where they stand in the source.</p>"
        "</section>"
    )


def _panel(title: str, facts: str, body: str, nonce: int) -> str:
    return (
        f'<section class="source" aria-label="Source" data-nonce="{nonce}">'
        f'<header><div><h2 title="{escape(title)}" dir="auto">{escape(title)}</h2>'
        f'<p class="facts">{facts}</p></div>'
        f"{button('close', 'close_source', {}, '×', 'Close source')}</header>{body}</section>"
    )


def _crumbs(view: View) -> list[str]:
    document = view.document
    headings = document.headings_above(view.start) if view.end > view.start else ()
    return [" › ".join(" ".join(document.text[h.start : h.end].split()) for h in headings)]


def _more(view: View, start: int, end: int) -> str:
    total = len(view.document.text)
    whole = (start, end) == (0, total)
    wider = ((view.radius * 4, "Show more"), (MAX_SHOWN_CHARS, "Whole document"))
    buttons = "".join(
        button("quiet", "show", {**view.request, "radius": radius}, label)
        for radius, label in wider
        if not whole and view.radius < radius <= MAX_SHOWN_CHARS
    )
    marked = f"Characters {view.start:,}–{view.end:,} of {total:,}"
    facts = marked if view.end > view.start else f"{total:,} characters"
    return f"<footer><span>{facts}</span><span>{buttons}</span></footer>"


def excerpt(text: str, start: int, end: int, radius: int) -> tuple[int, int]:
    """A range around ``start:end`` with about ``radius`` characters on each side.

    It grows to the next white space, if there is one near, so that no word is cut.
    """
    first, last = max(0, start - radius), min(len(text), end + radius)
    for step in range(60):
        if first - step <= 0 or text[first - step - 1].isspace():
            first = max(0, first - step)
            break
    for step in range(60):
        if last + step >= len(text) or text[last + step].isspace():
            last = min(len(text), last + step)
            break
    return first, last


def _with_pages(document: Document, start: int, end: int) -> str:
    """``document.text[start:end]`` escaped, with a sign where a page begins."""
    pieces, position = [], start
    for page in document.pages:
        if start <= page.start < end:
            pieces.append(escape(document.text[position : page.start]))
            name = document.place_at(page.start) or f"page {page.number}"
            sign = escape(name[:1].upper() + name[1:])
            pieces.append(f'<span class="page" data-page="{sign}"></span>')
            position = page.start
    return "".join(pieces) + escape(document.text[position:end])
