"""The page's parts that make question sets: review of drafts, and feedback on an answer.

Importing this module imports Gradio. Files are those of the index's folder only: whoever reaches
the page must not be able to name others.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag import render
from rag.errors import NotFoundError, RagError
from rag.questions import Evidence
from rag.questions.feedback import FILE, Feedback, save_feedback
from rag.questions.locate import Documents
from rag.questions.reviewing import Waiting, accept, drop, waiting
from rag.types import Answer

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase

logger = logging.getLogger(__name__)

UNSURE, NOT_STATED, ELSEWHERE = "unsure", "not stated", "elsewhere"
_OTHERWISE = [
    ("Elsewhere: I give its exact words below", ELSEWHERE),
    ("The documents do not say", NOT_STATED),
    ("I do not know", UNSURE),
]
_AROUND = 300
_SNIPPET = 160

Updates = dict[Any, Any]


class Curation:
    """Builds the parts and says what they do; what changes is in the session's state."""

    def __init__(self, kb: KnowledgeBase) -> None:
        self.kb = kb

    # Feedback

    def build_feedback(self) -> None:
        """The form that opens below the conversation."""
        self.about: gr.State = gr.State(None)
        with gr.Group(visible=False, elem_id="feedback") as self.form:
            self.asked = gr.Textbox(label="The question, so that it can be understood alone")
            self.right = gr.Radio([], label="Where is the right answer?")
            self.words = gr.Textbox(label="Its exact words there, if you like")
            with gr.Row():
                self.keep = gr.Button("Save as a test question", variant="primary", size="sm")
                self.cancel = gr.Button("Cancel", size="sm")
        self.thanks = gr.HTML("", elem_id="feedback-status")

    def open_form(self, turns: Sequence[render.Turn], event: gr.EventData) -> Updates:
        """Ask what would have been right about the answer whose button was pressed."""
        try:
            answer = turns[int(event._data["turn"])].answer
        except (LookupError, ValueError, TypeError):
            answer = None
        if answer is None:
            return {self.form: gr.update(visible=False)}
        choices = [(_snippet(i, answer), str(i)) for i in range(len(answer.hits))]
        choices += _OTHERWISE
        return {
            self.about: answer,
            self.form: gr.update(visible=True),
            self.asked: answer.question,
            self.right: gr.update(choices=choices, value=UNSURE),
            self.words: "",
            self.thanks: "",
        }

    def save(self, answer: Answer | None, asked: str, right: str | None, words: str) -> Updates:
        """Keep the feedback in the index's folder."""
        if answer is None:
            return {self.form: gr.update(visible=False)}
        passage = None
        if right == ELSEWHERE:
            found = Documents(self.kb.sources(), self._text_of)
            places = found.find_answer(words.strip(), asked, found.sources) if words.strip() else []
            if not places:
                told = "Give the exact words of the right answer as they stand in a document."
                return {self.thanks: render.alert(told)}
            passage = places[0]
        elif right not in (None, UNSURE, NOT_STATED):
            hit = answer.hits[int(right or 0)]
            passage = Evidence(hit.source, hit.start, hit.end)
        said = answer.to_dict()
        said = {name: said[name] for name in ("text", "short", "refused", "confidence", "answerer")}
        feedback = Feedback(asked, passage, words, right == NOT_STATED, said)
        try:
            line = feedback.line(self._text_of)
            save_feedback(self.kb.path, line)
        except RagError as error:
            return {self.thanks: render.alert(str(error))}
        kept = "Saved as a test question." if line["complete"] else "Saved; it is not complete yet."
        return {self.thanks: render.status([kept]), self.form: gr.update(visible=False)}

    # Review

    def build_review(self) -> None:
        """The drafts of a file, one after the other."""
        with gr.Accordion("Review drafted questions", open=False, elem_id="review") as self.review:
            self.file = gr.Dropdown([], label="File", elem_id="review-file")
            self.place = gr.State(0)
            self.draft: gr.State = gr.State(None)
            self.left = gr.HTML("")
            with gr.Group(visible=False) as self.card:
                self.wording = gr.Textbox(label="Question", elem_id="review-question")
                self.answers = gr.Textbox(
                    label="Answers, one a line; none: the documents do not say", lines=2
                )
                self.context = gr.HTML("")
                with gr.Row():
                    self.accept = gr.Button("Accept", variant="primary", size="sm", min_width=60)
                    self.drop = gr.Button("Drop", variant="stop", size="sm", min_width=60)
                    self.skip = gr.Button("Later", size="sm", min_width=60)
            self.verdict = gr.HTML("")

    def files(self) -> list[str]:
        """Names of the index's files that may hold drafts."""
        return sorted(p.name for p in self.kb.path.glob("*.jsonl") if p.name != FILE)

    def refresh(self) -> Updates:
        """List the files; the part shows itself only where there is one."""
        names = self.files()
        return {
            self.file: gr.update(choices=names, value=None),
            self.review: gr.update(visible=bool(names)),
            self.card: gr.update(visible=False),
            self.left: "",
        }

    def show(self, name: str | None, place: int) -> Updates:
        """The draft at ``place``, counted around."""
        hidden = {self.card: gr.update(visible=False), self.draft: None, self.left: ""}
        if not name:
            return hidden
        try:
            drafts = waiting(self._path(name))
            if not drafts:
                return {**hidden, self.verdict: render.status(["No drafts are left in this file."])}
            place %= len(drafts)
            draft = drafts[place]
            context = self._context(draft.near)
        except RagError as error:
            return {**hidden, self.verdict: render.alert(str(error))}
        facts = f"{place + 1} of {len(drafts)} · {draft.kind} · {draft.near.source}"
        return {
            self.card: gr.update(visible=True),
            self.place: place,
            self.draft: draft,
            self.left: f"<p>{render.escape(facts)}</p>",
            self.wording: draft.question.question,
            self.answers: "\n".join(draft.question.answers),
            self.context: context,
        }

    def choose(self, name: str | None) -> Updates:
        """Begin with a file's first draft."""
        return {self.verdict: "", **self.show(name, 0)}

    def later(self, name: str | None, place: int) -> Updates:
        """Go on to the next draft."""
        return {self.verdict: "", **self.show(name, place + 1)}

    def accepted(
        self, name: str | None, place: int, draft: Waiting | None, wording: str, answers: str
    ) -> Updates:
        """Save a draft as it now reads."""
        if not name or draft is None:
            return {}
        try:
            accept(self._path(name), draft, wording, answers.splitlines(), self._text_of)
        except RagError as error:
            return {self.verdict: render.alert(str(error))}
        return {self.verdict: render.status(["Accepted."]), **self.show(name, place)}

    def dropped(self, name: str | None, place: int, draft: Waiting | None) -> Updates:
        """Take a draft out of its file."""
        if not name or draft is None:
            return {}
        try:
            drop(self._path(name), draft)
        except RagError as error:
            return {self.verdict: render.alert(str(error)), **self.show(name, place)}
        return {self.verdict: render.status(["Dropped."]), **self.show(name, place)}

    def _path(self, name: str) -> Path:
        if name not in self.files():
            raise NotFoundError(f"no file {name!r} in the folder of the index: load the page again")
        return self.kb.path / name

    def _text_of(self, source: str) -> str:
        return self.kb.document(source).text

    def _context(self, near: Evidence) -> str:
        text = self._text_of(near.source)
        first, last = render.excerpt(text, near.start, near.end, _AROUND)
        parts = text[first : near.start], text[near.start : near.end], text[near.end : last]
        before, marked, after = map(render.escape, parts)
        return f'<p class="review-context" dir="auto">{before}<mark>{marked}</mark>{after}</p>'

    def wire(self, page: gr.Blocks, log: Any, turns: gr.State) -> None:
        """Connect the parts, and the button below each answer of ``log``."""
        quiet: dict[str, Any] = {
            "show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None
        }  # fmt: skip
        form = [self.about, self.form, self.asked, self.right, self.words, self.thanks]
        log.wrong(self.open_form, turns, form, **quiet)
        given = [self.about, self.asked, self.right, self.words]
        self.keep.click(self.save, given, form, **quiet)
        self.cancel.click(lambda: {self.form: gr.update(visible=False)}, None, form, **quiet)
        card = [
            self.card, self.place, self.draft, self.left, self.wording, self.answers, self.context,
            self.verdict,
        ]  # fmt: skip
        at = [self.file, self.place]
        self.file.input(self.choose, self.file, card, **quiet)
        self.skip.click(self.later, at, card, **quiet)
        self.accept.click(
            self.accepted, [*at, self.draft, self.wording, self.answers], card, **quiet
        )
        self.drop.click(self.dropped, [*at, self.draft], card, **quiet)
        page.load(self.refresh, None, [self.file, self.review, self.card, self.left], **quiet)


def _snippet(index: int, answer: Answer) -> str:
    hit = answer.hits[index]
    words = " ".join(hit.text.split())
    shown = words if len(words) <= _SNIPPET else words[:_SNIPPET].rsplit(" ", 1)[0] + " …"
    return f"{hit.source}: {shown}"
