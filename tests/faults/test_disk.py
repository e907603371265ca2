"""A full disk and too little memory: an error of one line, nothing lost, and it goes on after."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from equality import assert_equal
from samples import open_kb, write_folder

from rag.cli import main
from rag.embed import HashingEmbedder
from rag.store.maintenance.verify import STALE
from rag.types import Progress, Vectors

TEXTS = {f"{i:02}.txt": f"Document {i} speaks of topic {i}. " * 60 for i in range(40)}


def index_with_room(index: Path, folder: Path, room: int) -> subprocess.CompletedProcess[str]:
    """``rag index`` in a process none of whose files may grow beyond ``room`` bytes."""
    return subprocess.run(
        [sys.executable, "-m", "rag", "index", str(folder), "--index", str(index)],
        capture_output=True,
        text=True,
        env={**os.environ, "RAG_EMBEDDER": "hashing"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
        timeout=300,
    )


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9])
def test_a_full_disk_loses_nothing(tmp_path: Path, share: float) -> None:
    folder, index = write_folder(tmp_path / "docs", TEXTS), tmp_path / "index"
    with open_kb(tmp_path / "fresh") as fresh:
        fresh.sync(write_folder(tmp_path / "new", TEXTS | {"00.txt": "Apples.", "99.txt": "Figs."}))
        needed = (tmp_path / "fresh" / "knowledge.sqlite").stat().st_size
        old = dict(list(TEXTS.items())[:5])
        with open_kb(index) as kb:
            kb.sync(write_folder(tmp_path / "few", old))
            begun = (index / "knowledge.sqlite").stat().st_size
        failed = index_with_room(index, tmp_path / "new", int(begun + share * (needed - begun)))
        assert failed.returncode == 1, failed.stderr
        assert failed.stderr.count("\n") == 1
        assert failed.stderr.startswith("rag: the index in ")
        assert "nothing is lost" in failed.stderr
        with open_kb(index) as kb:
            assert set(kb.verify()) <= {STALE}
            for source in kb.sources():
                assert kb.document(source) in (
                    fresh.document(source),
                    *([kb.document(source)] if kb.document(source).text == old.get(source) else []),
                )
            kb.sync(tmp_path / "new")
            assert kb.verify() == []
            assert_equal(kb, fresh, ("topic 7", "apples"))
    assert folder.is_dir()


class Hungry(HashingEmbedder):
    """Has no memory left for texts that hold some words."""

    def __init__(self, words: str) -> None:
        self.words = words

    def embed_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        if any(self.words in text for text in texts):
            raise MemoryError
        return super().embed_documents(texts, progress)


def test_out_of_memory_keeps_what_was_done(tmp_path: Path) -> None:
    texts = {f"{i:02}.txt": f"Document {i} speaks of topic {i}. " * 400 for i in range(24)}
    folder = write_folder(tmp_path / "docs", texts)
    with open_kb(tmp_path / "index", Hungry("Document 22 ")) as kb:
        with pytest.raises(MemoryError):
            kb.sync(folder)
        done = kb.sources()
        assert 0 < len(done) < len(texts)
        assert set(kb.verify()) <= {STALE}
    with open_kb(tmp_path / "index") as kb:
        assert kb.sync(folder).unchanged == len(done)
        assert kb.verify() == []


def test_the_command_says_so_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "docs", {"a.txt": "Apples."})
    monkeypatch.setattr("rag.knowledge_base.make_embedder", lambda _: Hungry("Apples"))
    result = CliRunner().invoke(main, ["index", str(folder), "--index", str(tmp_path / "index")])
    assert result.exit_code == 1
    assert result.stderr == "rag: out of memory; what was done is kept: close other programs\n"
