"""The local store: search against an oracle, crash safety of what is derived, several processes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from samples import MakeKb, local_store, open_kb, write_folder

from rag import KnowledgeBase, Settings
from rag.embed import HashingEmbedder, normalize
from rag.errors import KnowledgeBaseError, NotFoundError
from rag.store.dense import DenseIndex
from rag.store.document_codec import content_sha256, decode_document, encode_layout
from rag.store.local import LocalStore
from rag.store.maintenance.verify import problems
from rag.store.schema import DATABASE
from rag.store.vector_index import CHECKPOINT
from rag.types import Document

DOCS = {
    "apples.txt": "Apples grow on trees. Apples are red or green.",
    "sub/pears.txt": "Pears grow on trees. Pears are sweet.",
    "cars.txt": "Cars have four wheels. Cars burn petrol or run on batteries.",
}


@settings(max_examples=60)
@given(
    hnp.arrays(
        np.float32, st.tuples(st.integers(1, 40), st.just(8)), elements=st.floats(-1, 1, width=32)
    ),
    st.integers(1, 12),
    st.data(),
)
def test_dense_index_finds_what_numpy_finds(rows: np.ndarray, n: int, data: st.DataObject) -> None:
    rows[np.linalg.norm(rows, axis=1) < 1e-3, 0] = 1.0
    vectors = normalize(rows)
    query = vectors[data.draw(st.integers(0, len(rows) - 1))]
    gone = set(data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=5)))
    index = DenseIndex.empty(8)
    index.update([], range(len(vectors)), vectors)
    index.update(gone, [], vectors[:0])
    left = [i for i in range(len(vectors)) if i not in gone]
    scores = {i: float(vectors[i] @ query) for i in left}
    found = index.search(query, n)
    if not left:
        assert found == []
        return
    worst = sorted(scores.values(), reverse=True)[min(n, len(left)) - 1]
    assert {i for i in left if scores[i] > worst + 2e-6} <= set(found)
    assert all(scores[i] >= worst - 2e-6 for i in found)
    assert len(found) >= min(n, len(left))


def test_search_gives_exact_scores_for_both_sides(make_kb: MakeKb) -> None:
    kb = make_kb(DOCS)
    store, embedder = kb._open(), HashingEmbedder()
    question = "apples trees"
    found = store.search(question, embedder.embed_query(question), 1)
    assert [c.chunk.source for c in found] == ["apples.txt"]
    found = store.search(question, embedder.embed_query(question), 3)
    by_source = {c.chunk.source: c for c in found}
    assert list(by_source) == ["apples.txt", "cars.txt", "sub/pears.txt"]
    for candidate in found:
        expected = (
            embedder.embed_query(question) @ embedder.embed_documents([candidate.chunk.text])[0]
        )
        assert candidate.dense == pytest.approx(float(expected), abs=1e-6)
    assert by_source["apples.txt"].lexical > by_source["sub/pears.txt"].lexical > 0.0
    assert by_source["cars.txt"].lexical == 0.0


def test_a_question_of_syntax_is_only_words(make_kb: MakeKb) -> None:
    kb = make_kb(DOCS)
    for question in ('"', "a AND", "NEAR(", "body:x", "apples*", "'; DROP TABLE chunks; --", "(()"):
        kb.search(question)
    assert kb.search('"apples" AND (', k=1)[0].source == "apples.txt"


def test_save_and_load_give_the_same_hits(make_kb: MakeKb, tmp_path: Path) -> None:
    before = make_kb(DOCS).search("sweet fruit on trees", k=3)
    with open_kb(tmp_path / "kb") as kb:
        assert kb.search("sweet fruit on trees", k=3) == before


@pytest.mark.parametrize("damage", ["missing", "truncated", "flipped"])
def test_a_damaged_checkpoint_is_made_again(make_kb: MakeKb, tmp_path: Path, damage: str) -> None:
    kb = make_kb(DOCS)
    before = kb.search("sweet fruit on trees", k=3)
    kb.close()
    checkpoint = tmp_path / "kb" / CHECKPOINT
    data = bytearray(checkpoint.read_bytes())
    if damage == "missing":
        checkpoint.unlink()
    elif damage == "truncated":
        checkpoint.write_bytes(data[: len(data) // 2])
    else:
        data[-5] ^= 0xFF
        checkpoint.write_bytes(data)
    assert any("dense index" in problem for problem in problems(tmp_path / "kb"))
    assert kb.search("sweet fruit on trees", k=3) == before
    kb.sync(tmp_path / "kb-docs")
    assert problems(tmp_path / "kb") == []


def test_verify_finds_what_does_not_fit(make_kb: MakeKb, tmp_path: Path) -> None:
    make_kb(DOCS).close()
    assert problems(tmp_path / "kb") == []
    database = sqlite3.connect(tmp_path / "kb" / DATABASE)
    database.execute('UPDATE chunks SET "end" = 9999 WHERE id = 1')
    database.execute("UPDATE vectors SET embedding = zeroblob(1024) WHERE id = 2")
    database.execute("DELETE FROM words WHERE rowid = 3")
    database.commit()
    database.close()
    found = "\n".join(problems(tmp_path / "kb"))
    for expected in ("outside their document", "not of length 1", "cannot be found by their words"):
        assert expected in found


def test_verify_tells_of_what_is_missing_where_a_name_was(make_kb: MakeKb, tmp_path: Path) -> None:
    make_kb(DOCS).close()
    database = sqlite3.connect(tmp_path / "kb" / DATABASE)
    database.execute("UPDATE sqlite_sequence SET name = NULL WHERE name = 'contents'")
    database.commit()
    database.close()
    assert any("rows cannot be checked" in problem for problem in problems(tmp_path / "kb"))


@pytest.mark.parametrize("number", [b"\xff\xff\x7f\x7f", b"\x01\x00\xa0\x7f", b"\x00\x00\x80\x7f"])
def test_verify_finds_a_vector_of_huge_numbers_or_none(
    make_kb: MakeKb, tmp_path: Path, number: bytes
) -> None:
    make_kb(DOCS).close()
    database = sqlite3.connect(tmp_path / "kb" / DATABASE)
    database.execute("UPDATE vectors SET embedding = ? WHERE id = 2", [number * 256])
    database.commit()
    database.close()
    assert "1 vectors are not of length 1" in problems(tmp_path / "kb")


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        (Settings(embedder="all-MiniLM-L6-v2"), ["embedder", "hashing-256", "all-MiniLM-L6-v2"]),
        (Settings(embedder="hashing", chunk_tokens=96), ["chunk_tokens", "160", "96"]),
    ],
)
def test_an_index_of_other_settings_is_refused_with_the_repair(
    make_kb: MakeKb, tmp_path: Path, settings: Settings, shown: list[str]
) -> None:
    make_kb(DOCS).close()
    with KnowledgeBase(tmp_path / "kb", settings) as kb:
        with pytest.raises(KnowledgeBaseError) as error:
            kb.search("apples")
        assert all(text in str(error.value) for text in [*shown, "rag index FOLDER --rebuild"])


def test_rebuild_takes_the_new_settings(make_kb: MakeKb, tmp_path: Path) -> None:
    make_kb(DOCS).close()
    settings = Settings(embedder="hashing", chunk_tokens=16)
    with KnowledgeBase(tmp_path / "kb", settings) as kb:
        report = kb.sync(tmp_path / "kb-docs", rebuild=True)
        assert len(report.added) == 3
        assert kb.search("apples", k=1)[0].source == "apples.txt"


def test_a_file_that_is_no_index_is_found_and_rebuilt(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", DOCS)
    write_folder(tmp_path / "kb", {DATABASE: "not a database" * 100})
    (found,) = problems(tmp_path / "kb")
    assert "damaged" in found
    with open_kb(tmp_path / "kb") as kb:
        assert len(kb.sync(folder, rebuild=True).added) == 3
    assert problems(tmp_path / "kb") == []


def test_an_index_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    write_folder(tmp_path, {"file.txt": "in the way"})
    folder = write_folder(tmp_path / "docs", DOCS)
    with (
        open_kb(tmp_path / "file.txt" / "index") as kb,
        pytest.raises(KnowledgeBaseError, match="as the folder of an index"),
    ):
        kb.sync(folder)


def test_a_file_that_is_no_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"not a database" * 100)
    with pytest.raises(KnowledgeBaseError, match="rag index FOLDER --rebuild"):
        LocalStore(tmp_path, {})


def test_what_is_deleted_is_forgotten_by_every_process(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb(DOCS)
    with open_kb(tmp_path / "kb") as reader:
        assert {hit.source for hit in reader.search("apples cars trees")} == set(DOCS)
        store = local_store(reader)
        assert len(store._contents) == 3
        (tmp_path / "kb-docs" / "apples.txt").unlink()
        kb.sync()
        assert "apples.txt" not in {hit.source for hit in reader.search("apples cars trees")}
        assert sorted(d.text for d in store._contents.values()) == sorted(
            text for source, text in DOCS.items() if source != "apples.txt"
        )
        with pytest.raises(NotFoundError):
            reader.document("apples.txt")


def test_a_committed_write_has_reached_the_disk(make_kb: MakeKb) -> None:
    connection = local_store(make_kb(DOCS))._db.connection
    pragmas = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("synchronous", "journal_mode", "secure_delete", "foreign_keys")
    }
    assert pragmas == {
        "synchronous": 2, "journal_mode": "wal", "secure_delete": 1, "foreign_keys": 1,
    }  # fmt: skip


@given(st.builds(Document))
def test_every_part_of_a_document_is_stored(document: Document) -> None:
    stored = document.source, document.title, encode_layout(document), document.text
    assert decode_document(*stored) == document
    assert (content_sha256(document) == content_sha256(replace(document, source="b"))) is True
    assert content_sha256(document) != content_sha256(replace(document, title=document.title + "x"))


def test_an_unknown_document_is_named(make_kb: MakeKb) -> None:
    with pytest.raises(NotFoundError, match=r"nowhere\.txt"):
        make_kb(DOCS).document("nowhere.txt")


READER = """
import sys
from rag import KnowledgeBase
from rag.embed import HashingEmbedder
kb = KnowledgeBase(sys.argv[1], embedder=HashingEmbedder())
print(len(kb.search("apples", k=50)), flush=True)
for line in sys.stdin:
    hits = kb.search("apples", k=50)
    for hit in hits:
        assert "apples" in hit.text.lower()
    print(len(hits), flush=True)
"""


def test_a_second_process_reads_while_one_writes(make_kb: MakeKb, tmp_path: Path) -> None:
    kb = make_kb({"a0.txt": "Apples number 0."})
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(tmp_path / "kb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    with reader:
        assert reader.stdout.readline() == "1\n"
        for count in (2, 3, 4):
            write_folder(tmp_path / "kb-docs", {f"a{count}.txt": f"Apples number {count}."})
            kb.sync(tmp_path / "kb-docs")
            print("again", file=reader.stdin, flush=True)
            assert reader.stdout.readline() == f"{count}\n"
        (tmp_path / "kb-docs" / "a0.txt").unlink()
        kb.sync(tmp_path / "kb-docs")
        print("again", file=reader.stdin, flush=True)
        assert reader.stdout.readline() == "3\n"
        reader.stdin.close()
    assert reader.returncode == 0
