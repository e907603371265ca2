"""The panel that shows a citation where it stands in its source."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr
from markupsafe import Markup

from rag.errors import NotFoundError, RagError
from rag.types import Location
from rag.web import render
from rag.web.page.components import LIGHT, html
from rag.web.page.conversation import Turns
from rag.web.render import View

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase

logger = logging.getLogger(__name__)


class SourcePanel:
    """Opens what a button of the page stands for."""

    def __init__(self, kb: KnowledgeBase) -> None:
        self.kb = kb

    def build(self) -> None:
        """Build the panel before anything is opened."""
        self.panel = html(render.empty_panel(), "source-panel")

    def wire(self, parts: Sequence[Any], turns: gr.State) -> None:
        """Open what the buttons of ``parts`` stand for."""
        for part in (*parts, self.panel):
            part.show(self.show, turns, self.panel, trigger_mode="multiple", **LIGHT)
        self.panel.close_source(render.empty_panel, None, self.panel, **LIGHT)

    def show(self, turns: Turns, event: gr.EventData) -> Markup:
        """Open what a citation, a passage or a document's name stands for."""
        data = event._data or {}
        nonce = time.time_ns()
        try:
            view = self._view(turns, data)
        except NotFoundError:
            return render.missing_panel(str(data["source"]), nonce)
        except (LookupError, ValueError, TypeError):
            logger.warning("A button sent %r, which is not in this conversation", data)
            return render.empty_panel()
        try:
            now = self.kb.document(view.document.source)
        except NotFoundError:
            return render.missing_panel(view.document.source, nonce)
        if now.sha256 != view.document.sha256:
            changed = "The document has changed since; this is the text that was answered from."
            view = replace(view, notice=changed)
        else:
            view = replace(view, pages=self._pages(view))
        return render.source_panel(view, nonce)

    def _pages(self, view: View) -> Sequence[Location]:
        """The pages to show; none where they cannot be shown, for the text is there."""
        try:
            located = self.kb.locate(view.document.source, view.start, view.end)
            return [at for at in located if at.marks is not None]
        except RagError as error:
            logger.warning("%s: no page is shown: %s", view.document.source, error)
            return ()

    def _view(self, turns: Turns, data: Mapping[str, Any]) -> View:
        """Raises LookupError, ValueError or TypeError for what no button of the page sends."""
        radius = int(data.get("radius", render.EXCERPT_CHARS))
        if "source" in data:
            document = self.kb.document(data["source"])
            return View(document, 0, 0, {"source": document.source}, radius=max(radius, 4000))
        turn = int(data["turn"])
        answer = turns[turn].answer
        if answer is None:
            raise LookupError(turn)
        if "number" in data:
            number = int(data["number"])
            cited = {citation.number: citation for citation in answer.citations}[number]
            sent, kicker = {"turn": turn, "number": number}, f"Citation {number}"
            return View(cited.hit.chunk.document, cited.start, cited.end, sent, kicker, "", radius)
        if "perhaps" in data:
            if answer.perhaps is None:
                raise LookupError("perhaps")
            cited, sent = answer.perhaps.citation, {"turn": turn, "perhaps": 1}
            document = cited.hit.chunk.document
            return View(document, cited.start, cited.end, sent, "Perhaps", "", radius)
        index = int(data["index"])
        hit = answer.hits[index]
        sent, kicker = {"turn": turn, "index": index}, f"Passage {index + 1}"
        return View(hit.chunk.document, hit.start, hit.end, sent, kicker, "", radius)
