"""Answers, sources and the list of documents as HTML for the chat page.

Pure functions from values to HTML. Whatever comes from a document, a model or a user passes
:func:`escape`, so markup in it is shown and never runs; the only links are the ones built here.
Buttons carry ``data-event`` and further ``data-`` attributes, which ``rag/assets/page.js`` sends
to the page's handlers.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote as quoted
from urllib.parse import urlencode

from rag.types import REASONS, REFUSAL_TEXT, Answer, Citation, Document, Hit, Location

EXCERPT_CHARS = 700
"""Characters of context shown on each side of a quote, until the user asks for more."""

MAX_SHOWN_CHARS = 400_000
"""The most context shown on each side; a longer document is cut here, and the cut is shown."""

MAX_LISTED = 200
"""The most documents listed at once; the filter finds the others."""

NEAREST = 3
"""Passages shown with a refusal."""

ANSWERERS = {
    "extractive": "Quoted from the documents",
    "llm": "Written by a language model",
}
"""How an answerer is named to a person."""

DISTRUST = {
    "not_grounded": "Not grounded in the documents.",
    "instructed": "This answer may have been dictated.",
}
"""What is shown above an answer that is not to be trusted, by its reason."""

_MARKER = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Turn:
    """A question of the conversation and what came of it so far.

    ``answerer`` is ``extractive`` or ``llm``. ``done`` is False while the answer grows. ``error``
    is a sentence to show: alone, or above an answer found in another way. ``stopped`` means that
    the user cut the answer off.
    """

    question: str
    answer: Answer | None = None
    answerer: str = "extractive"
    error: str = ""
    done: bool = False
    stopped: bool = False


def escape(text: str) -> str:
    """``text`` as HTML that shows exactly these characters, in content and in attributes."""
    return html.escape(text).replace("\r", "&#13;").replace("\0", "\ufffd")


def heading(can_log_out: bool) -> str:
    """What stands above the page."""
    out = '<form method="post" action="logout"><button class="quiet">Log out</button></form>'
    return f'<h1 class="brand">Ask your documents</h1>{out if can_log_out else ""}'


def transcript(turns: Sequence[Turn], welcome: str = "") -> str:
    """The conversation; ``welcome`` (HTML) stands in its place while there is none."""
    body = "".join(_turn(turn, index) for index, turn in enumerate(turns)) or welcome
    return f'<div class="log" role="log" aria-label="Conversation">{body}</div>'


def welcome(documents: int, examples: Sequence[str], folder: str) -> str:
    """What the page shows before the first question."""
    if not documents:
        how = (
            "Add files under <b>Documents</b>, or put them into "
            f"<code>{escape(folder)}</code> and look for changes there."
            if folder
            else "Index a folder with <code>rag index FOLDER</code>, then reload this page."
        )
        return f'<div class="welcome"><h2>No documents yet</h2><p>{how}</p></div>'
    buttons = "".join(
        f"<li>{_button('example', 'example', {'question': question}, escape(question))}</li>"
        for question in examples
    )
    tried = f'<p class="try">For example</p><ul class="examples">{buttons}</ul>' if buttons else ""
    return (
        '<div class="welcome"><h2>Ask your documents</h2>'
        "<p>Every answer cites its source. Open a citation such as "
        '<span class="cite">[1]</span> to see the exact words where they stand.</p>'
        f"{tried}</div>"
    )


def _turn(turn: Turn, index: int) -> str:
    answer = turn.answer
    parts = [f'<div class="question" dir="auto">{escape(turn.question)}</div>']
    if turn.error:
        offered = "<br>Here is what the documents say instead:" if answer else ""
        parts.append(f'<div class="error" role="alert">{escape(turn.error)}{offered}</div>')
    if answer is not None and answer.refused:
        parts.append(_refusal(answer, index))
    elif answer is not None and answer.text:
        parts.append(_answer(turn, answer, index))
    elif not turn.done and not turn.stopped:
        parts.append('<div class="pending">Looking through the documents…</div>')
    if turn.stopped:
        parts.append('<div class="stopped">Stopped.</div>')
    if turn.done and answer is not None and answer.reason != "no_question":
        parts.append(_button("quiet wrong", "wrong", {"turn": index}, "Not right?"))
    busy = "false" if turn.done or turn.stopped else "true"
    return f'<article class="turn" aria-busy="{busy}">{"".join(parts)}</article>'


def _answer(turn: Turn, answer: Answer, index: int) -> str:
    distrust = ""
    if answer.reason in DISTRUST:
        distrust = (
            f'<p class="warning" role="note"><b>{DISTRUST[answer.reason]}</b> '
            f"{escape(REASONS[answer.reason])}</p>"
        )
    text = f'<div class="text" dir="auto">{answer_text(answer, index)}</div>'
    foot = _chips(answer, index) + _meta(answer, turn.answerer) if turn.done else ""
    kind = "answer distrusted" if distrust else "answer"
    return f'<div class="{kind}">{distrust}{text}{foot}</div>'


def answer_text(answer: Answer, turn: int) -> str:
    """The answer's text as HTML: its markers as buttons, its short answer in bold.

    A ``[2]`` that stands in the quoted words themselves is the document's own and stays text.
    """
    text = answer.text
    citations = {citation.number: citation for citation in answer.citations}
    own = _quoted_ranges(text, answer.citations)
    edges: list[tuple[int, int, str]] = []
    for match in _MARKER.finditer(text):
        citation = citations.get(int(match[1]))
        if citation and not any(a <= match.start() and match.end() <= b for a, b in own):
            edges.append((match.start(), match.end(), _cite_button(citation, turn)))
    short = " ".join((answer.short or "").split())
    bold = text.find(short) if short else -1
    bold_end = bold + len(short)
    pieces, position = [], 0
    for start, end, button in [*edges, (len(text), len(text), "")]:
        pieces.append(_plain(text, position, start, bold, bold_end) + button)
        position = end
    return "".join(pieces)


def _plain(text: str, start: int, end: int, bold: int, bold_end: int) -> str:
    """``text[start:end]`` escaped, with what falls into ``bold:bold_end`` in bold."""
    a, b = max(start, bold), min(end, bold_end)
    if bold < 0 or a >= b:
        return escape(text[start:end])
    return f"{escape(text[start:a])}<strong>{escape(text[a:b])}</strong>{escape(text[b:end])}"


def _quoted_ranges(text: str, citations: Sequence[Citation]) -> list[tuple[int, int]]:
    """Where the citations' own words stand in ``text``, whatever their white space."""
    ranges = []
    for quote in {citation.quote for citation in citations}:
        if words := quote.split():
            pattern = r"\s+".join(map(re.escape, words))
            ranges += [match.span() for match in re.finditer(pattern, text)]
    return ranges


