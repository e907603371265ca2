"""Answers and refusals, as their templates are given them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from rag.answering.refusal_texts import REASONS, REFUSAL_TEXT, TITLES, UNSURE_TEXT, WARNINGS
from rag.answering.snippet import snippet
from rag.types import Answer, Citation, Hit, PossibleAnswer
from rag.web.render.answer_text import answer_text
from rag.web.render.names import Name, name, place

NEAREST = 3
"""Passages shown with a refusal."""

ANSWERERS = {
    "extractive": "Quoted from the documents",
    "llm": "Written by a language model",
}
"""How an answerer is named to a person."""

QUOTED_INSTEAD = "model_refused"
"""Reason of an answer in the documents' own words where the language model found none."""


@dataclass(frozen=True, slots=True)
class _Meta:
    """The line below an answer. ``level`` and ``confidence`` are "" where none is told."""

    level: str
    confidence: str
    facts: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Chip:
    number: int
    name: Name
    label: str


@dataclass(frozen=True, slots=True)
class AnswerView:
    """``meta`` is None while the answer grows; ``warning``, with its reason, excludes ``note``."""

    text: Markup
    warning: str
    reason: str
    note: str
    chips: Sequence[_Chip]
    meta: _Meta | None


@dataclass(frozen=True, slots=True)
class _Perhaps:
    """The best candidate of a refusal: its sentence, around the words that may answer."""

    likelihood: str
    before: str
    words: str
    after: str
    name: Name
    label: str


@dataclass(frozen=True, slots=True)
class _Passage:
    name: Name
    snippet: str


@dataclass(frozen=True, slots=True)
class RefusalView:
    """``said`` is why; ``nearest`` are passages to look at instead."""

    title: str
    said: str
    perhaps: _Perhaps | None
    nearest: Sequence[_Passage]
    meta: _Meta


def confidence_words(confidence: float) -> str:
    """A calibrated probability in words and percent."""
    return f"{_level(confidence)} confidence, {confidence:.0%}"


def answer_view(answer: Answer, turn: int, answerer: str, is_done: bool) -> AnswerView:
    """An answer of the conversation's ``turn``; its foot is there when it is done."""
    return AnswerView(
        text=answer_text(answer, turn),
        warning=WARNINGS.get(answer.reason or "", ""),
        reason=REASONS.get(answer.reason or "", ""),
        note=REASONS[QUOTED_INSTEAD] if answer.reason == QUOTED_INSTEAD else "",
        chips=[_chip(citation) for citation in answer.citations],
        meta=_meta(answer, answerer) if is_done else None,
    )


def _chip(citation: Citation) -> _Chip:
    label = f"Source {citation.number}: {place(citation.source, citation.place)}"
    return _Chip(citation.number, _cited(citation), label)


def _cited(citation: Citation) -> Name:
    return name(citation.source, citation.hit.chunk.document.title, citation.place)


def _level(confidence: float) -> str:
    return "High" if confidence >= 0.8 else "Fair" if confidence >= 0.5 else "Low"


def _meta(answer: Answer, answerer: str = "") -> _Meta:
    model = answer.answerer if answerer == "llm" and answer.reason != QUOTED_INSTEAD else ""
    told = not model and not answer.refused and answer.reason not in WARNINGS
    facts = []
    if model and answer.confidence:
        facts.append(f"The quoted answer is the same, {answer.confidence:.0%}")
    if not answer.refused:
        facts.append(f"Written by {model}" if model else ANSWERERS["extractive"])
    if (seconds := (answer.seconds or {}).get("total")) is not None:
        facts.append(f"{seconds:.1f} s")
    if answer.dropped_markers:
        facts.append(f"{answer.dropped_markers} unsupported citation(s) or sentence(s) removed")
    return _Meta(
        level=_level(answer.confidence).lower() if told else "",
        confidence=confidence_words(answer.confidence) if told else "",
        facts=facts,
    )


def refusal_view(answer: Answer) -> RefusalView:
    """A refusal, with what comes nearest to an answer."""
    lead = UNSURE_TEXT if answer.text.startswith(UNSURE_TEXT) else REFUSAL_TEXT
    is_related = answer.reason not in ("no_question", "nothing_relevant")
    return RefusalView(
        title=TITLES.get(answer.reason or "", lead),
        said=answer.text.removeprefix(lead).strip() or REASONS.get(answer.reason or "", ""),
        perhaps=_perhaps(answer.perhaps) if answer.perhaps else None,
        nearest=[_passage(answer.question, hit) for hit in answer.hits[:NEAREST] if is_related],
        meta=_meta(answer),
    )


def _perhaps(possible: PossibleAnswer) -> _Perhaps:
    citation, span = possible.citation, possible.span
    text = citation.hit.chunk.document.text
    return _Perhaps(
        likelihood=f"{possible.probability:.0%}",
        before=text[citation.start : span.start],
        words=span.text,
        after=text[span.end : citation.end],
        name=_cited(citation),
        label=f"Perhaps: {span.text}. Open {place(citation.source, citation.place)}",
    )


def _passage(question: str, hit: Hit) -> _Passage:
    document = hit.chunk.document
    at = document.place_at(hit.start, hit.end)
    return _Passage(name(hit.source, document.title, at), snippet(question, hit))
