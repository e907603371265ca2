"""Others get their turn while a sync goes on, and nothing that they did is undone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

import fakes_hostile
import pytest
from equality import assert_equal
from samples import open_kb, write_folder

import rag.indexing.sync
import rag.indexing.writer
from rag import KnowledgeBase
from rag.embed import HashingEmbedder
from rag.errors import CancelledError, KnowledgeBaseError
from rag.indexing.sync_report import SyncReport
from rag.indexing.write_lock import Writing
from rag.load.registry import Loaded, load_file
from rag.sandbox.isolated import IsolatedLoader, Limits
from rag.types import Progress, Vectors

PATIENCE = 60.0
NAMES = [f"{number}.txt" for number in range(8)]
Step = tuple[str, int, int]


class Recording(HashingEmbedder):
    """Remembers what it embedded."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self.texts += texts
        return super().embed_documents(texts, progress)


def topic(number: int) -> str:
    return f"Topic {number} is told of here: " + " ".join(f"word{number}x{i}." for i in range(900))


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rag.indexing.sync, "CHARACTERS_PER_GROUP", 1000)
    monkeypatch.setattr(rag.indexing.writer, "CHUNKS_PER_GROUP", 8)
    monkeypatch.setattr(rag.indexing.writer, "CHUNKS_PER_BATCH", 4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "docs", {name: topic(int(name[0])) for name in NAMES})


class Long:
    """A sync in a thread that stops where ``stage`` is told, until :meth:`go_on`.

    It has the index open by itself, unless that is ``shared``.
    """

    def __init__(
        self, index: Path, folder: Path, stage: str, shared: KnowledgeBase | None = None
    ) -> None:
        self.embedder = Recording()
        self.stages: list[str] = []
        self.shares: list[int] = []
        self.stopped, self._going = threading.Event(), threading.Event()
        self._stage = stage
        self._pool = ThreadPoolExecutor(1)
        kb = nullcontext(shared) if shared else open_kb(index, self.embedder)
        self._report: Future[SyncReport] = self._pool.submit(self._run, kb, folder)
        assert self.stopped.wait(PATIENCE)

    def _run(self, opened: AbstractContextManager[KnowledgeBase], folder: Path) -> SyncReport:
        with opened as kb:
            return kb.sync(folder, self._tell)

    def _tell(self, stage: str, done: int, total: int) -> None:
        self.stages.append(stage)
        self.shares.append(done)
        if stage.startswith(self._stage) and not self.stopped.is_set():
            self.stopped.set()
            assert self._going.wait(PATIENCE)

    def go_on(self, stage: str = "Waiting", done: int = 0, total: int = 0) -> None:
        """To be told of the progress of another: goes on once that one waits."""
        if stage.startswith("Waiting for another sync"):
            self._going.set()

    @property
    def is_over(self) -> bool:
        return self._report.done()

    def report(self) -> SyncReport:
        self._going.set()
        self._pool.shutdown()
        return self._report.result(PATIENCE)


class Begin(Protocol):
    def __call__(self, stage: str, shared: KnowledgeBase | None = None) -> Long: ...


@pytest.fixture
def long(tmp_path: Path, folder: Path) -> Iterator[Begin]:
    begun: list[Long] = []

    def begin(stage: str, shared: KnowledgeBase | None = None) -> Long:
        begun.append(Long(tmp_path / "index", folder, stage, shared))
        return begun[-1]

    yield begin
    for sync in begun:
        sync._going.set()
        sync._pool.shutdown()


def check_equal_to_a_rebuild(tmp_path: Path, folder: Path) -> None:
    with open_kb(tmp_path / "index") as kb, open_kb(tmp_path / "fresh") as fresh:
        fresh.sync(folder)
        assert_equal(kb, fresh, ["topic 0", "topic 5", "word3x7", "other words"])
        assert kb.verify() == []
        assert kb.sync().changed is False


