"""The chat page: ``python ui.py [--index DIR] [--host ADDRESS] [--port N]``.

Holds no retrieval logic: it asks :class:`rag.KnowledgeBase` and shows what comes, through
``rag.render``. Importing this module imports Gradio, which is slow; do it only to serve the page.
"""

from __future__ import annotations

import argparse
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from starlette.routing import BaseRoute

from rag import render, web
from rag.curate import DraftReview, FeedbackForm
from rag.errors import GeneratorError, NotFoundError, RagError
from rag.page_route import page_route
from rag.render import Turn, View
from rag.types import Location, Progress
from rag.watch import Watcher

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase
    from rag.sync import SyncReport

logger = logging.getLogger(__name__)

MAX_QUESTION_CHARS = 1000
SECONDS_BETWEEN_UPDATES = 0.08
SECONDS_BETWEEN_LOOKS = 3.0
"""How often an open page looks whether the documents were changed by being kept in step."""
UNEXPECTED = "Something went wrong. The server's log has the details; you can try again."

EXAMPLES: Mapping[str, Sequence[str]] = {
    "000_4d99796a1b9c3cb8.txt": (
        "How many vehicles did Lexus sell worldwide in 2024?",
        "When will production in Shanghai begin?",
        "What range do the solid-state batteries enable?",
        "How many cars did BMW sell in China in 2024?",
    )
}
"""Questions to offer while the knowledge base holds the document they are about."""

Turns = tuple[Turn, ...]
Updates = dict[Any, Any]
"""New values by component."""