def _cite_button(citation: Citation, turn: int) -> str:
    label = f"Citation {citation.number}: {place(citation.source, citation.place)}"
    data = {"turn": turn, "number": citation.number}
    return _button("cite", "show", data, f"[{citation.number}]", label)


def _button(
    kind: str, event: str, data: Mapping[str, str | int], content: str, label: str = ""
) -> str:
    """A button that sends ``event`` with ``data`` to the page; ``content`` is HTML."""
    sent = "".join(f' data-{key}="{escape(str(value))}"' for key, value in data.items())
    named = f' aria-label="{escape(label)}" title="{escape(label)}"' if label else ""
    return (
        f'<button type="button" class="{kind}" data-event="{event}"{sent}{named}>{content}</button>'
    )


def place(source: str, at: str) -> str:
    """``report.pdf, page 3``, or the source alone where nothing names a part of it."""
    return f"{source}, {at}" if at else source


def _chips(answer: Answer, turn: int) -> str:
    chips = "".join(
        "<li>"
        + _button(
            "chip",
            "show",
            {"turn": turn, "number": citation.number},
            f"<b>{citation.number}</b> "
            f"<span>{escape(place(citation.source, citation.place))}</span>",
            f"Source {citation.number}: {place(citation.source, citation.place)}",
        )
        + "</li>"
        for citation in answer.citations
    )
    return f'<ul class="chips" aria-label="Sources">{chips}</ul>' if chips else ""


def confidence_words(confidence: float) -> str:
    """A calibrated probability in words and percent."""
    word = "High" if confidence >= 0.8 else "Fair" if confidence >= 0.5 else "Low"
    return f"{word} confidence, {confidence:.0%}"


def _meta(answer: Answer, answerer: str = "") -> str:
    seconds = (answer.seconds or {}).get("total")
    level = "high" if answer.confidence >= 0.8 else "fair" if answer.confidence >= 0.5 else "low"
    items = []
    if answer.reason in ("not_stated", "not_mentioned", "says_otherwise"):
        items.append(f"{answer.confidence:.0%} likely that they do")
    elif not answer.refused and answer.reason not in DISTRUST:
        items.append(f'<span class="level {level}">{confidence_words(answer.confidence)}</span>')
    if not answer.refused:
        model = answer.answerer if answerer == "llm" else ""
        items.append(f"Written by {escape(model)}" if model else ANSWERERS["extractive"])
    if seconds is not None:
        items.append(f"{seconds:.1f} s")
    if answer.dropped_markers:
        items.append(f"{answer.dropped_markers} unsupported citation(s) or sentence(s) removed")
    return f'<p class="meta">{"".join(f"<span>{item}</span>" for item in items)}</p>'


