"""The page as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import gradio as gr

from rag.web import render
from rag.web.curate import DraftReview, FeedbackForm
from rag.web.page.conversation import Conversation
from rag.web.page.library import Library
from rag.web.page.sources import SourcePanel

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase

EXAMPLES: Mapping[str, Sequence[str]] = {
    "000_4d99796a1b9c3cb8.txt": (
        "How many vehicles did Lexus sell worldwide in 2024?",
        "When will production in Shanghai begin?",
        "What range do the solid-state batteries enable?",
        "How many cars did BMW sell in China in 2024?",
    )
}
"""Questions to offer while the knowledge base holds the document they are about."""


class Page:
    """Lays the parts out and connects them."""

    def __init__(self, kb: KnowledgeBase, examples: Mapping[str, Sequence[str]] = EXAMPLES) -> None:
        self.kb = kb
        self.conversation = Conversation(kb, examples)
        self.sources = SourcePanel(kb)
        self.library = Library(kb, self.conversation)
        self.feedback, self.review = FeedbackForm(kb), DraftReview(kb)

    def build(self) -> gr.Blocks:
        """Build the page; ``rag.web.server`` serves it with its looks and guards."""
        page: gr.Blocks
        forgotten = (600, 3600)  # seconds: how often, and from which age, uploads are removed
        with gr.Blocks(
            title="Ask your documents", analytics_enabled=False, delete_cache=forgotten
        ) as page:
            can_log_out = bool(self.kb.settings.password or self.kb.settings.token)
            gr.HTML(render.heading(can_log_out), elem_id="brand")
            with gr.Row(elem_id="shell"):
                with gr.Column(elem_id="chat", scale=3, min_width=300):
                    self.conversation.build()
                    self.feedback.build()
                    self.conversation.build_composer()
                with gr.Column(elem_id="side", scale=2, min_width=300):
                    self.sources.build()
                    self.library.build()
                    self.review.build()
            self._wire(page)
        return page

    def _wire(self, page: gr.Blocks) -> None:
        talk, library = self.conversation, self.library
        talk.wire(self.sources.panel)
        self.sources.wire([talk.log, library.documents], talk.turns)
        library.wire(page)
        self.feedback.wire(talk.log, talk.turns)
        self.review.wire(page)
