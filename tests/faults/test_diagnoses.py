"""Each kind of trouble is called by its name, with what helps; what can still be read is read."""

from __future__ import annotations

import ctypes
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from samples import local_store, open_kb, write_folder

from rag import KnowledgeBase
from rag.cli import main
from rag.errors import KnowledgeBaseError
from rag.indexing.write_lock import LOCK
from rag.store.schema import DATABASE
from rag.store.vector_index import CHECKPOINT

DOCS = {
    "apples.txt": "Apples grow on trees. Apples are red or green.",
    "pears.md": "# Pears\n\nPears grow on trees.\n\n# Taste\n\nPears are sweet.",
}
REPAIR = "rag verify --repair"
ENVIRONMENT = {**os.environ, "RAG_EMBEDDER": "hashing"}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of DOCS, in the folder ``docs`` beside it."""
    monkeypatch.setenv("RAG_EMBEDDER", "hashing")
    path = tmp_path / "index"
    with open_kb(path) as kb:
        kb.sync(write_folder(tmp_path / "docs", DOCS))
    return path


def rag(*arguments: object) -> tuple[int, str]:
    """Exit code, and all that the command printed."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return result.exit_code, result.output


# An empty file


def test_an_empty_database_is_not_whole(index: Path, tmp_path: Path) -> None:
    (index / DATABASE).write_bytes(b"")
    with open_kb(index) as kb:
        [problem] = kb.verify()
        assert "is empty" in problem
        with pytest.raises(KnowledgeBaseError, match="is empty; run 'rag index"):
            kb.ask("What colour are apples?")
    assert (index / DATABASE).stat().st_size == 0, "looking at it makes no new one"
    for command in (["verify"], ["status"], ["search", "apples"]):
        code, told = rag(*command, "--index", index)
        assert (code, told.count("\n")) == (1, 1), told
        assert "is empty; run 'rag index FOLDER" in told
    assert rag("index", tmp_path / "docs", "--index", index)[0] == 0
    with open_kb(index) as kb:
        assert kb.verify() == []
        assert kb.sources() == sorted(DOCS)


# A disk that is full, or fails


def test_a_disk_that_cannot_be_written_is_not_called_damage(index: Path) -> None:
    script = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    result = subprocess.run(
        [sys.executable, "-c", f"{script}; from rag.cli import main; main()", "verify",
         "--index", str(index)],
        capture_output=True, text=True, env=ENVIRONMENT, timeout=300,
    )  # fmt: skip
    assert result.returncode == 1, result.stdout
    assert "nothing is lost" in result.stderr
    assert "damage" not in result.stdout + result.stderr
    assert REPAIR not in result.stderr


FULL = """
set -e
mount -t tmpfs -o size=8m none {root}
cp -r {source}/. {root}
head -c 20000000 /dev/zero > {root}/filler 2>/dev/null || true
set +e
for command in "verify" "index {root}/docs" "backup {root}/b.zip" "verify --repair"; do
    {python} -m rag $command --index {root}/index; echo "exit $?" >&2
done
"""


def test_a_full_disk_is_called_full(index: Path, tmp_path: Path) -> None:
    may = subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(tmp_path)], capture_output=True
    ) if shutil.which("unshare") else None  # fmt: skip
    if may is None or may.returncode:
        pytest.skip("no small disk can be made here")
    root = tmp_path / "disk"
    root.mkdir()
    source = tmp_path / "source"
    shutil.copytree(index, source / "index")
    write_folder(source / "docs", {**DOCS, "new.txt": "Figs are soft."})
    script = FULL.format(root=root, source=source, python=sys.executable)
    result = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        capture_output=True, text=True, env=ENVIRONMENT, timeout=500,
    )  # fmt: skip
    assert result.stderr.count("exit 1") == 4, result.stderr
    assert result.stderr.count("nothing is lost: the disk is full; free some space") == 4
    assert "damage" not in result.stdout + result.stderr


# Damage that a search meets

