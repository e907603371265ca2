"""A flipped byte anywhere in an index is found, or it matters to nothing; and it can be repaired.

``FLIPS`` in the environment says how many are tried: ``make test-faults`` tries 2,000.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from equality import assert_equal
from samples import open_kb, write_folder

from rag import KnowledgeBase
from rag.errors import KnowledgeBaseError
from rag.store.schema import DATABASE
from rag.store.vector_index import CHECKPOINT

FLIPS = int(os.environ.get("FLIPS", "60"))
DOCS = {
    "apples.txt": "Apples grow on trees. Apples are red or green. " * 30,
    "copy.txt": "Apples grow on trees. Apples are red or green. " * 30,
    "sub/pears.md": "# Pears\n\nPears grow on trees.\n\n# Taste\n\nPears are sweet.",
    "cars.txt": "Cars have four wheels. " * 20,
    "empty.txt": "",
}
TABLES = ("meta", "files", "contents", "documents", "vectors", "chunks")


def everything(index: Path) -> dict[str, list[Any]]:
    """All that the database holds, as it stands, but for the copy of its words that FTS5 keeps.

    Its own check holds the index against that copy, word by word: what passes, such as a letter
    that stemming drops anyway, changes nothing that is found.
    """
    with closing(sqlite3.connect(index / DATABASE)) as database:
        database.text_factory = bytes
        held = {table: list(database.execute(f"SELECT * FROM {table}")) for table in TABLES}
        return held | {"words": list(database.execute("SELECT rowid FROM words"))}


def flip(path: Path, rng: random.Random) -> str:
    data = bytearray(path.read_bytes())
    used = [place for place, byte in enumerate(data) if byte]  # much of a small database is empty
    place = rng.choice(used) if rng.random() < 0.7 else rng.randrange(len(data))
    bits = rng.randint(1, 255)
    data[place] ^= bits
    path.write_bytes(data)
    return f"byte {place} of {path.name} by {bits:#x}"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``docs`` and a fresh ``index`` of it."""
    root = tmp_path_factory.mktemp("flip")
    write_folder(root / "docs", DOCS)
    with open_kb(root / "index") as kb:
        kb.sync(root / "docs")
    return root


def test_a_flipped_byte_of_the_database_is_found_and_repaired(fresh: Path, tmp_path: Path) -> None:
    rng = random.Random(0)
    whole = everything(fresh / "index")
    found = 0
    for _ in range(FLIPS):
        index = tmp_path / "index"
        shutil.copytree(fresh / "index", index)
        what = flip(index / DATABASE, rng)
        with open_kb(index) as kb:
            use(kb, what)
            problems = kb.verify()
            if not problems:
                assert everything(index) == whole, what
            else:
                found += 1
                mend(kb, fresh, what)
        shutil.rmtree(index)
    print(f"\n{FLIPS} flips, {found} found, the others changed nothing that is read")
    assert found > FLIPS // 3


def use(kb: KnowledgeBase, what: str) -> None:
    """Find, read and sync what is there, or be told that it is damaged: never anything else."""
    uses: tuple[Callable[[], object], ...] = (
        lambda: [hit.to_dict() for hit in kb.search("are apples red or sweet", k=20)],
        lambda: [kb.document(source) for source in kb.sources()],
        kb.status,
    )
    for each in uses:
        try:
            each()
        except KnowledgeBaseError:
            continue
        except Exception as error:
            raise AssertionError(what) from error


def mend(kb: KnowledgeBase, fresh: Path, what: str) -> None:
    """Do what the messages say until all is well again, which must be soon."""
    refused = ""
    try:
        kb.repair()
    except KnowledgeBaseError as error:
        refused = str(error)
    assert not refused or "--rebuild" in refused or "run 'rag index" in refused, what
    kb.sync(fresh / "docs", rebuild=bool(refused))
    assert kb.verify() == [], what
    with open_kb(fresh / "index") as other:
        assert_equal(kb, other)


def test_a_name_that_is_not_found_any_more_is_told_as_damage(fresh: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    shutil.copytree(fresh / "index", index)
    whole = (index / DATABASE).read_bytes()
    places = [at for at in range(len(whole)) if whole.startswith(b"copy.txt", at)]
    assert len(places) > 2, "tables and the trees of their names"
    for place in (at + i for at in places for i in range(-4, 4)):
        data = bytearray(whole)
        data[place] ^= 0x85
        (index / DATABASE).write_bytes(data)
        with open_kb(index) as kb:
            use(kb, f"byte {place}")


def test_a_flipped_byte_of_the_dense_index_is_found_and_repaired(
    fresh: Path, tmp_path: Path
) -> None:
    rng = random.Random(0)
    index = tmp_path / "index"
    shutil.copytree(fresh / "index", index)
    with open_kb(index) as kb:
        for _ in range(10):
            flip(index / CHECKPOINT, rng)
            (problem,) = kb.verify()
            assert "dense index" in problem
            assert kb.repair().problems == (problem,)
            assert kb.verify() == []


@pytest.mark.parametrize("kept", [0, 100, 4096, 40_000])
def test_a_database_that_was_cut_is_found_and_repaired(
    fresh: Path, tmp_path: Path, kept: int
) -> None:
    index = tmp_path / "index"
    shutil.copytree(fresh / "index", index)
    (index / DATABASE).write_bytes((index / DATABASE).read_bytes()[:kept])
    with open_kb(index) as kb:
        assert kb.verify()
        mend(kb, fresh, f"cut to {kept}")


def test_a_text_that_was_changed_by_one_bit_is_found(fresh: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    shutil.copytree(fresh / "index", index)
    data = (index / DATABASE).read_bytes()
    assert data.count(b"Pears are sweet.") == 1
    (index / DATABASE).write_bytes(data.replace(b"Pears are sweet.", b"Bears are sweet."))
    with open_kb(index) as kb:
        assert "1 documents are not what was written" in kb.verify()
        assert kb.repair().lost == ("sub/pears.md",)
        assert kb.sync(fresh / "docs").added == ("sub/pears.md",)
        assert kb.document("sub/pears.md").text.endswith("Pears are sweet.")
