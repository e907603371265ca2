"""An index of an earlier format is brought up to date, whole or not at all; a newer is refused."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from format1 import write_format1
from samples import open_kb, write_folder

from rag.embed import HashingEmbedder
from rag.errors import KnowledgeBaseError
from rag.store import schema
from rag.store.migrate import migrate
from rag.store.schema import DATABASE, FORMAT_VERSION
from rag.types import Document, Heading, Page, Progress, Vectors

APPLES = Document("apples.txt", "Apples grow on trees.")
COPY = Document("copy.txt", "Apples grow on trees.")
CARS = Document("cars.md", "# Cars\n\nCars have wheels.", "Cars", (), (Heading(1, 2, 6),))
PAGES = Document("two.pdf", "Pears.\n\nPlums.", "", (Page(1, 0, 8), Page(2, 8, 14)))


class NothingNew(HashingEmbedder):
    """Embeds questions alone."""

    def embed_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        raise AssertionError(f"embedded again: {texts}")

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = super().embed_documents([text])[0]
        return vector


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder, and ``index`` beside it as format 1 had it."""
    files = {
        "apples.txt": APPLES.text,
        "copy.txt": COPY.text,
        "cars.md": "# Cars\n\nCars have wheels.",
    }
    folder = write_folder(tmp_path / "docs", files)
    data = {d: files.get(d.source, "").encode() for d in (APPLES, CARS, COPY, PAGES)}
    write_format1(tmp_path / "index", folder, data)
    return folder


def test_documents_chunks_and_vectors_are_kept(folder: Path) -> None:
    index = folder.parent / "index"
    with open_kb(index, NothingNew()) as kb:
        assert [kb.document(s) for s in kb.sources()] == [APPLES, CARS, COPY, PAGES]
        assert kb.document("two.pdf").page_at(9) == 2
        assert kb.names("copy.txt") == ["apples.txt", "copy.txt"]
        assert [hit.source for hit in kb.search("apples trees")] == ["apples.txt"]
        assert kb.search("cars wheels")[0].text == CARS.text
        assert kb.verify() == []
        assert kb.folders == (folder,)
        counts = kb.status()
        assert (counts["documents"], counts["chunks"]) == (4, 3)
        report = kb.sync()
        assert (report.unchanged, report.deleted) == (3, ("two.pdf",))
        assert kb.sync().unchanged == 3


def test_a_reader_of_the_first_format_is_told(folder: Path) -> None:
    index = folder.parent / "index"
    with closing(sqlite3.connect(index / DATABASE)) as first:
        epoch = first.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
        with open_kb(index) as kb:
            kb.sources()
        row = first.execute("SELECT value FROM meta WHERE key = 'manifest'").fetchone()
        assert json.loads(row[0])["format"] == schema.FORMAT_VERSION
        assert first.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone() != epoch


def test_an_interrupted_migration_leaves_the_old_index(folder: Path) -> None:
    path = folder.parent / "index" / DATABASE

    def dump() -> list[str]:
        with closing(sqlite3.connect(path)) as database:
            return list(database.iterdump())

    before, interrupted = dump(), 0
    for statements in range(0, 200, 7):
        with closing(schema.connect(path)) as database:
            left = statements

            def count(_: str) -> None:
                nonlocal left
                left -= 1
                if left < 0:
                    database.interrupt()

            database.execute("BEGIN IMMEDIATE")
            database.set_trace_callback(count)
            try:
                migrate(database)
            except sqlite3.OperationalError:
                interrupted += 1
            else:
                break
            # The connection is closed without a commit, as when the process ends.
        assert dump() == before
    assert interrupted > 5
    with open_kb(folder.parent / "index", NothingNew()) as kb:
        assert len(kb.sources()) == 4
        assert kb.verify() == []


def test_an_index_of_a_newer_program_is_refused_with_both_versions(folder: Path) -> None:
    index = folder.parent / "index"
    with closing(sqlite3.connect(index / DATABASE)) as database:
        row = database.execute("SELECT value FROM meta WHERE key = 'manifest'").fetchone()
        manifest = json.dumps(json.loads(row[0]) | {"format": 99})
        database.execute("UPDATE meta SET value = ? WHERE key = 'manifest'", (manifest,))
        database.commit()
    with open_kb(index) as kb:
        with pytest.raises(
            KnowledgeBaseError, match=rf"format 99.*up to {FORMAT_VERSION}.*rag index FOLDER"
        ):
            kb.sources()
        assert len(kb.sync(folder, rebuild=True).added) == 3
