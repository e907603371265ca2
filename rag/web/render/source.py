"""The source panel: a document with the quoted words marked, as text and as its pages look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote as quoted
from urllib.parse import urlencode

from markupsafe import Markup

from rag.types import Document, Location, Mark
from rag.web.render.names import shown_title
from rag.web.render.page_templates import fill

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


def source_panel(view: View, nonce: int) -> Markup:
    """The source panel; a new ``nonce`` makes the page scroll to the mark again."""
    document = view.document
    start, end = excerpt(document.text, view.start, view.end, view.radius)
    title = shown_title(document.title)
    return fill(
        "source_panel.html",
        title=title or document.source,
        facts=" · ".join(filter(None, [document.source if title else "", *_facts(view)])),
        notice=view.notice,
        pages=[_page_view(view, page) for page in view.pages],
        is_cut_before=start > 0,
        pieces=_pieces(view, start, end),
        is_cut_after=end < len(document.text),
        extent=_extent(view),
        request=view.request,
        wider=_wider(view, start, end),
        nonce=nonce,
    )


def missing_panel(source: str, nonce: int) -> Markup:
    """The source panel for a document that is gone."""
    return fill("missing_panel.html", title=source, facts="", nonce=nonce)


def empty_panel() -> Markup:
    """The source panel before anything is opened."""
    return fill("empty_panel.html")


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


# What the template is given


@dataclass(frozen=True, slots=True)
class _Piece:
    """Words of the source, and the name of the page that begins with them, if one does."""

    words: str
    page: str = ""
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class _PageView:
    """A page whose picture comes from ``address``; the quote is marked by ``spots``."""

    number: int | None
    source: str
    address: str
    spots: Sequence[Mark]
    has_marks: bool


def _page_view(view: View, at: Location) -> _PageView:
    source, marks = view.document.source, at.marks or ()
    wanted = urlencode({"start": view.start, "end": view.end, "page": at.page})
    address = f"v1/pages/{quoted(source)}?{wanted}"
    return _PageView(at.page, source, address, marks[:1], bool(marks))


def _facts(view: View) -> list[str]:
    if view.end <= view.start:
        return [view.kicker]
    text = view.document.text
    at = view.document.place_at(view.start, view.end)
    headings = view.document.headings_above(view.start)
    crumbs = " › ".join(" ".join(text[h.start : h.end].split()) for h in headings)
    # The heading of a sheet is the name of its rows' place too: said once.
    return [view.kicker, at, "" if at.startswith(crumbs) else crumbs]


def _pieces(view: View, start: int, end: int) -> list[_Piece]:
    """The text from ``start`` to ``end`` with the mark in it, cut where pages begin."""
    document = view.document
    marked = _Piece(document.text[view.start : view.end], is_marked=True)
    return [
        *_by_page(document, start, view.start),
        *([marked] if marked.words else ()),
        *_by_page(document, view.end, end),
    ]


def _by_page(document: Document, start: int, end: int) -> Iterator[_Piece]:
    """``document.text[start:end]``, a piece for each page."""
    position, sign = start, ""
    for page in document.pages:
        if start <= page.start < end:
            yield _Piece(document.text[position : page.start], sign)
            name = document.place_at(page.start) or f"page {page.number}"
            position, sign = page.start, name[:1].upper() + name[1:]
    yield _Piece(document.text[position:end], sign)


def _extent(view: View) -> str:
    total = len(view.document.text)
    if view.end > view.start:
        return f"Characters {view.start:,}–{view.end:,} of {total:,}"
    return f"{total:,} characters"


def _wider(view: View, start: int, end: int) -> list[tuple[int, str]]:
    """What more can be shown: its radius, and what the button for it says."""
    if (start, end) == (0, len(view.document.text)):
        return []
    choices = ((view.radius * 4, "Show more"), (MAX_SHOWN_CHARS, "Whole document"))
    return [(radius, label) for radius, label in choices if view.radius < radius <= MAX_SHOWN_CHARS]