def test_what_is_removed_during_a_sync_is_gone_at_once_and_stays_so(
    tmp_path: Path, folder: Path, long: Begin
) -> None:
    sync = long("Reading 3.txt")
    with open_kb(tmp_path / "index") as kb:
        assert "0.txt" in kb.sources()
        removed = kb.remove("0.txt", sync.go_on)
        assert removed.deleted == ("0.txt",)
        assert not sync.is_over
        assert "0.txt" not in kb.sources()
    report = sync.report()
    assert (report.left, report.failed) == (0, ())
    assert set(report.added) == set(NAMES) - {"0.txt"}
    assert sync.shares == sorted(sync.shares), "the bar never goes back"
    check_equal_to_a_rebuild(tmp_path, folder)


def test_what_is_added_during_a_sync_is_not_undone(
    tmp_path: Path, folder: Path, long: Begin
) -> None:
    sync = long("Reading 3.txt")
    new = write_folder(
        tmp_path / "new", {n: f"Other words of {n}." for n in ("0.txt", "3.txt", "7.txt", "x.txt")}
    )
    with open_kb(tmp_path / "index") as kb:
        report = kb.add(sorted(new.iterdir()), sync.go_on)
        assert not sync.is_over
        assert set(report.added) >= {"7.txt", "x.txt"}, "what was added comes first"
        assert "6.txt" not in kb.sources(), "the rest is left to the one that waits"
    sync.report()
    with open_kb(tmp_path / "index") as kb:
        for name in ("0.txt", "3.txt", "7.txt", "x.txt"):
            assert kb.document(name).text == f"Other words of {name}."
    check_equal_to_a_rebuild(tmp_path, folder)


@pytest.mark.parametrize("stage", ["Reading 3.txt", "Indexing 3.txt"])
def test_two_syncs_of_one_folder_share_the_work(
    tmp_path: Path, folder: Path, long: Begin, stage: str
) -> None:
    sync = long(stage)
    (folder / "1.txt").unlink()
    write_folder(folder, {"2.txt": "Quite other words.", "9.txt": topic(9)})
    embedder = Recording()
    with open_kb(tmp_path / "index", embedder) as kb:
        assert kb.sync(folder, sync.go_on).left == 0
    sync.report()
    embedded = [*sync.embedder.texts, *embedder.texts]
    assert embedder.texts
    assert len(embedded) == len(set(embedded)), "nothing is embedded twice"
    check_equal_to_a_rebuild(tmp_path, folder)


def test_one_large_file_makes_way_too(tmp_path: Path, long: Begin) -> None:
    folder = tmp_path / "docs"
    write_folder(folder, {"5.txt": " ".join(topic(i) for i in range(40, 70))})
    with open_kb(tmp_path / "index") as kb:
        write_folder(tmp_path / "first", {})
        kb.sync(tmp_path / "docs", lambda *step: None)
        write_folder(folder, {"5.txt": " ".join(topic(i) for i in range(70, 110))})
        sync = long("Indexing 5.txt")
        assert kb.remove("0.txt", sync.go_on).deleted == ("0.txt",)
        assert "word70x1" not in kb.document("5.txt").text, "it is not written yet"
        assert not sync.is_over
    sync.report()
    texts = sync.embedder.texts
    assert len(texts) == len(set(texts)), "what was embedded is kept"
    check_equal_to_a_rebuild(tmp_path, folder)


def test_a_sync_ends_where_another_named_other_folders(tmp_path: Path, long: Begin) -> None:
    sync = long("Reading 3.txt")
    other = write_folder(tmp_path / "other", {"a.txt": "Apples."})
    with open_kb(tmp_path / "index") as kb:
        kb.sync(other, sync.go_on)
        with pytest.raises(KnowledgeBaseError, match="follows other folders"):
            sync.report()
        assert kb.folders == (other,)
        kb.sync()
    check_equal_to_a_rebuild(tmp_path, other)


@pytest.mark.parametrize("what", ["rebuild", "repair"])
def test_another_thread_may_make_the_index_anew(
    tmp_path: Path, folder: Path, long: Begin, what: str
) -> None:
    with open_kb(tmp_path / "index") as kb, ThreadPoolExecutor(1) as pool:
        sync = long("Reading 3.txt", kb)
        anew: dict[str, Callable[[], object]] = {
            "rebuild": lambda: kb.sync(folder, rebuild=True),
            "repair": kb.repair,
        }
        other = pool.submit(anew[what])
        while not Writing(kb.path).is_wanted:
            time.sleep(0.01)
        assert sync.report().left == 0
        other.result(PATIENCE)
        assert kb.sources() == NAMES
    check_equal_to_a_rebuild(tmp_path, folder)


