"""Files of several documents, files that fail, and files that need not be read again."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fakes_embed import CountingEmbedder
from samples import MakeKb, on_disk, write_folder

import rag.indexing.file_bytes
import rag.indexing.file_reader
import rag.load.registry
from rag import KnowledgeBase
from rag.errors import KnowledgeBaseError, LoadError
from rag.indexing.file_bytes import read_file
from rag.indexing.folders import Folders
from rag.indexing.scan import FoundFile
from rag.indexing.sync import Sync
from rag.indexing.sync_report import SyncReport
from rag.load.registry import Loaded, fingerprint, load_file
from rag.types import Document


class Boxes:
    """Loads ``.box`` files, one member a line as ``name: text``, and others as usual.

    A member without text fails, and so does a box without members.
    """

    def __init__(self) -> None:
        self.loaded: list[str] = []

    def __call__(self, data: bytes, source: str) -> Loaded:
        self.loaded.append(source)
        if not source.endswith(".box"):
            return load_file(data, source)
        members = [line.split(": ", 1) for line in data.decode().splitlines()]
        if not members:
            raise LoadError("holds nothing")
        return Loaded(
            tuple(Document(f"{source}/{name}", text) for name, text in members if text),
            tuple((f"{source}/{name}", "holds no text") for name, text in members if not text),
        )


Synced = Callable[..., SyncReport]


@pytest.fixture
def boxes() -> Boxes:
    return Boxes()


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def kb(tmp_path: Path, embedder: CountingEmbedder) -> KnowledgeBase:
    (tmp_path / "docs").mkdir()
    return KnowledgeBase(tmp_path / "kb", embedder=embedder)


@pytest.fixture
def synced(kb: KnowledgeBase, boxes: Boxes, tmp_path: Path) -> Synced:
    """Syncs ``docs`` after files were written into it, given by name and text."""

    def run(files: dict[str, str] | None = None, loaders: str = "1") -> SyncReport:
        folder = write_folder(tmp_path / "docs", files or {})
        sync = Sync(kb.path, kb._open(), kb._embedder, kb._chunk, load=boxes, loaders=loaders)
        return sync.run(Folders.of(folder))

    return run


def test_a_file_may_hold_several_documents(
    kb: KnowledgeBase, synced: Synced, embedder: CountingEmbedder
) -> None:
    report = synced({"x.box": "a: Apples.\nsub/b: Pears.\nempty: \n"})
    assert report.added == ("x.box/a", "x.box/sub/b")
    assert [(f.source, f.reason) for f in report.failed] == [("x.box/empty", "holds no text")]
    assert kb.search("pears", k=1)[0].source == "x.box/sub/b"
    report = synced({"x.box": "a: Apples.\nsub/b: Plums.\nc: Figs.\n"})
    assert (report.added, report.updated, report.deleted) == (("x.box/c",), ("x.box/sub/b",), ())
    assert (report.unchanged, report.failed) == (1, ())
    assert embedder.embedded.count("Apples.") == 1
    assert sorted(embedder.embedded[-2:]) == ["Figs.", "Plums."]
    report = synced({"x.box": ""})
    assert report.deleted == ("x.box/a", "x.box/c", "x.box/sub/b")
    assert [f.source for f in report.failed] == ["x.box"]
    assert kb.verify() == []
    synced({"x.box": "a: Apples.\n"})
    with pytest.raises(KnowledgeBaseError, match=r"a part of 'x\.box': remove that"):
        kb.remove("x.box/a")


def test_an_archive_may_become_a_folder(kb: KnowledgeBase, synced: Synced, tmp_path: Path) -> None:
    synced({"x.box": "a.txt: Apples.\nb.txt: Pears.\n"})
    (tmp_path / "docs" / "x.box").unlink()
    report = synced({"x.box/a.txt": "Figs."})
    assert (report.updated, report.deleted) == (("x.box/a.txt",), ("x.box/b.txt",))
    assert kb.verify() == []
    shutil.rmtree(tmp_path / "docs" / "x.box")
    report = synced({"x.box": "a.txt: Apples.\n"})
    assert (report.updated, kb.document("x.box/a.txt").text) == (("x.box/a.txt",), "Apples.")
    assert kb.verify() == []


def test_members_of_one_name_are_told(kb: KnowledgeBase, synced: Synced) -> None:
    report = synced({"x.box": "a: Apples.\na: Pears.\n"})
    assert report.added == ("x.box/a",)
    assert [f.source for f in report.failed] == ["x.box/a"]
    assert kb.document("x.box/a").text == "Apples."


def test_a_failed_file_is_not_parsed_again_until_it_or_the_loaders_change(
    synced: Synced, boxes: Boxes
) -> None:
    first = synced({"bad.box": "", "good.txt": "Apples."})
    assert boxes.loaded == ["bad.box", "good.txt"]
    for _ in range(2):
        again = synced()
        assert again.failed == first.failed
        assert (again.failed[0].source, again.failed[0].reason) == ("bad.box", "holds nothing")
    assert boxes.loaded == ["bad.box", "good.txt"]
    assert synced({"copy.box": ""}).failed[1].source == "copy.box"
    assert boxes.loaded == ["bad.box", "good.txt"]  # the same bytes fail the same
    synced(loaders="2")
    assert sorted(boxes.loaded[2:]) == ["bad.box", "copy.box", "good.txt"]
    assert synced({"bad.box": "a: Pears."}, loaders="2").added == ("bad.box/a",)


def test_better_loaders_load_anew_and_embed_only_what_is_other(
    synced: Synced, boxes: Boxes, embedder: CountingEmbedder
) -> None:
    synced({"a.txt": "Apples.", "x.box": "b: Pears.\nc: Figs.\n"})
    before = len(embedder.embedded)
    report = synced(loaders="2")
    assert (report.unchanged, report.added, report.updated) == (3, (), ())
    assert boxes.loaded == ["a.txt", "x.box"] * 2
    assert len(embedder.embedded) == before
    synced(loaders="2")
    assert len(boxes.loaded) == 4


def test_what_is_moved_renamed_or_copied_is_not_parsed_again(
    kb: KnowledgeBase, synced: Synced, boxes: Boxes, tmp_path: Path
) -> None:
    docs = tmp_path / "docs"
    synced({"x.box": "a: Apples.\nempty: \n", "b.txt": "Pears.", "README": "Figs."})
    boxes.loaded.clear()
    (docs / "sub").mkdir()
    shutil.copyfile(docs / "x.box", docs / "sub" / "x.box")
    (docs / "b.txt").rename(docs / "c.txt")
    shutil.copyfile(docs / "README", docs / "sub" / "README")
    report = synced()
    assert report.added == ("c.txt", "sub/README", "sub/x.box/a")
    assert report.deleted == ("b.txt",)
    assert [f.source for f in report.failed] == ["sub/x.box/empty", "x.box/empty"]
    assert kb.names("x.box/a") == ["sub/x.box/a", "x.box/a"]
    assert boxes.loaded == []


def test_under_another_kind_of_name_a_file_is_parsed(
    synced: Synced, boxes: Boxes, tmp_path: Path
) -> None:
    docs = tmp_path / "docs"
    synced({"x.box": "a: Apples.\n", "README": "Figs."})
    boxes.loaded.clear()
    shutil.copyfile(docs / "x.box", docs / "x.txt")
    shutil.copyfile(docs / "x.box", docs / "y.box")  # members may be named by their file
    shutil.copyfile(docs / "README", docs / "LICENSE")
    assert synced().added == ("LICENSE", "x.txt", "y.box/a")
    assert boxes.loaded == ["LICENSE", "x.txt", "y.box"]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that a sync reads."""
    names: list[str] = []

    def counting(file: FoundFile) -> tuple[bytes, str | None]:
        names.append(file.path.name)
        return read_file(file)

    monkeypatch.setattr(rag.indexing.file_reader, "read_file", counting)
    return names


