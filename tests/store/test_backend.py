"""Which store holds an index is said by one setting."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from samples import open_kb, write_folder

from rag import KnowledgeBase, Settings
from rag.cli import main
from rag.embed import HashingEmbedder
from rag.errors import SettingsError
from rag.load.registry import load_file
from rag.store.backend import BACKENDS, LocalBackend, Manifest
from rag.store.port import KnowledgeStore


class Elsewhere(LocalBackend):
    """Holds the index of a folder beside it, and remembers where."""

    def __init__(self) -> None:
        self.opened: list[Path] = []

    def exists(self, path: Path) -> bool:
        return super().exists(path.with_suffix(".held"))

    def open(self, path: Path, manifest: Manifest, *, rebuild: bool = False) -> KnowledgeStore:
        self.opened.append(path)
        return super().open(path.with_suffix(".held"), manifest, rebuild=rebuild)


def test_a_row_in_the_registry_is_all_that_the_rest_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Elsewhere()
    monkeypatch.setitem(BACKENDS, "elsewhere", lambda: elsewhere)
    docs = write_folder(tmp_path / "docs", {"a.txt": "Apples grow on trees."})
    settings, index = Settings(store="elsewhere"), tmp_path / "index"
    with KnowledgeBase(index, settings, embedder=HashingEmbedder(), load=load_file) as kb:
        assert kb.sources() == [] == elsewhere.opened
        kb.sync(docs)
        kb.sync(docs, rebuild=True)
        assert [hit.source for hit in kb.search("apples")] == ["a.txt"]
    assert set(elsewhere.opened) == {index}
    assert open_kb(index).sources() == [], "nothing stands where the local store looks"
    monkeypatch.setenv("RAG_STORE", "elsewhere")
    monkeypatch.setenv("RAG_EMBEDDER", "hashing")
    run = CliRunner().invoke(main, ["search", "apples", "--index", str(index)])
    assert run.stdout.startswith("1. a.txt 0:21"), run.output


def test_an_unknown_store_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="setting store is 'redis': use local"):
        KnowledgeBase(tmp_path, Settings(store="redis"))


@pytest.mark.parametrize(
    "command", [["status"], ["index", "."], ["questions", "draft", ".", "--out", "q.jsonl"]]
)
def test_the_command_line_says_which_stores_there_are(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_STORE", "redis")
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke(main, command)
    assert (run.exit_code, run.stderr) == (1, "rag: setting store is 'redis': use local\n")