def test_the_rest_is_left_to_a_sync_but_to_no_other_who_waits(tmp_path: Path, folder: Path) -> None:
    verified: list[Future[list[str]]] = []
    with open_kb(tmp_path / "index") as kb, ThreadPoolExecutor(1) as pool:
        kb.sync(folder)
        write_folder(folder, {"8.txt": topic(8), "9.txt": topic(9)})

        def verify_too(stage: str, done: int, total: int) -> None:
            if not verified:
                verified.append(pool.submit(kb.verify))
                while not Writing(kb.path).is_wanted:
                    time.sleep(0.01)

        assert kb.remove("0.txt", verify_too).added == ("8.txt", "9.txt")
        assert verified[0].result(PATIENCE) == []
    check_equal_to_a_rebuild(tmp_path, folder)


def test_who_waits_can_be_cancelled(tmp_path: Path, folder: Path, long: Begin) -> None:
    sync = long("Reading 3.txt")

    def cancel(stage: str, done: int, total: int) -> None:
        assert stage.startswith("Waiting for another sync (process ")
        raise CancelledError

    with open_kb(tmp_path / "index") as kb:
        with pytest.raises(CancelledError):
            kb.remove("0.txt", cancel)
        assert (folder / "0.txt").exists()
    assert sync.report().left == 0
    check_equal_to_a_rebuild(tmp_path, folder)


def test_a_cancelled_first_sync_is_known_to_the_next(tmp_path: Path, folder: Path) -> None:
    def cancel(stage: str, done: int, total: int) -> None:
        raise CancelledError

    with open_kb(tmp_path / "index") as kb:
        assert kb.sync(folder, cancel).left == len(NAMES)
        assert kb.folders == (folder,)
        assert kb.sync().added == tuple(NAMES)


SECONDS_FOR_A_FILE = 50.0


@pytest.mark.parametrize("is_upload", [False, True])
def test_cancelling_breaks_off_a_file_that_is_being_read(tmp_path: Path, is_upload: bool) -> None:
    slow = write_folder(tmp_path / "slow", {"slow.txt": "hang"})
    begun: list[float] = []

    def cancel(stage: str, done: int, total: int) -> None:
        if "slow.txt" in stage:
            begun.append(time.monotonic())
            if begun[-1] - begun[0] > 1:
                raise CancelledError

    with IsolatedLoader(Limits(seconds=SECONDS_FOR_A_FILE), fakes_hostile.load) as load:
        kb = KnowledgeBase(tmp_path / "index", embedder=HashingEmbedder(), load=load)
        with kb:
            if is_upload:
                kb.sync(write_folder(tmp_path / "docs", {}))
                report = kb.add([slow / "slow.txt"], cancel)
            else:
                report = kb.sync(slow, cancel)
            took = time.monotonic() - begun[-1]
            assert (report.left, report.failed) == (1, ())
            assert took < SECONDS_FOR_A_FILE / 2, "it was not waited for"
            write_folder(slow, {"slow.txt": "say Something."})
            report = kb.add([slow / "slow.txt"]) if is_upload else kb.sync()
            assert report.added == ("slow.txt",), "another worker is started"


def test_an_upload_is_parsed_once(tmp_path: Path) -> None:
    parsed: list[str] = []

    def load(data: bytes, source: str) -> Loaded:
        parsed.append(source)
        return load_file(data, source)

    docs, more = (write_folder(tmp_path / name, {}) for name in ("docs", "more"))
    files = {"a.txt": "Apples.", "b.txt": "Pears.", "c.pdf": "%PDF-1.4 no"}
    new = write_folder(tmp_path / "new", files)
    with KnowledgeBase(tmp_path / "index", embedder=HashingEmbedder(), load=load) as kb:
        kb.sync([docs, more])
        report = kb.add(sorted(new.iterdir()))
        assert report.added == ("docs/a.txt", "docs/b.txt")
        assert [failure.source for failure in report.failed] == ["c.pdf"]
    assert parsed == ["docs/a.txt", "docs/b.txt", "docs/c.pdf"]
