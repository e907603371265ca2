"""A sync that is killed at any point leaves each document old or new, and goes on from there.

``KILLS`` in the environment says how often: ``make test-faults`` does it 200 times.
"""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import crash
import pytest
from equality import assert_equal
from samples import open_kb

from rag import KnowledgeBase
from rag.embed import HashingEmbedder
from rag.load.registry import load_file
from rag.store.maintenance.verify import STALE
from rag.store.schema import DATABASE
from rag.types import Progress, Vectors

KILLS = int(os.environ.get("KILLS", "15"))
WORDS = "apple pear plum fig date tree wheel boat water river cloud stone".split()


class Remembering(HashingEmbedder):
    """Remembers the digests of what it embedded."""

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self.embedded.extend(hashlib.sha256(text.encode()).hexdigest() for text in texts)
        return super().embed_documents(texts, progress)


def change(folder: Path, rng: random.Random) -> None:
    """Some adds, edits, renames, copies and deletes."""
    for _ in range(rng.randint(1, 6)):
        files = sorted(path for path in folder.iterdir() if path.is_file())
        action = rng.choice(["write", "write", "edit", "rename", "copy", "delete"])
        path, name = rng.choice(files) if files else None, folder / f"{rng.randrange(40):02}.txt"
        if action == "write" or path is None:
            count = 3000 if rng.random() < 1 / 6 else rng.randint(5, 400)
            name.write_text(" ".join(rng.choices(WORDS, k=count)) + ".")
        elif action == "edit":
            path.write_text(path.read_text() + f" Edited {rng.randrange(10**6)}.")
        elif action == "rename":
            path.replace(name)
        elif action == "copy":
            name.write_text(path.read_text())
        else:
            path.unlink()


def texts_of(folder: Path) -> dict[str, str]:
    files = (path for path in folder.iterdir() if path.is_file())
    return {p.name: load_file(p.read_bytes(), p.name).documents[0].text for p in files}


def kept_vectors(index: Path) -> set[str]:
    with closing(sqlite3.connect(index / DATABASE)) as database:
        return {row[0] for row in database.execute("SELECT text_sha256 FROM vectors")}


def stored(kb: KnowledgeBase) -> dict[str, str]:
    return {source: kb.document(source).text for source in kb.sources()}


@pytest.mark.parametrize("seed", range(0, KILLS, 5))
def test_a_killed_sync_leaves_each_document_old_or_new(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    folder, index = tmp_path / "docs", tmp_path / "index"
    folder.mkdir()
    killed, statements, took = 0, 0, 1.0
    while killed < min(5, KILLS - seed):
        change(folder, rng)
        embedder = Remembering()
        with open_kb(index, embedder) as kb:
            old = stored(kb) if index.exists() else {}
        new = texts_of(folder)
        if rng.random() < 0.5:
            done, _ = crash.run(crash.sync, index, folder, at=rng.randint(1, statements or 200))
        else:
            done, _ = crash.run(crash.sync, index, folder, after=rng.uniform(0, took))
        killed += done is None
        with open_kb(index, embedder) as kb:
            assert set(kb.verify()) <= {STALE}
            for source, text in stored(kb).items():
                assert text in (old.get(source), new.get(source))
            kb.search("apple pear", k=3)
            known = kept_vectors(index)
            if rng.random() < 0.7:  # else it is changed and killed once more
                kb.sync(folder)
                assert not known & set(embedder.embedded)
                assert len(embedder.embedded) == len(set(embedder.embedded))
                assert stored(kb) == new
                assert kb.verify() == []
        change(folder, rng)
        finished, took = crash.run(crash.sync, index, folder)
        statements = finished or statements
    with (
        open_kb(index) as kb,
        open_kb(tmp_path / "fresh") as fresh,
    ):
        fresh.sync(folder)
        assert_equal(kb, fresh)
        assert kb.verify() == []


def test_a_killed_restore_leaves_the_old_index_or_the_new(tmp_path: Path) -> None:
    rng = random.Random(1)
    folder, index, file = tmp_path / "docs", tmp_path / "index", tmp_path / "backup.zip"
    folder.mkdir()
    for _ in range(4):
        change(folder, rng)
    with open_kb(index) as kb:
        kb.sync(folder)
        kb.backup(file)
        states = [stored(kb)]
        for path in sorted(folder.iterdir())[::2]:
            path.write_text("Something else.")
        kb.sync()
        states.append(stored(kb))
    assert states[0] != states[1]
    _, took = crash.run(crash.restore, index, file)
    for _ in range(max(4, KILLS // 5)):
        with open_kb(index) as kb:
            kb.sync(folder)
        crash.run(crash.restore, index, file, after=rng.uniform(0, took))
        with open_kb(index) as kb:
            assert set(kb.verify()) <= {STALE}
            assert stored(kb) in states
            kb.sync(folder)
            assert stored(kb) == states[1]
            assert kb.verify() == []
            assert not list(index.glob("*.partial"))