def test_unchanged_files_are_not_read(
    synced: Synced, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rag.indexing.file_bytes, "RACY_SECONDS", -1.0)  # as if the files were old
    synced({"a.txt": "Apples.", "b.txt": "Pears.", "bad.box": ""})
    assert reads == ["a.txt", "b.txt", "bad.box"]
    report = synced()
    assert (report.unchanged, len(report.failed)) == (2, 1)
    assert len(reads) == 3
    assert synced({"a.txt": "Grapes."}).updated == ("a.txt",)
    assert reads[3:] == ["a.txt"]
    synced(loaders="2")
    assert len(reads) == 7


def test_a_file_changed_a_moment_ago_is_read_again(
    synced: Synced, reads: list[str], monkeypatch: pytest.MonkeyPatch, kb: KnowledgeBase
) -> None:
    """On a file system that counts in seconds a second edit would show in no signature."""
    synced({"a.txt": "Apples."})
    assert kb._open().files()["a.txt"].signature is None
    synced()
    assert reads == ["a.txt", "a.txt"]
    monkeypatch.setattr(rag.indexing.file_bytes, "RACY_SECONDS", -1.0)
    synced()
    assert kb._open().files()["a.txt"].signature is not None
    synced()
    assert len(reads) == 3
    assert kb.verify() == []


