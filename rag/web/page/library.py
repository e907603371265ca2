"""The documents: listed, added, removed, synced with their folders."""

from __future__ import annotations

import itertools
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from markupsafe import Markup

from rag.indexing.watch import Watcher
from rag.web import render
from rag.web import server as web_server
from rag.web.page.components import LIGHT, Updates, html
from rag.web.page.conversation import Conversation, Turns
from rag.web.page.jobs import Jobs, Work

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase

SECONDS_TO_END = 2.0
"""How long the end of the program waits for work to end that was cancelled."""

MANY = 8
"""Documents beyond which the list can be filtered."""

_NO_FOLDER = "No folder has been indexed yet."


class Library:
    """The list of documents and what changes it; the conversation's welcome follows.

    What changes documents is done by ``jobs``, for all who have the page open. The page looks how
    far it is while there is something to see: ``rag/web/static/page.js`` asks.
    """

    def __init__(self, kb: KnowledgeBase, conversation: Conversation) -> None:
        self.kb = kb
        self.conversation = conversation
        self.watcher = Watcher(kb)
        numbers = itertools.count(1)
        self.looks, self.jobs = Jobs(numbers), Jobs(numbers)
        """Looks for changes, which may take long, and what users add and remove meanwhile."""

    def close(self) -> None:
        """Cancel what changes documents, and wait :data:`SECONDS_TO_END` for its end."""
        for jobs in self._all_jobs:
            jobs.stop()
        self.watcher.stop(SECONDS_TO_END)
        end = time.monotonic() + SECONDS_TO_END
        for jobs in self._all_jobs:
            jobs.close(max(0.0, end - time.monotonic()))

    # What the page shows

    def refresh(self, turns: Turns, query: str) -> Updates:
        """Return everything as it is now."""
        return {
            self.seen: self._changes,
            self.step: self.watcher.running,
            self.status: self._status(),
            self.conversation.log: self.conversation.transcript(turns),
            **self._listed(query),
        }

    def look(self, turns: Turns, query: str, seen: int) -> Updates:
        """Tell how far the work is; and all that has changed since this page looked last."""
        if self._changes != seen:
            return self.refresh(turns, query)
        return {self.status: self._status(), self.step: self.watcher.running}

    def filter(self, query: str) -> Markup:
        """Return the documents whose titles or names contain ``query``."""
        return render.documents(self.kb.titles(), query)

    def ask_remove(self, query: str, event: gr.EventData) -> Markup:
        """Ask whether the document whose button was pressed is to go."""
        return render.documents(self.kb.titles(), query, event._data.get("source"))

    # What users do

    def remove(self, query: str, event: gr.EventData) -> Updates:
        """Remove the document that was asked about."""
        source = str(event._data.get("source"))
        status = self._do(f"Removing {source}", lambda progress: self.kb.remove(source, progress))
        return {**status, self.documents: render.documents(self.kb.titles(), query)}

    def add(self, paths: list[str] | None) -> Updates:
        """Put uploaded files into the folder."""
        if not paths:
            return {}
        folder, files = web_server.take_uploads([Path(path) for path in paths])

        def work(progress: Any) -> Any:
            try:
                return self.kb.add(files, progress)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        title = f"Adding {files[0].name}" if len(files) == 1 else f"Adding {len(files):,} files"
        return {**self._do(title, work), self.upload: None}

    def rescan(self) -> Updates:
        """Look for changes in the folders."""
        if self.kb.folder is None:
            return {self.status: render.alert(_NO_FOLDER)}
        self.looks.submit("Looking for changes", lambda progress: self.kb.sync(None, progress))
        return {self.status: self._status()}

    def cancel(self, event: gr.EventData) -> Markup:
        """Cancel the work whose button was pressed."""
        for jobs in self._all_jobs:
            jobs.cancel(int(event._data["number"]))
        return self._status()

    def dismiss(self, event: gr.EventData) -> Markup:
        """Show a report no longer."""
        for jobs in self._all_jobs:
            jobs.dismiss(int(event._data["number"]))
        return self._status()

    def watch(self, on: bool) -> Updates:
        """Follow the folders from now on, for all who have the page open, or no longer."""
        if on and self.kb.folder is None:
            return {self.status: render.alert(_NO_FOLDER), self.step: False}
        if on:
            self.watcher.start()
        else:
            self.watcher.stop(0)
        return {self.status: self._status(), self.step: self.watcher.running}

    def _do(self, title: str, work: Work) -> Updates:
        self.jobs.submit(title, work)
        return {self.status: self._status()}

    @property
    def _changes(self) -> int:
        return sum(jobs.state.changes for jobs in self._all_jobs) + self.watcher.changes

    @property
    def _all_jobs(self) -> tuple[Jobs, Jobs]:
        return self.looks, self.jobs

    def _status(self) -> Markup:
        """All that is done and was done, and whether the page is to look again."""
        states, told = [jobs.state for jobs in self._all_jobs], self.watcher.progress
        outcomes = [outcome for state in states for outcome in state.outcomes]
        parts = [render.outcome(o) for o in sorted(outcomes, key=lambda o: o.number)]
        parts += [render.running(s.running, s.waiting) for s in states if s.running]
        is_working = any(state.running or state.waiting for state in states)
        if self.watcher.running:
            if told:
                followed = render.Running("Taking up changes of the folder", None, *told)
                parts.append(render.running(followed))
            elif not self.watcher.error:
                parts.append(
                    render.status(["The folder is followed: changes are taken up by themselves."])
                )
            parts.append(render.alert(self.watcher.error))
        return render.work_status(parts, is_busy=bool(is_working or told),
                                  is_following=self.watcher.running)  # fmt: skip

    def _listed(self, query: str) -> Updates:
        titles = self.kb.titles()
        return {
            self.documents: render.documents(titles, query),
            self.query: gr.update(visible=len(titles) > MANY),
            self.accordion: gr.update(label=f"Documents ({len(titles):,})"),
        }

    # Layout

    def build(self) -> None:
        """Build the list, and the controls that change it."""
        self.status = html(Markup(), "status")
        with gr.Accordion("Documents", elem_id="library") as self.accordion:
            self.query = gr.Textbox(
                value="",
                label="Filter",
                show_label=False,
                placeholder="Filter by title or name",
                visible=False,
                container=False,
                elem_id="filter",
            )
            self.documents = html(render.documents(self.kb.titles()), "documents")
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

    def wire(self, page: gr.Blocks) -> None:
        """Connect the controls, and the list to what else changes the documents."""
        talk = self.conversation
        known = [talk.turns, self.query]
        shown = [
            self.documents, self.query, self.accordion, talk.log, self.status, self.step, self.seen
        ]  # fmt: skip
        self.query.change(self.filter, self.query, self.documents, **LIGHT)
        self.documents.ask_remove(self.ask_remove, self.query, self.documents, **LIGHT)
        self.documents.keep(self.filter, self.query, self.documents, **LIGHT)
        self.documents.remove(self.remove, self.query, [self.documents, self.status], **LIGHT)
        self.upload.upload(self.add, self.upload, [self.status, self.upload], **LIGHT)
        self.sync.click(self.rescan, None, self.status, **LIGHT)
        self.status.cancel_work(self.cancel, None, self.status, **LIGHT)
        self.status.dismiss(self.dismiss, None, self.status, **LIGHT)
        self.status.look(self.look, [*known, self.seen], shown, **LIGHT)
        self.step.input(self.watch, self.step, [self.status, self.step], **LIGHT)
        page.load(self.refresh, known, shown, **LIGHT)
