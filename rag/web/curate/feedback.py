"""The form below the conversation: what would have been right about an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.errors import QuestionSetError, RagError
from rag.question_sets import Evidence
from rag.question_sets.feedback import Feedback, save_feedback
from rag.question_sets.locate import Documents
from rag.types import Answer, Hit
from rag.web import render

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase

UNSURE, NOT_STATED, ELSEWHERE = "unsure", "not stated", "elsewhere"
_OTHERWISE = [
    ("Elsewhere: I give its exact words below", ELSEWHERE),
    ("The documents do not say", NOT_STATED),
    ("I do not know", UNSURE),
]
_SNIPPET = 160

Updates = dict[Any, Any]


class FeedbackForm:
    """Builds the form and says what it does; what changes is in the session's state."""

    def __init__(self, kb: KnowledgeBase) -> None:
        self.kb = kb

    def build(self) -> None:
        """Build the form that opens below the conversation."""
        self.about: gr.State = gr.State(None)
        with gr.Column(visible=False, elem_id="feedback") as self.form:
            self.asked = gr.Textbox(label="The question, so that it can be understood alone")
            self.right = gr.Radio([], label="Where is the right answer?")
            self.words = gr.Textbox(label="Its exact words there, if you like")
            with gr.Row(elem_id="feedback-buttons"):
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
        choices = [(_snippet(hit), str(i)) for i, hit in enumerate(answer.hits)]
        return {
            self.about: answer,
            self.form: gr.update(visible=True),
            self.asked: answer.question,
            self.right: gr.update(choices=[*choices, *_OTHERWISE], value=UNSURE),
            self.words: "",
            self.thanks: "",
        }

    def save(self, answer: Answer | None, asked: str, right: str | None, words: str) -> Updates:
        """Keep the feedback in the index's folder."""
        if answer is None:
            return {self.form: gr.update(visible=False)}
        said = {name: answer.to_dict()[name] for name in ("refused", "confidence", "answerer")}
        try:
            passage = self._passage(answer, asked, right or UNSURE, words.strip())
            feedback = Feedback(asked, passage, words, right == NOT_STATED, said)
            line = feedback.line(self._text_of)
            save_feedback(self.kb.path, line)
        except RagError as error:
            return {self.thanks: render.alert(str(error))}
        kept = "Saved as a test question." if line["complete"] else "Saved; it is not complete yet."
        return {self.thanks: render.status([kept]), self.form: gr.update(visible=False)}

    def _passage(self, answer: Answer, asked: str, right: str, words: str) -> Evidence | None:
        """The passage marked as the right one, or the place of the words given."""
        if right in (UNSURE, NOT_STATED):
            return None
        if right == ELSEWHERE:
            found = Documents(self.kb.sources(), self._text_of)
            places = found.find_answer(words, asked, found.sources) if words else []
            if not places:
                raise QuestionSetError(
                    "Give the exact words of the right answer as they stand in a document."
                )
            return places[0]
        hit = answer.hits[int(right)]
        if self._text_of(hit.source)[hit.start : hit.end] != hit.text:
            raise QuestionSetError(f"{hit.source} has changed since: ask the question again")
        return Evidence(hit.source, hit.start, hit.end)

    def _text_of(self, source: str) -> str:
        return self.kb.document(source).text

    def wire(self, log: Any, turns: gr.State) -> None:
        """Connect the form, and the button below each answer of ``log``."""
        quiet: dict[str, Any] = {
            "show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None
        }  # fmt: skip
        parts = [self.about, self.form, self.asked, self.right, self.words, self.thanks]
        log.wrong(self.open_form, turns, parts, **quiet)
        given = [self.about, self.asked, self.right, self.words]
        self.keep.click(self.save, given, parts, **quiet)
        self.cancel.click(lambda: {self.form: gr.update(visible=False)}, None, parts, **quiet)


def _snippet(hit: Hit) -> str:
    words = " ".join(hit.text.split())
    shown = words if len(words) <= _SNIPPET else words[:_SNIPPET].rsplit(" ", 1)[0] + " …"
    return f"{render.shown_title(hit.chunk.document.title) or hit.source}: {shown}"
