"""The conversation: questions, answers with their citations, refusals with the nearest passages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.snippet import snippet
from rag.types import REASONS, REFUSAL_TEXT, UNSURE_TEXT, Answer, Citation, Hit, PossibleAnswer
from rag.web.render.markup import button, escape, name, place

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

QUOTED_INSTEAD = "model_refused"
"""Reason of an answer in the documents' own words where the language model found none."""

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
        f"<li>{button('example', 'example', {'question': question}, escape(question))}</li>"
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
        parts.append(button("quiet wrong", "wrong", {"turn": index}, "Not right?"))
    busy = "false" if turn.done or turn.stopped else "true"
    return f'<article class="turn" aria-busy="{busy}">{"".join(parts)}</article>'


def _answer(turn: Turn, answer: Answer, index: int) -> str:
    distrust = ""
    if answer.reason in DISTRUST:
        distrust = (
            f'<p class="warning" role="note"><b>{DISTRUST[answer.reason]}</b> '
            f"{escape(REASONS[answer.reason])}</p>"
        )
    elif answer.reason == QUOTED_INSTEAD:
        distrust = f'<p class="note" role="note">{escape(REASONS[answer.reason])}</p>'
    text = f'<div class="text" dir="auto">{answer_text(answer, index)}</div>'
    foot = _chips(answer, index) + _meta(answer, turn.answerer) if turn.done else ""
    kind = "answer distrusted" if answer.reason in DISTRUST else "answer"
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
    for start, end, marker in [*edges, (len(text), len(text), "")]:
        pieces.append(_plain(text, position, start, bold, bold_end) + marker)
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
    return button("cite", "show", data, f"[{citation.number}]", label)


def _chips(answer: Answer, turn: int) -> str:
    chips = "".join(
        "<li>"
        + button(
            "chip",
            "show",
            {"turn": turn, "number": citation.number},
            f"<b>{citation.number}</b> "
            f"{name(citation.source, citation.hit.chunk.document.title, citation.place)}",
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
    model = answer.answerer if answerer == "llm" and answer.reason != QUOTED_INSTEAD else ""
    if model and answer.confidence:
        items.append(f"The quoted answer is the same, {answer.confidence:.0%}")
    elif not model and not answer.refused and answer.reason not in DISTRUST:
        items.append(f'<span class="level {level}">{confidence_words(answer.confidence)}</span>')
    if not answer.refused:
        items.append(f"Written by {escape(model)}" if model else ANSWERERS["extractive"])
    if seconds is not None:
        items.append(f"{seconds:.1f} s")
    if answer.dropped_markers:
        items.append(f"{answer.dropped_markers} unsupported citation(s) or sentence(s) removed")
    return f'<p class="meta">{"".join(f"<span>{item}</span>" for item in items)}</p>'


def _refusal(answer: Answer, turn: int) -> str:
    lead = UNSURE_TEXT if answer.text.startswith(UNSURE_TEXT) else REFUSAL_TEXT
    said = answer.text.removeprefix(lead).strip() or REASONS.get(answer.reason or "", "")
    title = "Ask about the documents." if answer.reason == "no_question" else lead
    perhaps = _possible(answer.perhaps, turn) if answer.perhaps else ""
    near = ""
    if answer.hits and answer.reason not in ("no_question", "nothing_relevant"):
        items = "".join(
            _near(answer.question, hit, turn, i) for i, hit in enumerate(answer.hits[:NEAREST])
        )
        near = f'<p class="near-title">Nearest passages</p><ol class="near">{items}</ol>'
    return (
        f'<div class="answer refusal"><p class="refusal-title">{escape(title)}</p>'
        f"<p>{escape(said)}</p>{perhaps}{near}{_meta(answer, '')}</div>"
    )


def _possible(possible: PossibleAnswer, turn: int) -> str:
    """The best candidate of a refusal: its sentence, the words that may answer marked."""
    citation, span = possible.citation, possible.span
    text = citation.hit.chunk.document.text
    where = place(citation.source, citation.place)
    sentence = (
        f"{escape(text[citation.start : span.start])}<mark>{escape(span.text)}</mark>"
        f"{escape(text[span.end : citation.end])}"
    )
    content = (
        f"<b>Perhaps</b> <i>{possible.probability:.0%} likely to be right</i>"
        f'<span dir="auto">{sentence}</span>'
        f"<b>{name(citation.source, citation.hit.chunk.document.title, citation.place)}</b>"
    )
    label = f"Perhaps: {span.text}. Open {where}"
    return button("passage perhaps", "show", {"turn": turn, "perhaps": 1}, content, label)


def _near(question: str, hit: Hit, turn: int, index: int) -> str:
    document = hit.chunk.document
    where = name(hit.source, document.title, document.place_at(hit.start, hit.end))
    content = f'<b>{where}</b> <span dir="auto">{escape(snippet(question, hit))}</span>'
    return f"<li>{button('passage', 'show', {'turn': turn, 'index': index}, content)}</li>"