def grow(
    kb: KnowledgeBase, question: str, turns: Sequence[Turn], answerer: str | None
) -> Iterator[Turn]:
    """The turn for ``question`` as it grows; the last one is done.

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


class _Page:
    """The page's parts and what they do; all that changes is in the session's state."""

    def __init__(self, kb: KnowledgeBase, examples: Mapping[str, Sequence[str]]) -> None:
        self.kb = kb
        self.examples = examples
        self.feedback, self.review = FeedbackForm(kb), DraftReview(kb)
        self.watcher = Watcher(kb)

    # Asking

    def ask(self, question: str, turns: Turns, answerer: str | None) -> Iterator[Updates]:
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
            **self._conversation((*turns, Turn(question))),
        }
        shown = time.monotonic()
        for turn in grow(self.kb, question, turns, answerer):
            if turn.done or time.monotonic() - shown > SECONDS_BETWEEN_UPDATES:
                shown = time.monotonic()
                shown_so_far = (*turns, replace(turn, done=False))
                yield {**self._conversation(shown_so_far), self.turns: (*turns, turn)}

    def settle(self, turns: Turns) -> Updates:
        """Show the answer as done or stopped, and take questions again.

        Runs after :meth:`ask` has ended or been cancelled: a question sent before would be lost.
        """
        if turns and not turns[-1].done:
            turns = (*turns[:-1], replace(turns[-1], stopped=True))
        return {**self._conversation(turns), **self._idle()}

    def ask_example(
        self, turns: Turns, answerer: str | None, event: gr.EventData
    ) -> Iterator[Updates]:
        yield from self.ask(str(event._data.get("question", "")), turns, answerer)

    def clear(self) -> Updates:
        return {**self._conversation(()), **self._idle(), self.source: render.empty_panel()}

    def _idle(self) -> Updates:
        return {self.send: gr.update(visible=True), self.halt: gr.update(visible=False)}

    def _conversation(self, turns: Turns) -> Updates:
        return {self.turns: turns, self.log: self._transcript(turns)}

    def _transcript(self, turns: Turns) -> str:
        return render.transcript(turns, "" if turns else self._welcome())

    def _welcome(self) -> str:
        sources = self.kb.sources()
        offered = [q for s, questions in self.examples.items() if s in sources for q in questions]
        return render.welcome(len(sources), offered, str(self.kb.folder or ""))

    # Sources

    def show(self, turns: Turns, event: gr.EventData) -> str:
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
        index = int(data["index"])
        hit = answer.hits[index]
        sent, kicker = {"turn": turn, "index": index}, f"Passage {index + 1}"
        return View(hit.chunk.document, hit.start, hit.end, sent, kicker, "", radius)

    # Documents

    def refresh(self, turns: Turns, query: str) -> Updates:
        return {**self._library(query), self.log: self._transcript(turns)}

    def filter(self, query: str) -> str:
        return render.documents(self.kb.sources(), query)

    def ask_remove(self, query: str, event: gr.EventData) -> str:
        return render.documents(self.kb.sources(), query, event._data.get("source"))

    def remove(self, turns: Turns, query: str, event: gr.EventData) -> Iterator[Updates]:
        source = event._data.get("source")
        yield from self._change(lambda progress: self.kb.remove(source, progress), turns, query)

    def add(self, paths: list[str] | None, turns: Turns, query: str) -> Iterator[Updates]:
        files = [Path(path) for path in paths or ()]
        try:
            if files:
                yield from self._change(lambda progress: self.kb.add(files, progress), turns, query)
        finally:
            for file in files:
                web.remove_upload(file)
        yield {self.upload: None}

    def rescan(self, turns: Turns, query: str) -> Iterator[Updates]:
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

    def _library(self, query: str) -> Updates:
        sources = self.kb.sources()
        return {
            self.documents: render.documents(sources, query),
            self.query: gr.update(visible=len(sources) > 8),
            self.library: gr.update(label=f"Documents ({len(sources):,})"),
        }

    # Layout

    def build(self) -> gr.Blocks:
        page: gr.Blocks
        forgotten = (600, 3600)  # seconds: how often, and from which age, uploads are removed
        with gr.Blocks(
            title="Ask your documents", analytics_enabled=False, delete_cache=forgotten
        ) as page:
            self.turns = gr.State(())
            can_log_out = bool(self.kb.settings.password or self.kb.settings.token)
            gr.HTML(render.heading(can_log_out), elem_id="brand")
            with gr.Row(elem_id="shell"):
                with gr.Column(elem_id="chat", scale=3, min_width=300):
                    self._build_chat()
                with gr.Column(elem_id="side", scale=2, min_width=300):
                    self.source = _html(render.empty_panel(), "source-panel")
                    self._build_library()
                    self.review.build()
            self._wire(page)
        return page

    def _build_chat(self) -> None:
        self.log = _html(self._transcript(()), "log")
        self.feedback.build()
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

    def _build_library(self) -> None:
        with gr.Accordion("Documents", elem_id="library") as self.library:
            self.query = gr.Textbox(
                value="",
                label="Filter",
                show_label=False,
                placeholder="Filter by name",
                visible=False,
            )
            self.documents = _html(render.documents(self.kb.sources()), "documents")
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

    def _wire(self, page: gr.Blocks) -> None:
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        light: dict[str, Any] = {**quiet, "concurrency_limit": None}
        asking: dict[str, Any] = {**quiet, "concurrency_limit": 8, "concurrency_id": "ask"}
        chat = [self.turns, self.log, self.question, self.send, self.halt, self.notice]
        asked = [self.question, self.turns, self.answerer]
        running = [
            self.question.submit(self.ask, asked, chat, **asking),
            self.send.click(self.ask, asked, chat, **asking),
            self.log.example(self.ask_example, [self.turns, self.answerer], chat, **asking),
        ]
        for run in running:
            run.then(self.settle, self.turns, chat, **light)
        self.halt.click(self.settle, self.turns, chat, cancels=running, **light)
        self.wipe.click(self.clear, None, [*chat, self.source], cancels=running, **light)
        for part in (self.log, self.source, self.documents):
            part.show(self.show, self.turns, self.source, trigger_mode="multiple", **light)
        self.source.close_source(render.empty_panel, None, self.source, **light)

        library = [self.documents, self.query, self.library, self.log]
        changed = [*library, self.status]
        change: dict[str, Any] = {**quiet, "concurrency_limit": 1, "concurrency_id": "change"}
        known = [self.turns, self.query]
        self.query.input(self.filter, self.query, self.documents, **light)
        self.documents.ask_remove(self.ask_remove, self.query, self.documents, **light)
        self.documents.keep(self.filter, self.query, self.documents, **light)
        self.documents.remove(self.remove, known, changed, **change)
        self.upload.upload(self.add, [self.upload, *known], [*changed, self.upload], **change)
        self.sync.click(self.rescan, known, changed, **change)
        self.step.input(self.keep_in_step, self.step, [self.status, self.step], **light)
        looked = [*changed, self.step, self.seen]
        self.timer.tick(self.look, [*known, self.seen, self.step], looked, **light)
        page.load(self.refresh, known, library, **light)
        self.feedback.wire(self.log, self.turns)
        self.review.wire(page)


def _html(value: str, elem_id: str) -> Any:
    """A part of the page whose buttons send events; see ``rag/assets/page.js``."""
    return gr.HTML(value, elem_id=elem_id, js_on_load=_asset("page.js"))


def _asset(name: str) -> str:
    return (Path(render.__file__).parent / "assets" / name).read_text(encoding="utf-8")


def build_page(kb: KnowledgeBase, examples: Mapping[str, Sequence[str]] = EXAMPLES) -> gr.Blocks:
    """The page over ``kb``; :func:`serve` launches it with its looks and guards."""
    return _Page(kb, examples).build()


def serve(
    kb: KnowledgeBase,
    host: str = "127.0.0.1",
    port: int = 7860,
    *,
    routes: Sequence[BaseRoute] | None = None,
    on_ready: Callable[[str], None] = lambda url: None,
    block: bool = True,
    keep_in_step: bool = False,
) -> web.Server:
    """Serve the page, and ``routes`` beside it; with ``block`` until interrupted.

    ``routes`` must have the one of ``rag.page_route``, which is alone there if none are given.
    ``keep_in_step`` turns its switch on: changes in the folders are taken up by themselves.
    ``on_ready`` is called with the address once it answers. Raises OSError if the port is taken,
    and :class:`SettingsError` for a server that others could reach without a password.
    """
    web.check_exposure(host, kb.settings)
    listening = web.bind(host, port)
    uploads = web.uploads_folder()
    parts = _Page(kb, EXAMPLES)
    page = web.with_loop(parts.build)
    threading.Thread(target=_warm, args=(kb,), daemon=True).start()
    if keep_in_step:
        parts.watcher.start()
    beside = [page_route(kb)] if routes is None else routes
    try:
        server = web.launch(
            page, listening, kb.settings, uploads, css=_asset("page.css"), routes=beside
        )
        on_ready(f"http://{host}:{listening.getsockname()[1]}")
        if block:
            server.wait()
    finally:
        if block:
            parts.watcher.stop()
    return server


def _warm(kb: KnowledgeBase) -> None:
    try:
        kb.warm()
    except RagError as error:  # the first question will say so on the page
        logger.warning("%s", error)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page over an index; returns the exit code."""
    parser = argparse.ArgumentParser(prog="ui.py", description="Serve the chat page.")
    parser.add_argument("--index", default="index", help="folder of the index (default: index)")
    parser.add_argument("--host", default="127.0.0.1", help="address (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=7860, help="port (default: 7860)")
    options = parser.parse_args(arguments)
    from rag.knowledge_base import KnowledgeBase
    from rag.settings import Settings

    try:
        with KnowledgeBase(options.index, Settings.from_env(os.environ)) as kb:
            serve(
                kb,
                options.host,
                options.port,
                on_ready=lambda url: print(f"Serving {options.index} at {url}", flush=True),
            )
    except (RagError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the server took over: an end that was asked for
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
