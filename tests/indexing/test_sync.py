"""A synced index equals a fresh build; what is deleted is gone; only what is new is embedded."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from equality import assert_equal
from fakes_embed import CountingEmbedder
from fakes_ocr import SquareEngine
from filelock import FileLock
from formats import FORMATS, NOT_WRITTEN
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import MakeKb, open_kb, write_folder

import rag.load
from rag import KnowledgeBase, Settings
from rag.errors import CancelledError, KnowledgeBaseError, ModelError
from rag.indexing.file_bytes import RACY_SECONDS
from rag.indexing.writer import CHUNKS_PER_GROUP
from rag.load import ocr
from rag.store.maintenance.verify import problems
from rag.types import Progress, Vectors

NAMES = st.sampled_from(["a.txt", "b.txt", "c.md", "sub/d.txt", "sub/e.md"])
TEXTS = st.sampled_from(
    [
        "Apples grow on trees. Apples are red.",
        "Pears grow on trees. They are sweet.",
        "# Cars\n\nCars have four wheels.\n\n# Boats\n\nBoats float on water.",
        "Wheels float. Trees grow. Water is sweet. " * 12,
        "苹果长在树上。苹果是红色的。",
        "Red apples. " * 3,
        "",
    ]
)
PLAIN = st.sampled_from(
    [
        "Apples grow on trees. Apples are red.",
        "Pears grow on trees. They are sweet.",
        "Wheels float. Trees grow. Water is sweet. " * 12,
        "Red apples. " * 3,
    ]
)
Step = tuple[str, str, str]


def steps(names: st.SearchStrategy[str], texts: st.SearchStrategy[str]) -> Any:
    """What may happen to a folder, and when it is synced, alone or with another."""
    nothing = st.just("")
    return st.lists(
        st.one_of(
            st.tuples(st.just("write"), names, texts),
            st.tuples(st.just("delete"), names, nothing),
            st.tuples(st.just("rename"), names, names),
            st.tuples(st.just("copy"), names, names),
            st.tuples(st.just("ignore"), names, nothing),
            st.tuples(st.sampled_from(["sync", "sync both"]), nothing, nothing),
        ),
        min_size=1,
        max_size=12,
    )


def take(folder: Path, step: Step) -> None:
    """Do to the files what a step says."""
    action, name, argument = step
    path, other = folder / name, folder / argument
    if action == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FORMATS["".join(path.suffixes)](argument))
    elif action == "delete":
        path.unlink(missing_ok=True)
    elif action in ("rename", "copy") and path.exists() and name != argument:
        other.parent.mkdir(exist_ok=True)
        if action == "rename":
            path.replace(other)
        else:
            shutil.copyfile(path, other)
    elif action == "ignore":
        (folder / ".ragignore").write_text(name)


def check_equal_to_a_rebuild(taken: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        folder = write_folder(root / "docs", {})
        more = write_folder(root / "more", {"a.txt": "Apples grow on trees. Apples are red."})
        followed = [folder]
        with open_kb(root / "synced") as synced:
            for step in taken:
                if step[0].startswith("sync"):
                    followed = [folder, more] if step[0] == "sync both" else [folder]
                    synced.sync(followed)
                take(folder, step)
            report = synced.sync(followed)
            with open_kb(root / "fresh") as fresh:
                assert fresh.sync(followed).failed == report.failed
                assert_equal(synced, fresh)
            assert synced.verify() == []


@settings(max_examples=40)
@given(steps(NAMES, TEXTS))
def test_a_synced_index_equals_a_fresh_build(taken: list[Step]) -> None:
    check_equal_to_a_rebuild(taken)


@pytest.mark.slow
@settings(max_examples=30)
@given(steps(st.sampled_from([f"{n}{s}" for s in FORMATS for n in ("a", "sub/b")]), PLAIN))
def test_a_synced_index_equals_a_fresh_build_with_every_format(taken: list[Step]) -> None:
    with ocr.using(SquareEngine()):
        check_equal_to_a_rebuild(taken)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_of_every_format_is_found_by_its_words(
    make_kb: MakeKb, tmp_path: Path, suffix: str
) -> None:
    kb = make_kb({"other.txt": "Pears are sweet."})
    (tmp_path / "kb-docs" / f"x{suffix}").write_bytes(FORMATS[suffix]("Apples grow on trees."))
    with ocr.using(SquareEngine()):
        report = kb.sync()
    assert report.failed == ()
    assert all(source.startswith(f"x{suffix}") for source in report.added)
    (hit,) = kb.search("apples trees", k=1)
    assert hit.source in report.added
    assert "Apples grow on trees." in hit.text


def test_every_kind_that_loads_has_a_file_to_try_it_with() -> None:
    tried = {
        rag.load.registry.kind_of(make("Words."), f"a{suffix}") for suffix, make in FORMATS.items()
    }
    assert tried | NOT_WRITTEN == set(rag.load.registry._FORMATS)


def test_the_report_names_what_happened(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb({"a.txt": "Apples.", "b.txt": "Pears.", "c.txt": "Plums."})
    folder = tmp_path / "kb-docs"
    write_folder(folder, {"a.txt": "Apples and figs.", "d.txt": "Dates."})
    (folder / "b.txt").unlink()
    (folder / "e.txt").write_bytes(b"")
    report = kb.sync(folder).to_dict()
    assert report.pop("seconds") >= 0
    assert report.pop("failed")[0]["source"] == "e.txt"
    assert report == {
        "added": ["d.txt"],
        "updated": ["a.txt"],
        "deleted": ["b.txt"],
        "unchanged": 1,
    }


def test_a_file_that_stops_loading_is_no_longer_answered_from(
    make_kb: MakeKb, tmp_path: Path
) -> None:
    kb = make_kb({"a.txt": "Apples.", "b.txt": "Pears."})
    (tmp_path / "kb-docs" / "a.txt").write_bytes(b"")
    report = kb.sync(tmp_path / "kb-docs")
    assert [failure.source for failure in report.failed] == ["a.txt"]
    assert kb.sources() == ["b.txt"]
    assert all(hit.source == "b.txt" for hit in kb.search("apples pears"))


def test_only_what_is_new_is_embedded(tmp_path: Path) -> None:
    long = "\n\n".join(f"Paragraph {i} tells of topic {i}. " * 9 for i in range(6))
    folder = write_folder(tmp_path / "docs", {"a.txt": long, "b.txt": "Pears."})
    embedder = CountingEmbedder()
    with open_kb(tmp_path / "index", embedder) as kb:
        kb.sync(folder)
        first = len(embedder.embedded)
        assert first > 6
        kb.sync(folder)
        (folder / "a.txt").rename(folder / "renamed.txt")
        write_folder(folder, {"copy.txt": "Pears."})
        assert kb.sync(folder).added == ("copy.txt", "renamed.txt")
        assert len(embedder.embedded) == first
        write_folder(folder, {"renamed.txt": long + "\n\nOne more paragraph stands at the end."})
        kb.sync(folder)
        assert 1 <= len(embedder.embedded) - first <= 2
        assert "One more paragraph" in embedder.embedded[-1]


def test_deleted_means_gone_from_the_bytes_on_disk(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb({"a.txt": "The canary Xyzzyplugh sings. " * 20, "b.txt": "Pears. " * 50})
    folder = tmp_path / "kb-docs"

    def on_disk(word: bytes) -> list[str]:
        files = (path for path in (tmp_path / "kb").iterdir() if path.is_file())
        return [path.name for path in files if word in path.read_bytes().lower()]

    assert on_disk(b"xyzzyplugh")
    (folder / "a.txt").rename(folder / "quux.txt")
    kb.sync(folder)
    assert not on_disk(b"a.txt")
    write_folder(folder, {"quux.txt": "The canary Frobnicate sings. " * 20})
    kb.sync(folder)
    assert on_disk(b"frobnicate")
    assert not on_disk(b"xyzzyplugh")
    (folder / "quux.txt").unlink()
    kb.sync(folder)
    assert not on_disk(b"frobnicate")
    assert not on_disk(b"quux")


def test_an_interrupted_sync_goes_on_where_it_stopped(tmp_path: Path) -> None:
    texts = {f"{i:02}.txt": f"Document {i} speaks of topic {i}. " * 400 for i in range(24)}
    folder = write_folder(tmp_path / "docs", texts)

    class Interrupting(CountingEmbedder):
        is_interrupted = False

        def embed_documents(
            self, texts: Sequence[str], progress: Progress | None = None
        ) -> Vectors:
            if any("Document 22 " in text for text in texts) and not self.is_interrupted:
                self.is_interrupted = True
                raise KeyboardInterrupt
            return super().embed_documents(texts, progress)

    embedder = Interrupting()
    with open_kb(tmp_path / "index", embedder) as kb:
        with pytest.raises(KeyboardInterrupt):
            kb.sync(folder)
        done = kb.sources()
        assert 0 < len(done) < len(texts)
        report = kb.sync(folder)
        assert report.unchanged == len(done)
        assert len(embedder.embedded) == len(set(embedder.embedded))
        with open_kb(tmp_path / "fresh") as fresh:
            fresh.sync(folder)
            assert_equal(kb, fresh)


def test_what_an_interrupted_sync_deleted_is_overwritten_by_the_next(
    make_kb: MakeKb, tmp_path: Path
) -> None:
    kb = make_kb({"a.txt": "The canary Xyzzyplugh sings. " * 20, "b.txt": "Pears. " * 50})
    (tmp_path / "kb-docs" / "a.txt").unlink()
    kb._open().write([], removed=["a.txt"])  # and the process ends before it can settle
    kb.close()
    kb.sync(tmp_path / "kb-docs")
    left = [p.name for p in (tmp_path / "kb").iterdir() if b"xyzzyplugh" in p.read_bytes().lower()]
    assert left == []


def test_a_sync_without_changes_writes_nothing(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb({"a.txt": "Apples."})
    kb.sync(tmp_path / "kb-docs")

    def state() -> dict[str, int]:
        return {name: (tmp_path / "kb" / name).stat().st_mtime_ns for name in ("dense.faiss",)}

    before = state()
    kb.sync(tmp_path / "kb-docs")
    assert state() == before


def test_an_index_within_the_folder_is_not_indexed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": "Apples."})
    with open_kb(folder / "index") as kb:
        for _ in range(2):
            report = kb.sync(folder)
            assert report.failed == ()
        assert kb.sources() == ["a.txt"]
    with (
        open_kb(folder) as kb,
        pytest.raises(KnowledgeBaseError, match="folder of the index"),
    ):
        kb.sync(folder)


def test_a_rebuild_reaches_those_who_have_the_index_open(make_kb: MakeKb, tmp_path: Path) -> None:
    reader = make_kb({"a.txt": "Apples.", "b.txt": "Pears."})
    assert len(reader.search("apples pears")) == 2
    (tmp_path / "kb-docs" / "b.txt").unlink()
    with open_kb(tmp_path / "kb") as other:
        other.sync(tmp_path / "kb-docs", rebuild=True)
    assert [hit.source for hit in reader.search("apples pears")] == ["a.txt"]
    reader.add([write_folder(tmp_path / "new", {"c.txt": "Plums."}) / "c.txt"])
    with open_kb(tmp_path / "kb") as other:
        assert other.sources() == ["a.txt", "c.txt"]
    assert problems(tmp_path / "kb") == []


def test_a_long_document_is_not_embedded_again_after_an_interruption(tmp_path: Path) -> None:
    text = " ".join(f"Sentence number {i} tells of topic {i} in some words." for i in range(9000))
    folder = write_folder(tmp_path / "docs", {"long.txt": text})

    class Interrupted(CountingEmbedder):
        def embed_documents(
            self, texts: Sequence[str], progress: Progress | None = None
        ) -> Vectors:
            if len(self.embedded) == CHUNKS_PER_GROUP:
                self.embedded.append("interrupted")
                raise KeyboardInterrupt
            return super().embed_documents(texts, progress)

    embedder = Interrupted()
    with open_kb(tmp_path / "index", embedder) as kb:
        with pytest.raises(KeyboardInterrupt):
            kb.sync(folder)
        assert kb.search("topic 5") == []
        assert problems(tmp_path / "index") == []
        kb.sync(folder)
        assert len(embedder.embedded) > CHUNKS_PER_GROUP + 1
        assert len(embedder.embedded) == len(set(embedder.embedded))
        assert kb.search("Sentence number 8999", k=1)


def test_a_rebuild_with_a_missing_model_changes_nothing(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb({"a.txt": "Apples."})
    missing = Settings(embedder=str(tmp_path / "nowhere"))
    with KnowledgeBase(tmp_path / "kb", missing) as other, pytest.raises(ModelError):
        other.sync(tmp_path / "kb-docs", rebuild=True)
    assert [hit.source for hit in kb.search("apples")] == ["a.txt"]


def test_a_sync_waits_not_for_ever(
    make_kb: MakeKb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kb = make_kb({"a.txt": "Apples."})
    monkeypatch.setattr("rag.indexing.write_lock.PATIENCE", 0.2)
    with (
        FileLock(tmp_path / "kb" / "sync.lock"),
        pytest.raises(KnowledgeBaseError, match="another sync"),
    ):
        kb.sync(tmp_path / "kb-docs")


def test_a_missing_folder_is_named_and_changes_nothing(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb({"a.txt": "Apples."})
    with pytest.raises(KnowledgeBaseError, match="nowhere"):
        kb.sync(tmp_path / "nowhere", rebuild=True)
    assert kb.sources() == ["a.txt"]


def test_same_name_in_two_folders_are_two_documents(make_kb: MakeKb) -> None:
    kb = make_kb({"a/x.txt": "Apples.", "b/x.txt": "Pears."})
    assert kb.sources() == ["a/x.txt", "b/x.txt"]
    assert kb.document("b/x.txt").text == "Pears."


def test_add_and_remove(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb({"a.txt": "Apples."})
    write_folder(tmp_path, {"new.txt": "Figs are soft."})
    assert kb.add([tmp_path / "new.txt"]).added == ("new.txt",)
    assert kb.search("figs", k=1)[0].source == "new.txt"
    assert kb.remove("new.txt").deleted == ("new.txt",)
    assert kb.sources() == ["a.txt"]
    removed = tmp_path / "kb-docs" / ".removed"
    assert (removed / "new.txt").read_text() == "Figs are soft."


def test_adding_touches_nothing_else(
    make_kb: MakeKb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.indexing.write_lock.PATIENCE", 0.2)
    kb = make_kb({"a.txt": "Apples.", "reports/x.txt": "Pears."})
    folder = tmp_path / "kb-docs"
    assert kb.add([folder / "a.txt"]).unchanged == 2
    write_folder(tmp_path / "new", {"reports": "Plums.", "good.txt": "Figs."})
    with pytest.raises(KnowledgeBaseError, match="a folder has that name"):
        kb.add([tmp_path / "new" / "good.txt", tmp_path / "new" / "reports"])
    assert not (folder / "good.txt").exists()
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    kb.add([write_folder(tmp_path / "new", {"link.txt": "Dates."}) / "link.txt"])
    assert not (tmp_path / "outside.txt").exists()
    assert kb.document("link.txt").text == "Dates."
    with FileLock(tmp_path / "kb" / "sync.lock"), pytest.raises(KnowledgeBaseError):
        kb.remove("a.txt")
    assert (folder / "a.txt").read_text() == "Apples."


def test_a_replaced_file_is_set_aside(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb({"a.txt": "Apples."})
    for text in ("Figs.", "Dates."):
        kb.add([write_folder(tmp_path / "new", {"a.txt": text}) / "a.txt"])
    assert kb.document("a.txt").text == "Dates."
    removed = tmp_path / "kb-docs" / ".removed"
    assert {p.name: p.read_text() for p in removed.iterdir()} == {
        "a.txt": "Apples.",
        "a (2).txt": "Figs.",
    }


def test_progress_is_one_total_over_all_groups(tmp_path: Path) -> None:
    texts = {f"{i:02}.txt": f"Topic {i}. " * 9000 for i in range(8)}
    folder = write_folder(tmp_path / "docs", texts)
    told: list[tuple[str, int, int]] = []
    with open_kb(tmp_path / "index") as kb:
        kb.sync(folder, lambda *step: told.append(step))
        shares = [done for _, done, _ in told]
        assert shares == sorted(shares), "it does not begin anew with each group"
        assert (told[0][1:], told[-1][1:]) == ((0, 1000), (1000, 1000))
        assert any(300 < done < 700 for done in shares)
        assert [stage for stage, _, _ in told if stage.startswith("Reading")] == [
            f"Reading {i:02}.txt ({i + 1} of 8)" for i in range(8)
        ]
        time.sleep(RACY_SECONDS)
        kb.sync()  # reads all once more, for they were changed just before they were read
        told.clear()
        write_folder(folder, {"08.txt": "One more topic."})
        kb.sync(None, lambda *step: told.append(step))
        assert told[0] == ("Reading 08.txt", 0, 1000), "what is the same is not counted"


@pytest.mark.slow
def test_a_cancelled_sync_keeps_what_is_whole_and_says_what_is_left(tmp_path: Path) -> None:
    texts = {f"{i}.txt": f"Topic {i}. " * 9000 for i in range(8)}
    folder = write_folder(tmp_path / "docs", {"old.txt": "An old topic.", "gone.txt": "Gone."})
    with open_kb(tmp_path / "index") as kb:
        kb.sync(folder)
        write_folder(folder, texts)
        (folder / "gone.txt").unlink()

        def cancel(stage: str, done: int, total: int) -> None:
            if stage.startswith("Reading 5"):
                raise CancelledError

        report = kb.sync(None, cancel)
        assert report.added
        assert set(report.added) < set(texts)
        assert report.left == len({*texts, "old.txt"}) - len(report.added), (
            "old.txt was just written too"
        )
        assert report.deleted == ()
        assert kb.sources() == sorted([*report.added, "gone.txt", "old.txt"])
        assert kb.verify() == []
        finished = kb.sync()
        assert (finished.left, finished.deleted) == (0, ("gone.txt",))
        assert {*report.added, *finished.added} == set(texts)
        with open_kb(tmp_path / "fresh") as fresh:
            fresh.sync(folder)
            assert_equal(kb, fresh)


def test_only_the_failures_of_this_sync_are_new(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": "Apples.", "bad.pdf": b"%PDF-1.4 no"})
    with open_kb(tmp_path / "index") as kb:
        report = kb.sync(folder)
        assert [f.source for f in report.newly_failed] == ["bad.pdf"]
        upload = write_folder(tmp_path / "new", {"b.txt": "Pears.", "c.pdf": b"%PDF-1.4 no more"})
        report = kb.add([upload / "b.txt", upload / "c.pdf"])
        assert [f.source for f in report.newly_failed] == ["c.pdf"]
        assert [f.source for f in report.failed] == ["c.pdf", "bad.pdf"]


def test_cancelled_uploads_are_counted(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {})
    new = write_folder(tmp_path / "new", {f"{i}.txt": f"Topic {i}." for i in range(4)})
    with open_kb(tmp_path / "index") as kb:
        kb.sync(folder)

        def cancel(stage: str, done: int, total: int) -> None:
            if stage != "Checking 0.txt":
                raise CancelledError

        report = kb.add(sorted(new.iterdir()), cancel)
        assert (report.added, report.left) == ((), 4)
        assert (folder / "0.txt").exists()
        assert not (folder / "1.txt").exists()
        assert kb.sync().added == ("0.txt",)