DAMAGES = {
    "a lost text": "DELETE FROM contents WHERE id = 1",
    "a lost vector": "DELETE FROM vectors",
    "a lost name": "DELETE FROM documents WHERE id = 1",
    "lost names": "DELETE FROM documents",
    "a checkpoint of no sense": "UPDATE meta SET value = 'x{' WHERE key = 'checkpoint'",
    "a layout of another kind": "UPDATE contents SET layout = '{\"strange\": [1]}'",
    "a layout of no sense": "UPDATE contents SET layout = '{'",
    "a vector that was cut": "UPDATE vectors SET embedding = substr(embedding, 1, 30)",
    "failures of no sense": "UPDATE files SET failures = '[1, 2]'",
    "folders of no sense": "UPDATE meta SET value = '{]' WHERE key = 'note:folders'",
    "a title that is none": "UPDATE contents SET title = x'ff'",
}
USES: dict[str, Callable[[KnowledgeBase], object]] = {
    "search": lambda kb: [hit.to_dict() for hit in kb.search("red apples or sweet pears", k=20)],
    "status": lambda kb: kb.status(),
    "document": lambda kb: [kb.document(source) for source in kb.sources()],
    "sync": lambda kb: kb.sync(),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_as_such_or_does_not_matter(index: Path, damage: str, use: str) -> None:
    with closing(sqlite3.connect(index / DATABASE)) as database:
        database.execute(DAMAGES[damage])
        database.commit()
    with open_kb(index) as kb:
        try:
            USES[use](kb)
        except KnowledgeBaseError as error:
            assert REPAIR in str(error)  # noqa: PT017
        problems = kb.verify()
        assert problems or damage in ("a checkpoint of no sense", "folders of no sense")


# An index that can only be read


def without_override() -> None:
    """Give up root's right to write where the mode forbids it; others have none."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def as_reader(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rag", *map(str, arguments)],
        capture_output=True, text=True, env=ENVIRONMENT, timeout=300,
        preexec_fn=without_override,
    )  # fmt: skip


def locked(path: Path) -> None:
    for file in path.iterdir():
        file.chmod(0o444)
    path.chmod(0o555)


@pytest.fixture
def read_only(index: Path) -> Path:
    locked(index)
    return index


@pytest.mark.skipif(sys.platform != "linux", reason="gives up capabilities")
def test_a_read_only_index_is_asked(read_only: Path, tmp_path: Path) -> None:
    before = sorted(path.name for path in read_only.iterdir())
    result = as_reader("search", "sweet pears", "--index", read_only)
    assert (result.returncode, result.stderr) == (0, "")
    assert "pears.md" in result.stdout
    status = as_reader("status", "--index", read_only)
    assert "read only     yes" in status.stdout
    assert rag("status", "--index", read_only)[1].count("read only     no") == os.access(
        read_only, os.W_OK
    )
    for command in (["index", tmp_path / "docs"], ["verify"]):
        refused = as_reader(*command, "--index", read_only)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert "is read-only" in refused.stderr
    assert as_reader("backup", tmp_path / "b.zip", "--index", read_only).returncode == 0
    assert sorted(path.name for path in read_only.iterdir()) == before


@pytest.mark.skipif(sys.platform != "linux", reason="gives up capabilities")
def test_a_read_only_index_is_asked_with_what_a_killed_sync_left(
    index: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    with open_kb(index) as kb:
        kb.sync()
        kb.remove("apples.txt")
        local_store(kb)._db.connection.execute("PRAGMA wal_autocheckpoint = 0")
        kb._open().set_note("calibration", "")  # stands in the log alone
        kb._open().write([], removed=["pears.md"])
        shutil.copytree(index, copy)  # as a kill leaves it: with a log
    assert (copy / f"{DATABASE}-wal").stat().st_size
    locked(copy)
    result = as_reader("status", "--json", "--index", copy)
    assert result.returncode == 0, result.stderr
    assert '"documents": 0' in result.stdout, "the log counts"
    (copy / f"{DATABASE}-shm").chmod(0o644)
    copy.chmod(0o755)
    (copy / f"{DATABASE}-shm").unlink()
    copy.chmod(0o555)
    result = as_reader("status", "--json", "--index", copy)
    assert result.returncode == 1 or '"documents": 0' in result.stdout, "never the state before"
    assert result.stderr.count("\n") <= 1


# A folder in the place of a file


@pytest.mark.parametrize("name", [DATABASE, CHECKPOINT, LOCK])
def test_a_folder_in_the_place_of_a_file(index: Path, tmp_path: Path, name: str) -> None:
    place = index / name
    place.unlink(missing_ok=True)
    place.mkdir()
    (place / "mine.txt").write_text("Mine.")
    code, told = rag("index", tmp_path / "docs", "--index", index)
    assert (code, told.count("\n")) == (1, 1), told
    assert f"{str(place)!r} is a folder" in told
    assert "move it away" in told
    code, told = rag("search", "sweet pears", "--index", index)
    assert ("pears.md" in told) if name != DATABASE else ("is a folder" in told), told
    assert (place / "mine.txt").read_text() == "Mine."
    (place / "mine.txt").unlink()
    assert rag("index", tmp_path / "docs", "--index", index)[0] == 0, "an empty one is in no way"
    with open_kb(index) as kb:
        assert kb.verify() == []