def test_a_pipe_in_a_files_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LoadError, match="not a regular file"):
        read_file(tmp_path / "pipe")


def test_a_file_swapped_for_a_link_while_the_folder_is_read_is_reported_and_not_read(
    kb: KnowledgeBase, boxes: Boxes, tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("The secret is Xyzzyplugh.")
    folder = write_folder(tmp_path / "docs", {"a.txt": "Apples.", "in/b.txt": "Pears."})

    def swap(file: FoundFile) -> bool:
        if file.source == "in/b.txt":
            file.path.unlink()
            file.path.symlink_to(tmp_path / "secret.txt")
        return False

    sync = Sync(kb.path, kb._open(), kb._embedder, kb._chunk, load=boxes, is_settling=swap)
    report = sync.run(Folders.of(folder))
    assert report.added == ("a.txt",)
    assert [(f.source, f.reason) for f in report.failed] == [
        ("in/b.txt", "was replaced by a link while the folder was read: not read; index again")
    ]
    assert on_disk(kb.path, b"Xyzzyplugh") == []


def test_links_that_lead_out_and_pipes_are_reported(synced: Synced, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": "Apples.", "b.txt": "Pears."})
    (tmp_path / "outside.txt").write_text("Plums.")
    synced()
    (folder / "b.txt").unlink()
    (folder / "b.txt").symlink_to(tmp_path / "outside.txt")
    os.mkfifo(folder / "pipe.txt")
    report = synced()
    assert [(f.source, f.reason) for f in report.failed] == [
        ("b.txt", "is a link that leads out of the folder; not read"),
        ("pipe.txt", "is a pipe, a socket or a device; not read"),
    ]
    assert (report.unchanged, report.added, report.updated) == (1, (), ())


@contextmanager
def ordinary_user(*owned: Path) -> Iterator[None]:
    """Go on as a user whom permissions bind, who owns the trees ``owned``: root becomes nobody."""
    nobody = 65534
    if os.geteuid() != 0:
        yield
        return
    for path in (path for tree in owned for path in (tree, *tree.rglob("*"))):
        os.chown(path, nobody, nobody)
    os.seteuid(nobody)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that every user may reach, unlike pytest's."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("closed", ["closed", "closed/.ragignore"])
def test_a_subfolder_that_cannot_be_read_is_reported_and_what_is_indexed_of_it_stays(
    boxes: Boxes, embedder: CountingEmbedder, shared_folder: Path, closed: str
) -> None:
    files = {"a.txt": "Apples.", "closed/b.txt": "Pears.", "gone.txt": "Figs."}
    folder = write_folder(shared_folder / "docs", files)
    (folder / "closed" / ".ragignore").write_text("*.log\n")
    kb = KnowledgeBase(shared_folder / "kb", embedder=embedder)

    def synced() -> SyncReport:
        sync = Sync(kb.path, kb._open(), kb._embedder, kb._chunk, load=boxes, loaders="1")
        return sync.run(Folders.of(folder))

    synced()
    (folder / "gone.txt").unlink()
    write_folder(folder, {"new.txt": "Plums."})
    with ordinary_user(shared_folder):
        (folder / closed).chmod(0)
        report = synced()
        (folder / closed).chmod(0o700)
    assert (report.added, report.deleted, report.unchanged) == (("new.txt",), ("gone.txt",), 2)
    ((source, reason),) = [(failure.source, failure.reason) for failure in report.failed]
    assert source == "closed"
    assert reason.startswith("cannot be listed: ")
    assert "Permission denied" in reason
    assert reason.endswith("; what is indexed of it is kept")
    kb.close()


def test_the_fingerprint_tells_of_the_loaders(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = fingerprint()
    monkeypatch.setitem(rag.load.registry._TOOLS, "ocr", lambda: True)
    monkeypatch.setitem(rag.load.registry._TOOLS, "antiword", lambda: False)
    assert fingerprint() == f"{plain}+ocr"


CANARY = "The canary Xyzzyplugh sings. " * 20


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a.txt": CANARY}, {"a.txt": "Apples."}),
        ({"a.txt": CANARY}, {"a.box": ""}),
        ({"a.box": f"m: {CANARY}\nn: Pears.\n"}, {"a.box": "n: Pears.\n"}),
        ({"a.box": f"m: {CANARY}\nn: Pears.\n"}, {"a.box": "m: \nn: Pears.\n"}),
        ({"a.box": "Xyzzyplugh: Figs.\nn: Pears.\n"}, {"a.box": "n: Pears.\n"}),
        ({"a.box": "Xyzzyplugh: \nn: Pears.\n"}, {"a.box": "n: Pears.\n"}),
        ({"xyzzyplugh/a.txt": "Apples."}, {"b.txt": "Apples."}),
        ({"xyzzyplugh.box": ""}, {"b.box": ""}),
    ],
    ids="edit fails member failing-member member-name failed-name rename failed-rename".split(),
)
def test_deleted_means_gone_from_the_bytes_on_disk(
    kb: KnowledgeBase, synced: Synced, tmp_path: Path, before: dict[str, str], after: dict[str, str]
) -> None:
    synced({"other.txt": "Pears. " * 50, **before})
    assert on_disk(kb.path, b"xyzzyplugh")
    shutil.rmtree(tmp_path / "docs")
    synced({"other.txt": "Pears. " * 50, **after})
    assert on_disk(kb.path, b"xyzzyplugh") == []
    kb.close()


def test_a_deleted_copy_leaves_the_other_and_the_last_one_takes_all(
    make_kb: MakeKb, tmp_path: Path
) -> None:
    kb = make_kb({"a.txt": CANARY, "copy.txt": CANARY, "b.txt": "Pears."})
    (tmp_path / "kb-docs" / "a.txt").unlink()
    kb.sync()
    assert kb.search("canary", k=1)[0].source == "copy.txt"
    (tmp_path / "kb-docs" / "copy.txt").unlink()
    kb.sync()
    assert on_disk(kb.path, b"xyzzyplugh") == []


def test_what_an_interrupted_repair_left_is_deleted(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb({"a.txt": "Apples."})
    write_folder(tmp_path / "kb", {"repair.partial/knowledge.sqlite": CANARY, "x.partial": CANARY})
    kb.sync()
    assert on_disk(kb.path, b"xyzzyplugh") == []
