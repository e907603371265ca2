"""One bad document costs that document; a huge file is refused; work ends when it is told to."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from equality import assert_equal
from samples import open_kb, write_folder

from rag import KnowledgeBase, Settings
from rag.embed import HashingEmbedder, SentenceTransformerEmbedder
from rag.errors import CancelledError, KnowledgeBaseError, ModelError
from rag.indexing.write_lock import PROGRESS
from rag.indexing.writer import CHUNKS_PER_BATCH
from rag.load.registry import load_file
from rag.store.maintenance.verify import problems
from rag.types import Progress, Vectors

FAULT = "a fault of this program; its log has the details"


class Fragile(HashingEmbedder):
    """Fails for texts that hold certain words, as a tokenizer or a model may; counts its work."""

    def __init__(self) -> None:
        self.counted = self.embedded = 0
        self.texts: list[str] = []

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        self.counted += 1
        if any("uncountable" in text for text in texts):
            raise RecursionError("maximum recursion depth exceeded")
        return super().count_tokens(texts)

    def embed_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        if any("indigestible" in text for text in texts):
            raise RuntimeError("a tensor\nof another shape")
        self.texts += texts
        return super().embed_documents(texts, progress)


class Broken(HashingEmbedder):
    """Can embed nothing."""

    def embed_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        raise RuntimeError("no kernel image")


def packed(members: Mapping[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return data.getvalue()


def topics(first: int, count: int) -> str:
    """A text of about so many chunks, with the smallest chunks that can be set."""
    numbers = range(first, first + count)
    return "\n\n".join(f"Topic {i} is told of here in some words." for i in numbers)


def small_kb(index: Path, most: int, embedder: HashingEmbedder | None = None) -> KnowledgeBase:
    settings = Settings(chunk_tokens=16, chunk_overlap=0, max_chunks_per_file=most)
    return KnowledgeBase(index, settings, embedder=embedder or Fragile(), load=load_file)


@pytest.mark.parametrize("word", ["uncountable", "indigestible"])
def test_a_document_that_cannot_be_indexed_costs_that_document(
    tmp_path: Path, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": "Apples.", "gone.txt": "Plums."})
    embedder = Fragile()
    with open_kb(tmp_path / "index", embedder) as kb:
        kb.sync(folder)
        (folder / "gone.txt").unlink()
        write_folder(folder, {"bad.txt": f"An {word} text.", "c.txt": "Figs.", "d.txt": "Dates."})
        report = kb.sync()
        assert (report.added, report.deleted) == (("c.txt", "d.txt"), ("gone.txt",))
        [failure] = report.newly_failed
        assert failure.source == "bad.txt"
        assert "\n" not in failure.reason
        assert failure.reason.endswith(FAULT)
        assert "bad.txt cannot be indexed" in caplog.text
        assert "Traceback" in caplog.text
        assert kb.sources() == ["a.txt", "c.txt", "d.txt"]
        assert kb.verify() == []

        counted = embedder.counted
        again = kb.sync()
        assert [f.source for f in again.failed] == ["bad.txt"]
        assert again.newly_failed == ()
        assert embedder.counted == counted, "it is not tried again"
        write_folder(folder, {"bad.txt": "A text that is no trouble."})
        assert kb.sync().added == ("bad.txt",)


def test_a_document_that_becomes_bad_is_no_longer_answered_from(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": "Apples.", "b.txt": "Pears."})
    with open_kb(tmp_path / "index", Fragile()) as kb:
        kb.sync(folder)
        write_folder(folder, {"a.txt": "Indigestible? No: indigestible apples."})
        assert [failure.source for failure in kb.sync().failed] == ["a.txt"]
        assert kb.sources() == ["b.txt"]


def test_a_bad_member_costs_not_the_archive(tmp_path: Path) -> None:
    members = {"a.txt": "Apples.", "bad.txt": "It is indigestible.", "worse.txt": "uncountable"}
    folder = write_folder(tmp_path / "docs", {"x.zip": packed(members), "y.zip": packed(members)})
    with open_kb(tmp_path / "index", Fragile()) as kb:
        report = kb.sync(folder)
        assert report.added == ("x.zip/a.txt", "y.zip/a.txt")
        assert [failure.source for failure in report.failed] == [
            f"{name}.zip/{member}.txt" for name in "xy" for member in ("bad", "worse")
        ]
        assert kb.verify() == []


def test_a_text_that_is_no_unicode_costs_that_file(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": "Apples.", "b.txt": "Pears."})

    def load(data: bytes, source: str) -> object:
        loaded = load_file(data, source)
        if source == "b.txt":
            document = replace(loaded.documents[0], text="Half a pair: \ud83d.")
            return replace(loaded, documents=(document,))
        return loaded

    with KnowledgeBase(tmp_path / "index", embedder=HashingEmbedder(), load=load) as kb:  # type: ignore[arg-type]
        report = kb.sync(folder)
    assert report.added == ("a.txt",)
    assert [failure.source for failure in report.failed] == ["b.txt"]


def test_an_embedder_that_fails_for_all_is_no_files_fault(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": "Apples.", "b.txt": "Pears."})
    with (
        open_kb(tmp_path / "index", Broken()) as kb,
        pytest.raises(ModelError, match=r"fails whatever the text .*RAG_EMBEDDER"),
    ):
        kb.sync(folder)
    with open_kb(tmp_path / "index") as kb:
        assert kb.status()["failed"] == []
        assert kb.sync(folder).added == ("a.txt", "b.txt")


def test_a_file_of_too_many_chunks_is_refused_until_more_are_allowed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": topics(0, 4), "big.txt": topics(4, 40)})
    embedder = Fragile()
    with small_kb(tmp_path / "index", 10, embedder) as kb:
        report = kb.sync(folder)
        assert report.added == ("a.txt",)
        [failure] = report.failed
        assert failure.source == "big.txt"
        assert "about 41 passages" in failure.reason
        assert "RAG_MAX_CHUNKS_PER_FILE" in failure.reason
        assert len(embedder.texts) == 4, "none of it is embedded"
        counted = embedder.counted
        assert kb.sync().newly_failed == ()
        assert embedder.counted == counted, "it is not cut again"
        assert kb.verify() == []
    with small_kb(tmp_path / "index", 40) as kb:
        report = kb.sync()
        assert (report.added, report.failed) == (("big.txt",), ())


def test_the_chunks_of_an_archive_are_counted_together(tmp_path: Path) -> None:
    members = {f"{i}.txt": topics(6 * i, 6) for i in range(3)}
    folder = write_folder(tmp_path / "docs", {"big.zip": packed(members), **members})
    with small_kb(tmp_path / "index", 17) as kb:
        report = kb.sync(folder)
        assert report.added == ("0.txt", "1.txt", "2.txt")
        assert [failure.source for failure in report.failed] == ["big.zip"]
        assert "about 18 passages" in report.failed[0].reason
    with small_kb(tmp_path / "all", 18) as kb:
        assert kb.sync(folder).failed == ()
        assert kb.status()["chunks"] == 18


def test_what_is_stored_already_counts_as_well(tmp_path: Path) -> None:
    members = {f"{i}.txt": topics(6 * i, 6) for i in range(3)}
    folder = write_folder(tmp_path / "docs", members)
    with small_kb(tmp_path / "index", 17) as kb, small_kb(tmp_path / "fresh", 17) as fresh:
        kb.sync(folder)
        write_folder(folder, {"big.zip": packed(members)})
        assert kb.sync().failed == fresh.sync(folder).failed
        assert len(kb.status()["failed"]) == 1
        assert_equal(kb, fresh)


def test_work_on_one_large_file_ends_with_the_batch_that_is_embedded(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": topics(0, 400)})
    embedder = Fragile()

    def cancel(stage: str, done: int, total: int) -> None:
        if len(embedder.texts) >= 3 * CHUNKS_PER_BATCH:
            raise CancelledError

    with small_kb(tmp_path / "index", 500, embedder) as kb:
        report = kb.sync(folder, cancel)
        assert (report.added, report.left) == ((), 1)
        assert len(embedder.texts) == 3 * CHUNKS_PER_BATCH
        assert problems(tmp_path / "index") == []
        assert kb.sync(folder).added == ("a.txt",)
        assert len(embedder.texts) == len(set(embedder.texts)), "what was embedded is kept"


def test_a_large_file_need_not_be_cut_to_its_end(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": topics(0, 3000)})
    embedder = Fragile()

    def cancel(stage: str, done: int, total: int) -> None:
        if stage.startswith("Indexing"):
            raise CancelledError

    with small_kb(tmp_path / "index", 5000, embedder) as kb:
        assert kb.sync(folder, cancel).left == 1
        assert embedder.counted <= 3
        kb.sync(folder)
        assert embedder.counted > 1000


def test_what_is_being_written_is_taken_back_as_a_whole(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": topics(0, 600)})
    shares: list[int] = []

    def cancel(stage: str, done: int, total: int) -> None:
        shares.append(done)
        if done == total and shares.count(done) > 2:  # all is embedded, some rows are written
            raise CancelledError

    embedder = Fragile()
    with small_kb(tmp_path / "index", 5000, embedder) as kb:
        assert kb.sync(folder, cancel).added == ()
        assert kb.status()["chunks"] == 0
        embedded = len(embedder.texts)
        assert embedded >= 600
        assert kb.sync(folder).added == ("a.txt",)
        assert len(embedder.texts) == embedded
        assert kb.verify() == []


def test_who_wants_to_change_the_index_too_is_told_how_far_the_other_is(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {f"{i}.txt": topics(i, 1) for i in range(4)})
    told: list[str] = []
    shares: list[str] = []

    def sync_too(stage: str, done: int, total: int) -> None:
        if stage.startswith("Reading 3") and not told:
            monkey.setattr("rag.indexing.write_lock._SECONDS_BETWEEN_NOTES", 0.0)
            monkey.setattr("rag.indexing.write_lock.PATIENCE", 0.2)
        elif stage.startswith("Indexing") and not told:
            with (
                open_kb(tmp_path / "index") as other,
                pytest.raises(KnowledgeBaseError) as caught,
            ):
                other.sync(folder)
            told.append(str(caught.value))
            shares.append(f"{done / total:.0%}")

    with pytest.MonkeyPatch.context() as monkey, open_kb(tmp_path / "index") as kb:
        kb.sync(folder, sync_too)
    assert f"another sync (process {os.getpid()}, for 0 min, {shares[0]} done)" in told[0]
    assert shares != ["0%"]
    assert not (tmp_path / "index" / PROGRESS).exists()


def test_ctrl_c_keeps_what_was_embedded(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": topics(0, 400)})

    class Interrupted(Fragile):
        is_over = False

        def embed_documents(
            self, texts: Sequence[str], progress: Progress | None = None
        ) -> Vectors:
            if len(self.texts) == 2 * CHUNKS_PER_BATCH and not self.is_over:
                self.is_over = True
                raise KeyboardInterrupt
            return super().embed_documents(texts, progress)

    embedder = Interrupted()
    with small_kb(tmp_path / "index", 500, embedder) as kb:
        with pytest.raises(KeyboardInterrupt):
            kb.sync(folder)
        assert kb.sync(folder).added == ("a.txt",)
        assert len(embedder.texts) == len(set(embedder.texts))


def test_too_little_memory_for_torch_is_no_files_fault() -> None:
    class Full:
        """A model that torch has no memory for."""

        def encode(self, texts: Sequence[str], **options: object) -> None:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes")

    embedder = SentenceTransformerEmbedder("full")
    embedder._loaded = Full()  # type: ignore[assignment]
    with pytest.raises(MemoryError):
        embedder.embed_query("Apples")