def _refusal(answer: Answer, turn: int) -> str:
    said = answer.text.removeprefix(REFUSAL_TEXT).strip() or REASONS.get(answer.reason or "", "")
    title = "Ask about the documents." if answer.reason == "no_question" else REFUSAL_TEXT
    near = ""
    if answer.hits and answer.reason not in ("no_question", "nothing_relevant"):
        items = "".join(_near(hit, turn, i) for i, hit in enumerate(answer.hits[:NEAREST]))
        near = f'<p class="near-title">Nearest passages</p><ol class="near">{items}</ol>'
    return (
        f'<div class="answer refusal"><p class="refusal-title">{escape(title)}</p>'
        f"<p>{escape(said)}</p>{near}{_meta(answer, '')}</div>"
    )


def _near(hit: Hit, turn: int, index: int) -> str:
    where = escape(place(hit.source, hit.chunk.document.place_at(hit.start, hit.end)))
    words = " ".join(hit.text.split())
    snippet = words if len(words) <= 200 else words[:200].rsplit(" ", 1)[0] + " …"
    content = f'<b>{where}</b> <span dir="auto">{escape(snippet)}</span>'
    return f"<li>{_button('passage', 'show', {'turn': turn, 'index': index}, content)}</li>"


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
    return _panel(
        document.source,
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
    """A page; its picture comes from the route of ``rag.page_route``, the quote marked in it."""
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
        f'<header><div><h2 title="{escape(title)}">{escape(title)}</h2>'
        f'<p class="facts">{facts}</p></div>'
        f"{_button('close', 'close_source', {}, '×', 'Close source')}</header>{body}</section>"
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
        _button("quiet", "show", {**view.request, "radius": radius}, label)
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


def documents(sources: Sequence[str], query: str = "", asking: str | None = None) -> str:
    """The list of documents whose name contains ``query``; ``asking`` is about to be removed."""
    found = [source for source in sources if query.casefold() in source.casefold()]
    items = "".join(_document(source, asking == source) for source in found[:MAX_LISTED])
    hidden = len(found) - MAX_LISTED
    more = f'<p class="quiet-text">and {hidden:,} more: filter to find them.</p>' * (hidden > 0)
    none = "No document's name contains that." if sources else "No documents yet."
    body = f'<ul class="documents">{items}</ul>{more}' if found else f"<p>{none}</p>"
    return f'<div class="document-list">{body}</div>'


def _document(source: str, asking: bool) -> str:
    name = escape(source)
    if asking:
        return (
            f'<li class="asking" role="alertdialog" aria-label="Remove {name}?">'
            f"<p>Remove <b>{name}</b>? The file is moved to <code>.removed/</code> in the folder, "
            "and answers no longer use it.</p>"
            f"{_button('danger', 'remove', {'source': source}, 'Remove')} "
            f"{_button('quiet', 'keep', {}, 'Keep')}</li>"
        )
    opening = _button("name", "show", {"source": source}, name, f"Open {source}")
    removing = _button("quiet", "ask_remove", {"source": source}, "Remove", f"Remove {source}")
    return f"<li>{opening}{removing}</li>"


def progress(stage: str, done: int, total: int) -> str:
    """A progress bar; of unknown length while ``total`` is 0."""
    value = f' value="{done}" max="{total}"' if total else ""
    count = f" {done:,} of {total:,}" if total else ""
    label = escape(stage)
    return (
        f'<div class="status" role="status">{label}{count}…'
        f'<progress aria-label="{label}"{value}></progress></div>'
    )


def status(lines: Sequence[str], failed: Sequence[tuple[str, str]] = ()) -> str:
    """What a change did: ``lines`` to read, and the files that ``failed`` with their reasons."""
    said = "".join(f"<p>{escape(line)}</p>" for line in lines)
    items = "".join(f"<li><b>{escape(s)}</b>: {escape(reason)}</li>" for s, reason in failed)
    bad = f'<div class="error"><p>Could not be read:</p><ul>{items}</ul></div>' if items else ""
    return f'<div class="status" role="status">{said}{bad}</div>' if said or bad else ""


def alert(message: str) -> str:
    """An error or a hint about what was typed; nothing when there is nothing to say."""
    return f'<div class="error" role="alert">{escape(message)}</div>' if message else ""
