"""The review of drafted questions: one after the other, each with the place it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from markupsafe import Markup

from rag.errors import NotFoundError, RagError
from rag.question_sets import Evidence
from rag.question_sets.feedback import FILE
from rag.question_sets.reviewing import Waiting, accept, drop, waiting
from rag.web import render

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase

Updates = dict[Any, Any]


class DraftReview:
    """Builds the part and says what it does; what changes is in the session's state."""

    def __init__(self, kb: KnowledgeBase) -> None:
        self.kb = kb

    def build(self) -> None:
        """Build the drafts of a file, one after the other."""
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
        """Return the names of the index's files that may hold drafts."""
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
        """Return the draft at ``place``, counted around."""
        hidden = {self.card: gr.update(visible=False), self.draft: None, self.left: ""}
        if not name:
            return hidden
        try:
            drafts = waiting(self._path(name))
        except RagError as error:
            return {**hidden, self.verdict: render.alert(str(error))}
        if not drafts:
            return {**hidden, self.verdict: render.status(["No drafts are left in this file."])}
        place %= len(drafts)
        draft = drafts[place]
        facts = f"{place + 1} of {len(drafts)} · {draft.kind} · {draft.near.source}"
        return {
            self.card: gr.update(visible=True),
            self.place: place,
            self.draft: draft,
            self.left: render.draft_facts(facts),
            self.wording: draft.question.question,
            self.answers: "\n".join(draft.question.answers),
            self.context: self._context(draft.near),
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

    def _context(self, near: Evidence) -> Markup:
        """The place marked in its text, or why there is none: the draft can still be dropped."""
        try:
            text = self._text_of(near.source)
        except RagError as error:
            return render.alert(str(error))
        return render.draft_place(text, near.start, near.end)

    def wire(self, page: gr.Blocks) -> None:
        """Connect the parts."""
        quiet: dict[str, Any] = {
            "show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None
        }  # fmt: skip
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
