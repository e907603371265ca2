"""The page's logic without a browser."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rag import KnowledgeBase, Settings
from rag.errors import GeneratorError
from rag.indexing.watch import Watcher
from rag.types import Answer, Hit, Span
from rag.web import server as web_server
from rag.web.render import Turn

pytest.importorskip("gradio")
from rag.web.app import main
from rag.web.page import Page
from rag.web.page.components import UNEXPECTED
from rag.web.page.conversation import grow


class FirstLineReader:
    """Believes the first line of the best hit."""

    name = "first line"
    version = "1"

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        best = hits[0]
        line = best.text.split("\n")[0]
        return [Span(best, best.start, best.start + len(line), 0.9)]

    def threshold(self, precision: float) -> float:
        return 0.5


class BrokenReader:
    name = "broken"
    version = "1"

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        raise ZeroDivisionError("secret detail")

    def threshold(self, precision: float) -> float:
        return 0.5


class DownGenerator:
    name = "down"

    def generate(self, question: str, passages: Sequence[str]) -> Iterator[str]:
        yield "Whales swim. "
        raise GeneratorError("the endpoint is down")


def knowledge_base(tmp_path: Path, reader: FirstLineReader | BrokenReader) -> KnowledgeBase:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "whales.txt").write_text("Whales swim near Iceland.\n")
    settings = Settings(embedder="hashing")
    kb = KnowledgeBase(tmp_path / "index", settings, reader=reader, generator=DownGenerator())
    kb.sync(tmp_path / "documents")
    return kb


def test_an_answer_grows_until_it_is_done(tmp_path: Path) -> None:
    with knowledge_base(tmp_path, FirstLineReader()) as kb:
        *growing, last = grow(kb, "Where do whales swim?", (), None)
    assert growing
    assert not any(turn.done for turn in growing)
    assert last.done
    assert last.answer is not None
    assert last.answer.text == "Whales swim near Iceland. [1]"


def test_a_failed_model_is_reported_and_the_documents_answer(tmp_path: Path) -> None:
    with knowledge_base(tmp_path, FirstLineReader()) as kb:
        *_, last = grow(kb, "Where do whales swim?", (), "llm")
    assert last.error == "the endpoint is down"
    assert last.answerer == "extractive"
    assert last.answer is not None
    assert last.answer.text == "Whales swim near Iceland. [1]"


def test_earlier_turns_are_the_history(tmp_path: Path) -> None:
    with knowledge_base(tmp_path, FirstLineReader()) as kb:
        asked: list[list[tuple[str, str]]] = []

        class Recording:
            settings = kb.settings

            def stream(
                self, question: str, history: list[tuple[str, str]], answerer: str
            ) -> Iterator[Answer]:
                asked.append(history)
                return kb.stream(question, history, answerer)

        turns = (Turn("A?", Answer("A?", "B. [1]")), Turn("C?", error="failed"))
        list(grow(Recording(), "Where do whales swim?", turns, None))  # type: ignore[arg-type]
    assert asked == [[("A?", "B. [1]")]]


def test_an_unexpected_error_is_logged_and_its_detail_not_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with knowledge_base(tmp_path, BrokenReader()) as kb, caplog.at_level(logging.ERROR):
        turns = list(grow(kb, "Where do whales swim?", (), None))
    assert turns == [Turn("Where do whales swim?", error=UNEXPECTED, done=True)]
    assert "secret detail" in caplog.text


def test_a_port_in_use_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_EMBEDDER", "hashing")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["--index", str(tmp_path / "index"), "--port", port]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: cannot serve at 127.0.0.1:{port} (Address already in use)")
    assert "--port 8000 or make run PORT=8000" in error
    assert error.count("\n") == 1


def test_the_switch_keeps_the_documents_in_step(tmp_path: Path) -> None:
    with knowledge_base(tmp_path, FirstLineReader()) as kb:
        page = Page(kb, {})
        web_server.with_loop(page.build)
        library = page.library
        library.watcher = Watcher(kb, quiet=0.2)
        try:
            assert "is followed" in library.watch(True)[library.status]
            assert library.watcher.running
            (tmp_path / "documents" / "lynxes.txt").write_text("Lynxes sleep in Norway.\n")
            end = time.monotonic() + 60
            while not library.watcher.changes:
                assert time.monotonic() < end
                time.sleep(0.05)
            looked = library.look((), "", 0)
            assert "lynxes.txt" in looked[library.documents]
            assert 'data-look="3"' in looked[library.status]
            assert looked[library.seen] == library.watcher.changes
            assert library.documents not in library.look((), "", library.watcher.changes)
        finally:
            library.watch(False)
        assert not library.watcher.running
        looked = library.look((), "", library.watcher.changes)
        assert looked[library.step] is False
        assert "data-look" not in looked[library.status]


def test_a_document_is_removed_while_the_folder_is_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with knowledge_base(tmp_path, FirstLineReader()) as kb:
        page = Page(kb, {})
        web_server.with_loop(page.build)
        library, go_on, report = page.library, threading.Event(), kb.sync()
        monkeypatch.setattr(kb, "sync", lambda *_: go_on.wait(60) and report)
        library.rescan()
        library._do("Removing whales.txt", lambda progress: kb.remove("whales.txt", progress))
        end = time.monotonic() + 60
        while not library.jobs.state.changes:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert kb.sources() == []
        (outcome,), looking = library.jobs.state.outcomes, library.looks.state.running
        assert outcome.removed == ("whales.txt",)
        assert looking
        assert looking.number != outcome.number
        status = library._status()
        assert "Looking for changes" in status
        assert "whales.txt" in status
        go_on.set()
        library.close()


def test_without_a_folder_there_is_nothing_to_keep_in_step(tmp_path: Path) -> None:
    with KnowledgeBase(tmp_path / "index", Settings(embedder="hashing")) as kb:
        page = Page(kb, {})
        web_server.with_loop(page.build)
        library = page.library
        updates = library.watch(True)
        assert updates[library.step] is False
        assert "No folder has been indexed yet." in updates[library.status]
        assert not library.watcher.running
