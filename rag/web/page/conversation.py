"""The conversation and the box to ask in."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr
from markupsafe import Markup

from rag.errors import GeneratorError, RagError
from rag.web import render
from rag.web.page.components import LIGHT, QUIET, SECONDS_BETWEEN_UPDATES, UNEXPECTED, Updates, html
from rag.web.render import Turn

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase

logger = logging.getLogger(__name__)

MAX_QUESTION_CHARS = 1000

Turns = tuple[Turn, ...]


def grow(
    kb: KnowledgeBase, question: str, turns: Sequence[Turn], answerer: str | None
) -> Iterator[Turn]:
    """Yield the turn for ``question`` as it grows; the last one is done.

    When the language model's endpoint fails, the turn says so and the documents answer instead.
    """
    history = [(turn.question, turn.answer.text) for turn in turns if turn.answer]
    turn = Turn(question, answerer=answerer or kb.settings.answerer)
    try:
        try:
            for answer in kb.stream(question, history, turn.answerer):
                turn = replace(turn, answer=answer)
                yield turn
        except GeneratorError as error:
            logger.warning("%s", error)
            for answer in kb.stream(question, history, "extractive"):
                turn = Turn(question, answer, error=str(error))
                yield turn
        yield replace(turn, done=True)
    except RagError as error:
        yield Turn(question, error=str(error), done=True)
    except Exception:
        logger.exception("Answering a question failed")
        yield Turn(question, error=UNEXPECTED, done=True)


class Conversation:
    """Takes questions and shows the answers as they grow."""

    def __init__(self, kb: KnowledgeBase, examples: Mapping[str, Sequence[str]]) -> None:
        self.kb = kb
        self.examples = examples

    def ask(self, question: str, turns: Turns, answerer: str | None) -> Iterator[Updates]:
        """Answer a question; the conversation grows as the answer does."""
        question = question.strip()
        if not question:
            return
        if len(question) > MAX_QUESTION_CHARS:
            over = (
                f"The question has {len(question):,} characters; "
                f"at most {MAX_QUESTION_CHARS:,} can be answered. Please shorten it."
            )
            yield {self.notice: render.alert(over)}
            return
        yield {
            self.notice: "",
            self.question: "",
            self.send: gr.update(visible=False),
            self.halt: gr.update(visible=True),
            **self._shown((*turns, Turn(question))),
        }
        shown = time.monotonic()
        for turn in grow(self.kb, question, turns, answerer):
            if turn.done or time.monotonic() - shown > SECONDS_BETWEEN_UPDATES:
                shown = time.monotonic()
                shown_so_far = (*turns, replace(turn, done=False))
                yield {**self._shown(shown_so_far), self.turns: (*turns, turn)}

    def settle(self, turns: Turns) -> Updates:
        """Show the answer as done or stopped, and take questions again.

        Runs after :meth:`ask` has ended or been cancelled: a question sent before would be lost.
        """
        if turns and not turns[-1].done:
            turns = (*turns[:-1], replace(turns[-1], stopped=True))
        return {**self._shown(turns), **self._idle()}

    def ask_example(
        self, turns: Turns, answerer: str | None, event: gr.EventData
    ) -> Iterator[Updates]:
        """Answer the example whose button was pressed."""
        yield from self.ask(str(event._data.get("question", "")), turns, answerer)

    def clear(self) -> Updates:
        """Begin anew."""
        return {**self._shown(()), **self._idle()}

    def _idle(self) -> Updates:
        return {self.send: gr.update(visible=True), self.halt: gr.update(visible=False)}

    def _shown(self, turns: Turns) -> Updates:
        return {self.turns: turns, self.log: self.transcript(turns)}

    def transcript(self, turns: Turns) -> Markup:
        """Return the conversation as HTML, or the welcome before the first question."""
        return render.transcript(turns, None if turns else self._welcome())

    def _welcome(self) -> Markup:
        sources = self.kb.sources()
        offered = [q for s, questions in self.examples.items() if s in sources for q in questions]
        return render.welcome(len(sources), offered, str(self.kb.folder or ""))

    # Layout

    def build(self) -> None:
        """Build the conversation so far; call :meth:`build_composer` for the box below it."""
        self.turns = gr.State(())
        self.log = html(self.transcript(()), "log")

    def build_composer(self) -> None:
        """Build the box to ask in, and the choice of an answerer."""
        self.notice = gr.HTML("", elem_id="notice")
        with gr.Row(elem_id="composer"):
            self.question = gr.Textbox(
                value="",
                label="Your question",
                show_label=False,
                placeholder="Ask about the documents",
                lines=1,
                max_lines=6,
                scale=1,
                min_width=120,
                container=False,
                autofocus=True,
            )
            self.send = gr.Button("Ask", variant="primary", scale=0, min_width=76)
            self.halt = gr.Button("Stop", variant="stop", scale=0, min_width=76, visible=False)
        with gr.Row(elem_id="options"):
            self.answerer = gr.Radio(
                [(render.ANSWERERS.get(name, name), name) for name in self.kb.answerers],
                value=self.kb.settings.answerer,
                label="Answers are",
                visible=len(self.kb.answerers) > 1,
                container=False,
                elem_id="answerer",
            )
            self.wipe = gr.Button("Clear conversation", size="sm", scale=0, min_width=150)

    def wire(self, source: Any) -> None:
        """Connect the parts; clearing the conversation empties the panel ``source`` too."""
        asking: dict[str, Any] = {**QUIET, "concurrency_limit": 8, "concurrency_id": "ask"}
        chat = [self.turns, self.log, self.question, self.send, self.halt, self.notice]
        asked = [self.question, self.turns, self.answerer]
        running = [
            self.question.submit(self.ask, asked, chat, **asking),
            self.send.click(self.ask, asked, chat, **asking),
            self.log.example(self.ask_example, [self.turns, self.answerer], chat, **asking),
        ]
        for run in running:
            run.then(self.settle, self.turns, chat, **LIGHT)
        self.halt.click(self.settle, self.turns, chat, cancels=running, **LIGHT)
        cleared = self.wipe.click(self.clear, None, chat, cancels=running, **LIGHT)
        cleared.then(render.empty_panel, None, source, **LIGHT)
