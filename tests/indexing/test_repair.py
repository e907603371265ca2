"""Backup and restore while the index is in use, and the commands of upkeep."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import threading
import zipfile
import zlib
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from samples import MakeKb, local_store, open_kb, write_folder

from rag import KnowledgeBase, Settings
from rag.cli import main
from rag.errors import KnowledgeBaseError, OutputError
from rag.store.schema import DATABASE
from rag.store.vector_index import CHECKPOINT

DOCS = {"a.txt": "Apples grow on trees.", "b.txt": "Pears are sweet.", "empty.txt": ""}


def test_a_backup_brings_back_what_was_there(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb(DOCS)
    about = kb.backup(tmp_path / "kept.zip")
    assert (about["documents"], about["kind"]) == (2, "rag backup")
    before = kb.search("apples trees sweet")
    (tmp_path / "kb-docs" / "a.txt").unlink()
    write_folder(tmp_path / "kb-docs", {"canary.txt": "The canary Xyzzyplugh sings."})
    kb.sync()
    assert kb.restore(tmp_path / "kept.zip")["sha256"] == about["sha256"]
    assert kb.search("apples trees sweet") == before
    assert kb.status()["failed"][0]["source"] == "empty.txt"
    assert kb.verify() == []
    assert not any(
        b"xyzzyplugh" in path.read_bytes().lower() for path in kb.path.iterdir() if path.is_file()
    )
    report = kb.sync()
    assert (report.added, report.deleted) == (("canary.txt",), ("a.txt",))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kb", "kb-docs", "kept.zip"]


def test_a_restore_makes_an_index_where_there_is_none(make_kb: MakeKb, tmp_path: Path) -> None:
    make_kb(DOCS).backup(tmp_path / "kept.zip")
    with open_kb(tmp_path / "new") as new:
        new.restore(tmp_path / "kept.zip")
        assert new.sources() == ["a.txt", "b.txt"]
        assert new.folder == tmp_path / "kb-docs"
        assert new.verify() == []


def test_readers_notice_a_restore(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb(DOCS)
    kb.backup(tmp_path / "kept.zip")
    (tmp_path / "kb-docs" / "b.txt").unlink()
    kb.sync()
    with open_kb(kb.path) as reader:
        assert [hit.source for hit in reader.search("pears apples")] == ["a.txt"]
        kb.restore(tmp_path / "kept.zip")
        assert sorted(hit.source for hit in reader.search("pears apples")) == ["a.txt", "b.txt"]


def test_a_damaged_index_is_restored_and_its_readers_go_on(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb(DOCS)
    kb.backup(tmp_path / "kept.zip")
    with open_kb(kb.path) as reader:
        before = reader.search("pears apples")
        kb.close()
        (kb.path / DATABASE).write_bytes(b"not a database" * 1000)
        kb.restore(tmp_path / "kept.zip")
        assert reader.search("pears apples") == before
    assert kb.verify() == []


def test_a_backup_of_a_moment_while_another_writes(make_kb: MakeKb, tmp_path: Path) -> None:
    """Two files are always changed in one sync: no backup has one of them without the other."""
    kb = make_kb({"a.txt": "Round 0.", "b.txt": "Round 0.", "c.txt": "Apples."})
    done = threading.Event()

    def write() -> None:
        with open_kb(kb.path) as writer:
            number = 0
            while not done.is_set():
                number += 1
                text = f"Round {number}."
                write_folder(tmp_path / "kb-docs", {"a.txt": text, "b.txt": text})
                writer.sync()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(5):
            kb.backup(tmp_path / f"{number}.zip")
    finally:
        done.set()
        thread.join()
    for number in range(5):
        with open_kb(tmp_path / f"i{number}") as other:
            other.restore(tmp_path / f"{number}.zip")
            assert other.document("a.txt").text == other.document("b.txt").text


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    """One bit changed in the database, compressed: the first that matters to what is unpacked."""
    start = data.index(b"PK\x03\x04", 10) + 200
    for place in range(start, len(data)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        if unpacked(changed) != unpacked(data):
            return changed
    raise AssertionError("no bit matters")


def unpacked(data: bytes) -> bytes | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.read(DATABASE)
    except (zipfile.BadZipFile, zlib.error):
        return None


def test_what_is_no_backup_or_damaged_is_refused_and_changes_nothing(
    make_kb: MakeKb, tmp_path: Path
) -> None:
    kb = make_kb(DOCS)
    kb.backup(tmp_path / "kept.zip")
    whole = (tmp_path / "kept.zip").read_bytes()
    bad = {"cut": cut(whole), "flipped": flipped(whole), "empty": b"", "text": b"Apples."}
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    with zipfile.ZipFile(tmp_path / "foreign", "w") as archive:
        archive.writestr("backup.json", '{"kind": "another"}')
    with zipfile.ZipFile(tmp_path / "kept.zip") as archive:
        about = json.loads(archive.read("backup.json"))
        database = archive.read(DATABASE)
    for name, changed in {"checksum": {"sha256": "0" * 64}, "size": {"bytes": 7}}.items():
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("backup.json", json.dumps(about | changed))
            archive.writestr(DATABASE, database)
    (tmp_path / "kb-docs" / "a.txt").unlink()
    kb.sync()
    for name in (*bad, "foreign", "checksum", "size", "nowhere"):
        with pytest.raises(KnowledgeBaseError, match=name):
            kb.restore(tmp_path / name)
        assert kb.sources() == ["b.txt"]
    newer = about | {"manifest": about["manifest"] | {"format": 99}}
    with zipfile.ZipFile(tmp_path / "newer", "w") as archive:
        archive.writestr("backup.json", json.dumps(newer))
        archive.writestr(DATABASE, database)
    with pytest.raises(KnowledgeBaseError, match=r"format 99.*up to 2"):
        kb.restore(tmp_path / "newer")
    other = Settings(embedder="hashing", chunk_tokens=96)
    with (
        KnowledgeBase(tmp_path / "kb", other) as set_otherwise,
        pytest.raises(KnowledgeBaseError, match=r"chunk_tokens 160.*96.*RAG_CHUNK_TOKENS"),
    ):
        set_otherwise.restore(tmp_path / "kept.zip")
    assert kb.sources() == ["b.txt"]
    assert kb.verify() == []


def test_no_backup_is_made_of_a_damaged_index(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb(DOCS)
    with closing(sqlite3.connect(kb.path / DATABASE)) as database:
        database.execute("UPDATE contents SET text = 'Bears.' WHERE text LIKE 'Pears%'")
        database.commit()
    with pytest.raises(KnowledgeBaseError, match=r"damaged.*not what was written.*--repair"):
        kb.backup(tmp_path / "kept.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kb", "kb-docs"]
    with pytest.raises(OutputError, match="no folder"):
        kb.backup(tmp_path / "nowhere" / "kept.zip")


def test_an_index_that_was_made_anew_beside_a_reader_is_taken_up(
    make_kb: MakeKb, tmp_path: Path
) -> None:
    """Who deletes the folder of the index and indexes again must not be answered from the old."""
    reader = make_kb({"a.txt": "Apples.", "b.txt": "Pears."})
    assert len(reader.search("apples pears")) == 2
    (tmp_path / "kb-docs" / "b.txt").unlink()
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", CHECKPOINT):
        (tmp_path / "kb" / name).unlink()
    with pytest.raises(KnowledgeBaseError, match="gone"):
        reader.search("apples pears")
    with open_kb(tmp_path / "kb") as other:
        other.sync(tmp_path / "kb-docs")
    assert [hit.source for hit in reader.search("apples pears")] == ["a.txt"]


def rag(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``docs`` in the current directory, indexed in ``index``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_EMBEDDER", "hashing")
    folder = write_folder(tmp_path / "docs", DOCS)
    assert rag("index", "docs").exit_code == 0
    return folder


def damage(statement: str) -> None:
    with closing(sqlite3.connect(Path("index") / DATABASE)) as database:
        database.execute(statement)
        database.commit()


def test_verify_repairs_what_is_derived(folder: Path) -> None:
    damage("DELETE FROM words WHERE rowid = 1")
    found = rag("verify")
    assert found.exit_code == 1
    assert found.stderr == "rag: 1 problem: run 'rag verify --repair --index index'\n"
    repaired = rag("verify", "--repair")
    assert (repaired.exit_code, repaired.stdout.splitlines()[-1]) == (0, "Repaired.")
    assert rag("verify").stdout == "The index is whole.\n"
    assert rag("verify", "--repair").stdout == "The index is whole.\n"
    assert rag("search", "apples", "-k", "1").stdout.startswith("1. a.txt 0:21")


def test_what_is_repaired_while_it_is_open_is_read_anew(make_kb: MakeKb) -> None:
    kb = make_kb(DOCS)
    store, vector = local_store(kb), kb._embedder.embed_query("Apples grow on trees.")
    with store._db.exclusive():
        whole = store._index.current()
        [nearest] = whole.search(vector, 1)
        whole.update([nearest], [], store._index.vectors([]))
        sha256 = whole.save(kb.path / CHECKPOINT)
        store._db.set_meta("checkpoint", json.dumps([whole.generation, sha256]))
    kb.close()

    def nearest_source() -> str:
        [found] = kb._open().search("other words", vector, 1)
        return found.chunk.document.source

    assert nearest_source() == "b.txt", "the vector of a.txt is not found"
    assert len(kb.repair().problems) == 1
    assert nearest_source() == "a.txt"


def test_verify_names_what_must_be_read_again(folder: Path) -> None:
    damage("UPDATE contents SET text = 'Bears are sweet.' WHERE text LIKE 'Pears%'")
    result = rag("verify", "--repair", "--json")
    told = json.loads(result.stdout)
    assert (told["ok"], told["lost"]) == (False, ["b.txt"])
    assert result.exit_code == 1
    assert "1 of the files must be read again: run 'rag index FOLDER" in result.stderr
    assert json.loads(rag("index", "docs", "--json").stdout)["added"] == ["b.txt"]
    assert json.loads(rag("verify", "--json").stdout) == {
        "index": "index", "ok": True, "problems": [],
    }  # fmt: skip


def change_of_titles(old: str, new: str) -> str:
    changed = f"replace(sql, 'title {old},', 'title {new},')"
    return f"UPDATE sqlite_master SET sql = {changed} WHERE name = 'contents'"


def test_verify_names_a_document_whose_title_is_none(folder: Path) -> None:
    for statement in (
        change_of_titles("TEXT NOT NULL", "TEXT"),
        "UPDATE contents SET title = NULL WHERE text LIKE 'Pears%'",
        change_of_titles("TEXT", "TEXT NOT NULL"),
    ):
        with closing(sqlite3.connect(Path("index") / DATABASE)) as database:
            database.execute("PRAGMA writable_schema = ON")
            database.execute(statement)
            database.commit()
    told = json.loads(rag("verify", "--repair", "--json").stdout)
    assert (told["ok"], told["lost"]) == (False, ["b.txt"])


def test_backup_restore_and_status(folder: Path) -> None:
    assert rag("backup", "kept.zip").stdout.startswith("2 documents in kept.zip, ")
    (folder / "a.txt").unlink()
    rag("index", "docs")
    assert rag("backup", "one.zip").stdout.startswith("1 document in one.zip, ")
    told = rag("restore", "kept.zip").stdout
    assert re.fullmatch(r"2 documents as of 20[\d-]+ \d\d:\d\d UTC are back in index\n", told)
    status = rag("status").stdout
    for line in (
        f"folders       {folder}", "  a.txt", "1 could not be read", "  empty.txt: is empty;",
        "bytes         database ", "calibrated    no",
    ):  # fmt: skip
        assert line in status
    told = json.loads(rag("status", "--json").stdout)
    assert told["failed"][0]["source"] == "empty.txt"
    assert told["folders"] == [told["folder"]] == [str(folder)]
    assert told["bytes"]["dense"] == (Path("index") / CHECKPOINT).stat().st_size


def test_several_folders_on_the_command_line(folder: Path, tmp_path: Path) -> None:
    write_folder(tmp_path / "more", {"a.txt": "Plums."})
    report = json.loads(rag("index", "docs", "more", "--json").stdout)
    assert report["added"] == ["docs/a.txt", "docs/b.txt", "more/a.txt"]
    assert list(report) == ["added", "updated", "deleted", "unchanged", "failed", "seconds"]
