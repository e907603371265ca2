"""Watching: changes are taken up within seconds, errors are told once, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
from samples import MakeKb, on_disk, open_kb, write_folder

from rag import KnowledgeBase
from rag.embed import HashingEmbedder
from rag.indexing.scan import FoundFile
from rag.indexing.sync_report import SyncReport
from rag.indexing.watch import Quiet, Watcher
from rag.indexing.write_lock import only_writer

PATIENCE = 60.0
"""Seconds after which a test gives up; on a machine at rest everything takes one or two."""


class Followed:
    """A knowledge base that is synced, and what was told of it."""

    def __init__(self, kb: KnowledgeBase, folder: Path, quiet: float = 0.3) -> None:
        self.kb, self.folder = kb, folder
        self.reports: list[SyncReport] = []
        self.errors: list[str] = []
        self.watcher = Watcher(kb, self.reports.append, self.errors.append, quiet=quiet)

    def until(self, reached: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < end, (self.kb.sources(), self.reports, self.errors)
            time.sleep(0.05)

    def texts(self) -> dict[str, str]:
        return {source: self.kb.document(source).text for source in self.kb.sources()}


@pytest.fixture
def followed(make_kb: MakeKb, tmp_path: Path) -> Iterator[Followed]:
    kb = make_kb({"a.txt": "Apples.", "b.txt": "Pears."})
    followed = Followed(kb, tmp_path / "kb-docs")
    followed.watcher.start()
    yield followed
    followed.watcher.stop()


def test_adds_edits_renames_and_deletes_are_taken_up(followed: Followed) -> None:
    folder = followed.folder
    write_folder(folder, {"new/c.txt": "Figs."})
    followed.until(lambda: "new/c.txt" in followed.kb.sources())
    write_folder(folder, {"a.txt": "Apples and dates."})
    followed.until(lambda: followed.texts().get("a.txt") == "Apples and dates.")
    (folder / "b.txt").rename(folder / "renamed.txt")
    followed.until(lambda: followed.kb.sources() == ["a.txt", "new/c.txt", "renamed.txt"])
    (folder / "new" / "c.txt").unlink()
    followed.until(lambda: followed.kb.sources() == ["a.txt", "renamed.txt"])
    write_folder(folder, {".ragignore": "a.txt\n"})
    followed.until(lambda: followed.kb.sources() == ["renamed.txt"])
    write_folder(folder, {"canary.txt": "The canary Xyzzyplugh sings."})
    followed.until(lambda: "canary.txt" in followed.kb.sources())
    assert on_disk(followed.kb.path, b"xyzzyplugh")
    (folder / "canary.txt").unlink()
    followed.until(lambda: not on_disk(followed.kb.path, b"xyzzyplugh"))
    assert followed.errors == []
    assert all(report.changed for report in followed.reports)


def test_a_file_still_being_written_waits(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb({"a.txt": "Apples."})
    followed = Followed(kb, tmp_path / "kb-docs", quiet=1.0)
    followed.watcher.start()
    try:
        with (followed.folder / "slow.txt").open("w") as file:
            for number in range(30):
                file.write(f"Line {number} of many. ")
                file.flush()
                time.sleep(0.1)
                assert "slow.txt" not in kb.sources()
        followed.until(lambda: "slow.txt" in kb.sources())
    finally:
        followed.watcher.stop()
    assert kb.document("slow.txt").text.rstrip().endswith("Line 29 of many.")
    added = [report.added for report in followed.reports]
    assert added == [("slow.txt",)]
    assert not any(report.updated for report in followed.reports)


def test_quiet_waits_for_what_changes(tmp_path: Path) -> None:
    path = write_folder(tmp_path, {"a.txt": "x"}) / "a.txt"
    is_settling = Quiet(0.2)

    def ask() -> bool:
        return is_settling(FoundFile("a.txt", path, path.stat()))

    assert ask()
    assert ask()
    path.write_text("xy")
    time.sleep(0.25)
    assert ask()  # it has changed since
    time.sleep(0.25)
    assert not ask()
    os.utime(path, (time.time() + 1e6, time.time() + 1e6))  # as with a clock that is wrong
    assert ask()
    time.sleep(0.25)
    assert not ask()
    os.utime(path, (1e9, 1e9))
    assert not Quiet(0.2)(FoundFile("a.txt", path, path.stat()))  # moved here, as it was


def test_a_failure_is_told_once(followed: Followed) -> None:
    (followed.folder / "bad.pdf").write_bytes(b"%PDF-1.4 nothing")
    followed.until(lambda: bool(followed.reports))
    time.sleep(1.5)
    (report,) = followed.reports
    assert [failure.source for failure in report.failed] == ["bad.pdf"]
    write_folder(followed.folder, {"c.txt": "Figs."})
    followed.until(lambda: len(followed.reports) == 2)
    (followed.folder / "bad.pdf").unlink()
    followed.until(lambda: len(followed.reports) == 3)
    assert followed.reports[-1].failed == ()


def test_a_folder_that_vanishes_and_returns_loses_nothing(followed: Followed) -> None:
    folder, away = followed.folder, followed.folder.with_name("away")
    folder.rename(away)
    followed.until(lambda: bool(followed.errors))
    time.sleep(1.5)
    assert followed.errors == [followed.watcher.error]
    assert "no folder" in followed.errors[0]
    assert followed.kb.sources() == ["a.txt", "b.txt"]
    write_folder(away, {"c.txt": "Figs."})
    away.rename(folder)
    followed.until(lambda: "c.txt" in followed.kb.sources())
    followed.until(lambda: followed.watcher.error == "")
    assert len(followed.errors) == 1
    write_folder(folder, {"d.txt": "Dates."})
    followed.until(lambda: "d.txt" in followed.kb.sources())


def test_another_writer_is_waited_for(
    followed: Followed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.indexing.write_lock.PATIENCE", 0.5)
    with only_writer(tmp_path / "kb"):
        write_folder(followed.folder, {"c.txt": "Figs."})
        followed.until(lambda: bool(followed.errors))
        assert "another sync" in followed.errors[0]
    followed.until(lambda: "c.txt" in followed.kb.sources())
    assert len(followed.errors) == 1


def test_uploads_and_the_watcher_wait_for_each_other(followed: Followed, tmp_path: Path) -> None:
    new = write_folder(tmp_path / "new", {f"{i}.txt": f"Topic {i}." for i in range(20)})
    failed: list[Exception] = []

    def touch() -> None:
        for number in range(40):
            write_folder(followed.folder, {"t.txt": f"Touched {number} times."})
            time.sleep(0.05)

    writing = threading.Thread(target=touch)
    writing.start()
    for path in sorted(new.iterdir()):
        try:
            followed.kb.add([path])
        except Exception as error:
            failed.append(error)
    writing.join()
    followed.until(lambda: followed.texts().get("t.txt") == "Touched 39 times.")
    assert failed == []
    assert len(followed.kb.sources()) == 23


def test_an_index_within_the_folder_does_not_keep_the_watcher_busy(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": "Apples."})
    with open_kb(folder / "index") as kb:
        kb.sync(folder)
        looks: list[int] = []

        class Counting(KnowledgeBase):
            def sync(self, *args: object, **options: object) -> SyncReport:
                looks.append(1)
                return kb.sync(*args, **options)  # type: ignore[arg-type]

        with Counting(folder / "index", embedder=HashingEmbedder()) as counting:
            watcher = Watcher(counting, quiet=0.1)
            watcher.start()
            time.sleep(1.0)
            write_folder(folder, {"b.txt": "Pears."})
            time.sleep(4.0)
            watcher.stop()
        assert kb.sources() == ["a.txt", "b.txt"]
        assert len(looks) <= 6


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "rag", *arguments, "--index", str(tmp_path / "index")],
            env={**os.environ, "RAG_EMBEDDER": "hashing"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell lets its background jobs ignore it, and so would this one's children.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def read_until(stream: IO[str] | None, word: str) -> str:
    assert stream
    for line in stream:
        if word in line:
            return line
    raise AssertionError(f"{word!r} was not printed")


def test_the_command_follows_until_it_is_interrupted(
    command: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": "Apples."})
    process = command("index", str(folder), "--watch")
    read_until(process.stdout, "1 added, 0 updated")
    read_until(process.stderr, "Ctrl-C ends it")
    write_folder(folder, {"b.txt": "Pears."})
    read_until(process.stdout, "1 added, 0 updated, 0 deleted, 1 unchanged, 0 failed")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (
        0,
        "",
        "No longer following; what was done is kept.\n",
    )
