"""Several folders in one knowledge base, and folders that are gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes_embed import CountingEmbedder
from samples import MakeKb, open_kb, write_folder

from rag.errors import KnowledgeBaseError
from rag.indexing.folders import Folders, Seen


@pytest.fixture
def a(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "a", {"x.txt": "Apples.", "sub/y.txt": "Figs."})


@pytest.fixture
def b(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "b", {"x.txt": "Pears."})


def test_the_same_name_in_two_folders_are_two_documents(make_kb: MakeKb, a: Path, b: Path) -> None:
    kb = make_kb()
    report = kb.sync([a, b])
    assert report.added == ("a/sub/y.txt", "a/x.txt", "b/x.txt")
    assert kb.document("a/x.txt").text == "Apples."
    assert kb.document("b/x.txt").text == "Pears."
    assert (kb.folder, kb.folders) == (a, (a, b))
    assert kb.sync([a, b]).unchanged == 3


def test_a_second_folder_embeds_only_what_is_new(tmp_path: Path, a: Path, b: Path) -> None:
    embedder = CountingEmbedder()
    with open_kb(tmp_path / "kb", embedder) as kb:
        kb.sync(a)
        before = list(embedder.embedded)
        kb.sync([a, b])
        assert embedder.embedded[len(before) :] == ["Pears."]
        kb.sync(a)
        assert kb.sources() == ["sub/y.txt", "x.txt"]
        assert len(embedder.embedded) == len(before) + 1
        assert kb.verify() == []


def test_two_folders_of_one_name_are_refused(make_kb: MakeKb, tmp_path: Path, a: Path) -> None:
    other = write_folder(tmp_path / "other" / "a", {"z.txt": "Plums."})
    kb = make_kb()
    with pytest.raises(KnowledgeBaseError, match=r"two folders are named 'a'.*link"):
        kb.sync([a, other])
    (tmp_path / "plums").symlink_to(other)
    assert "plums/z.txt" in kb.sync([a, tmp_path / "plums"]).added


def test_a_folder_named_twice_counts_once(make_kb: MakeKb, tmp_path: Path, a: Path) -> None:
    (tmp_path / "link").symlink_to(a)
    kb = make_kb()
    assert kb.sync([a, a / ".." / "a", tmp_path / "link"]).added == (
        "sub/y.txt",
        "x.txt",
    )


def test_a_file_of_overlapping_folders_counts_for_the_first(make_kb: MakeKb, a: Path) -> None:
    kb = make_kb()
    assert kb.sync([a, a / "sub"]).added == ("a/sub/y.txt", "a/x.txt")
    assert kb.sync([a / "sub", a]).added == ("sub/y.txt",)
    assert kb.sources() == ["a/x.txt", "sub/y.txt"]
    (a / ".ragignore").write_text("sub\n")
    kb.sync([a, a / "sub"])
    assert kb.sources() == ["a/x.txt", "sub/y.txt"]


def test_adding_goes_to_the_first_folder_and_removing_to_the_right_one(
    make_kb: MakeKb, tmp_path: Path, a: Path, b: Path
) -> None:
    kb = make_kb()
    kb.sync([a, b])
    new = write_folder(tmp_path / "new", {"n.txt": "Dates."}) / "n.txt"
    assert kb.add([new]).added == ("a/n.txt",)
    assert kb.remove("b/x.txt").deleted == ("b/x.txt",)
    assert (b / ".removed" / "x.txt").read_text() == "Pears."
    assert (a / "x.txt").exists()
    assert kb.remove("a/sub/y.txt").deleted == ("a/sub/y.txt",)
    assert (a / ".removed" / "sub" / "y.txt").read_text() == "Figs."


def test_a_missing_folder_changes_nothing(make_kb: MakeKb, a: Path, b: Path) -> None:
    kb = make_kb()
    kb.sync([a, b])
    b.rename(b.parent / "moved")
    with pytest.raises(KnowledgeBaseError, match=r"no folder '.*b'"):
        kb.sync()
    assert kb.sources() == ["a/sub/y.txt", "a/x.txt", "b/x.txt"]
    assert kb.search("pears")[0].source == "b/x.txt"
    (b.parent / "moved").rename(b)
    assert kb.sync().unchanged == 3


def test_an_emptied_folder_is_emptied_but_not_one_whose_drive_is_gone(
    make_kb: MakeKb, tmp_path: Path, a: Path
) -> None:
    """What is left of a mounted drive is an empty folder on another device."""
    kb = make_kb()
    kb.sync(a)
    store = kb._open()
    ((path, device, files),) = store.followed()
    assert (path, device, files) == (str(a), a.stat().st_dev, 2)
    (a / "x.txt").rename(tmp_path / "kept-x")
    (a / "sub" / "y.txt").rename(tmp_path / "kept-y")
    store.follow([(path, a.stat().st_dev + 1, files)])
    with pytest.raises(KnowledgeBaseError, match=r"another device.*2 files.*mounted"):
        kb.sync()
    assert kb.sources() == ["sub/y.txt", "x.txt"]
    store.follow([(path, device, files)])
    assert kb.sync().deleted == ("sub/y.txt", "x.txt")


def test_a_folder_may_move_to_another_device_with_its_files(a: Path, tmp_path: Path) -> None:
    folders = Folders.of(a)
    listing, seen = folders.listing(tmp_path / "index", {a: Seen(1, 9)})
    assert [file.source for file in listing.files] == ["sub/y.txt", "x.txt"]
    assert seen == [Seen(a.stat().st_dev, 2)]


def test_what_cannot_be_listed_is_kept_and_reported(
    make_kb: MakeKb, a: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kb = make_kb()
    kb.sync(a)
    (a / "x.txt").unlink()
    real = os.scandir

    def refused(path: str | Path = ".") -> object:
        if Path(path) == a / "sub":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refused)
    report = kb.sync()
    assert report.deleted == ("x.txt",)
    (failure,) = report.failed
    assert (failure.source, "Permission denied" in failure.reason) == ("sub", True)
    assert kb.sources() == ["sub/y.txt"]
    monkeypatch.undo()
    (a / "sub" / "y.txt").unlink()
    assert kb.sync().deleted == ("sub/y.txt",)


def test_no_folder_at_all_is_refused(tmp_path: Path) -> None:
    with open_kb(tmp_path / "kb") as kb:
        with pytest.raises(KnowledgeBaseError, match="no folder is named"):
            kb.sync([])
        with pytest.raises(KnowledgeBaseError, match="follows no folder yet"):
            kb.sync()


def test_a_rebuild_that_cannot_begin_changes_nothing(
    make_kb: MakeKb, a: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kb = make_kb()
    kb.sync(a)

    def scandir(path: object) -> object:  # root, who may run the tests, is refused nothing
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", scandir)
    with pytest.raises(KnowledgeBaseError, match="nothing was changed"):
        kb.sync(a, rebuild=True)
    assert kb.sources() == ["sub/y.txt", "x.txt"]
