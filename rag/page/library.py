"""The documents: listed, added, removed, kept in step with their folders."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag import render, web
from rag.errors import RagError
from rag.page.components import LIGHT, QUIET, SECONDS_BETWEEN_UPDATES, UNEXPECTED, Updates, html
from rag.page.conversation import Conversation, Turns
from rag.types import Progress
from rag.watch import Watcher

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase
    from rag.sync import SyncReport

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 3.0
"""How often an open page looks whether the documents were changed by being kept in step."""

MANY = 8
"""Documents beyond which the list can be filtered."""


def watch(work: Callable[[Progress], SyncReport]) -> Generator[str, None, SyncReport]:
    """Run ``work`` in a thread; yields its progress as HTML and returns its report."""
    steps: queue.SimpleQueue[tuple[str, int, int] | None] = queue.SimpleQueue()
    shown = 0.0
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(work, lambda stage, done, total: steps.put((stage, done, total)))
        future.add_done_callback(lambda _: steps.put(None))
        while (step := steps.get()) is not None:
            if time.monotonic() - shown > SECONDS_BETWEEN_UPDATES:
                shown = time.monotonic()
                yield render.progress(*step)
    return future.result()


def said(report: SyncReport) -> str:
    """A sync report as HTML."""
    named = (("Added", report.added), ("Updated", report.updated), ("Removed", report.deleted))
    lines = [f"{word} {_names(sources)}." for word, sources in named if sources]
    failed = [(failure.source, failure.reason) for failure in report.failed]
    return render.status(lines or [] if failed else lines or ["Nothing has changed."], failed)


def _names(sources: Sequence[str]) -> str:
    if len(sources) <= 3:
        return ", ".join(sources)
    return f"{', '.join(sources[:2])} and {len(sources) - 2:,} more"


class Library:
    """The list of documents and what changes it; the conversation's welcome follows."""

    def __init__(self, kb: KnowledgeBase, conversation: Conversation) -> None:
        self.kb = kb
        self.conversation = conversation
        self.watcher = Watcher(kb)

    def refresh(self, turns: Turns, query: str) -> Updates:
        """The list as it is now, and with it the welcome."""
        return {**self._listed(query), self.conversation.log: self.conversation.transcript(turns)}

    def filter(self, query: str) -> str:
        """The documents whose names contain ``query``."""
        return render.documents(self.kb.sources(), query)

    def ask_remove(self, query: str, event: gr.EventData) -> str:
        """Ask whether the document whose button was pressed is to go."""
        return render.documents(self.kb.sources(), query, event._data.get("source"))

    def remove(self, turns: Turns, query: str, event: gr.EventData) -> Iterator[Updates]:
        """Remove the document that was asked about."""
        source = event._data.get("source")
        yield from self._change(lambda progress: self.kb.remove(source, progress), turns, query)

    def add(self, paths: list[str] | None, turns: Turns, query: str) -> Iterator[Updates]:
        """Put uploaded files into the folder."""
        files = [Path(path) for path in paths or ()]
        try:
            if files:
                yield from self._change(lambda progress: self.kb.add(files, progress), turns, query)
        finally:
            for file in files:
                web.remove_upload(file)
        yield {self.upload: None}

    def rescan(self, turns: Turns, query: str) -> Iterator[Updates]:
        """Look for changes in the folders."""
        if self.kb.folder is None:
            yield {self.status: render.alert("No folder has been indexed yet.")}
            return
        yield from self._change(lambda progress: self.kb.sync(None, progress), turns, query)

    def keep_in_step(self, on: bool) -> Updates:
        """Follow the folders from now on, for all who have the page open, or no longer."""
        if on and self.kb.folder is None:
            alert = render.alert("No folder has been indexed yet.")
            return {self.status: alert, self.step: False}
        (self.watcher.start if on else self.watcher.stop)()
        said = "The folder is followed: changes are taken up by themselves." if on else ""
        return {self.status: render.status([said]) if said else ""}

    def look(self, turns: Turns, query: str, seen: int, on: bool) -> Updates:
        """What being kept in step has changed since this page looked last."""
        changes, running = self.watcher.changes, self.watcher.running
        if (changes, running) == (seen, on):
            return {self.seen: seen}
        error = self.watcher.error if running else ""
        return {
            self.seen: changes,
            self.step: running,
            self.status: render.alert(error) if error else "",
            **self.refresh(turns, query),
        }

    def _change(
        self, work: Callable[[Progress], SyncReport], turns: Turns, query: str
    ) -> Iterator[Updates]:
        yield {self.status: render.progress("Starting", 0, 0)}
        steps = watch(work)
        try:
            while True:
                try:
                    yield {self.status: next(steps)}
                except StopIteration as finished:
                    outcome = said(finished.value)
                    break
        except RagError as error:
            outcome = render.alert(str(error))
        except Exception:
            logger.exception("Changing the documents failed")
            outcome = render.alert(UNEXPECTED)
        yield {self.status: outcome, **self.refresh(turns, query)}

    def _listed(self, query: str) -> Updates:
        sources = self.kb.sources()
        return {
            self.documents: render.documents(sources, query),
            self.query: gr.update(visible=len(sources) > MANY),
            self.accordion: gr.update(label=f"Documents ({len(sources):,})"),
        }

    # Layout

    def build(self) -> None:
        """The list, and the controls that change it."""
        with gr.Accordion("Documents", elem_id="library") as self.accordion:
            self.query = gr.Textbox(
                value="",
                label="Filter",
                show_label=False,
                placeholder="Filter by name",
                visible=False,
            )
            self.documents = html(render.documents(self.kb.sources()), "documents")
            self.status = gr.HTML("", elem_id="status")
            self.upload = gr.File(
                label="Add documents", file_count="multiple", height=120, elem_id="upload"
            )
            self.sync = gr.Button("Look for changes in the folder", size="sm")
            self.step = gr.Checkbox(
                label="Keep in step with the folder",
                value=lambda: self.watcher.running,
                container=False,
                elem_id="step",
            )
            self.seen = gr.State(0)
            self.timer = gr.Timer(SECONDS_BETWEEN_LOOKS)

    def wire(self, page: gr.Blocks) -> None:
        """Connect the controls, and the list to what else changes the documents."""
        talk = self.conversation
        listed = [self.documents, self.query, self.accordion, talk.log]
        changed = [*listed, self.status]
        change: dict[str, Any] = {**QUIET, "concurrency_limit": 1, "concurrency_id": "change"}
        known = [talk.turns, self.query]
        self.query.input(self.filter, self.query, self.documents, **LIGHT)
        self.documents.ask_remove(self.ask_remove, self.query, self.documents, **LIGHT)
        self.documents.keep(self.filter, self.query, self.documents, **LIGHT)
        self.documents.remove(self.remove, known, changed, **change)
        self.upload.upload(self.add, [self.upload, *known], [*changed, self.upload], **change)
        self.sync.click(self.rescan, known, changed, **change)
        self.step.input(self.keep_in_step, self.step, [self.status, self.step], **LIGHT)
        looked = [*changed, self.step, self.seen]
        self.timer.tick(self.look, [*known, self.seen, self.step], looked, **LIGHT)
        page.load(self.refresh, known, listed, **LIGHT)
