"""What a killed process leaves of a backup or of uploads goes with the next start; no other's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from samples import open_kb, write_folder

from rag.scratch import ScratchFolder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="folders cannot be locked elsewhere")

CANARY = "Xyzzyplugh"

BACKUP = """
import sys, time
from pathlib import Path
from rag.store.maintenance.backup import write_backup

def proved(chunk):
    print("ready", flush=True)
    time.sleep(600)

write_backup(Path(sys.argv[1]), Path(sys.argv[2]), proved)
"""
UPLOADS = """
import sys, time
from rag.web import server as web_server

folder = web_server.uploads_folder()
(folder.path / "a.txt").write_text(sys.argv[1])
print("ready", flush=True)
time.sleep(600)
"""


@contextmanager
def running(script: str, *arguments: object, temporary: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has begun its work; it is killed in the end."""
    with subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def held(folder: Path) -> list[Path]:
    """Files anywhere below that hold the canary."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if CANARY.encode() in path.read_bytes()]


def test_what_a_killed_backup_leaves_goes_with_the_next(tmp_path: Path) -> None:
    kept, index = tmp_path / "kept", tmp_path / "index"
    kept.mkdir()
    before = os.umask(0)
    try:
        with open_kb(index) as kb:
            kb.sync(write_folder(tmp_path / "docs", {"a.txt": f"The {CANARY} sings."}))
            with running(BACKUP, index, kept / "a.zip", temporary=tmp_path):
                [scratch] = kept.iterdir()
                assert scratch.stat().st_mode & 0o077 == 0
                kb.backup(kept / "b.zip")
                assert scratch.is_dir(), "that of a running process stays"
            assert held(scratch), "it was killed"
            kb.backup(kept / "c.zip")
        assert sorted(path.name for path in kept.iterdir()) == ["b.zip", "c.zip"]
        assert held(kept) == []
    finally:
        os.umask(before)


def test_uploads_that_a_killed_server_leaves_go_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gradio")
    from rag.web import server as web_server

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")  # it is set by what follows
    other = write_folder(tmp_path / "rag-other", {"a.txt": CANARY})
    with running(UPLOADS, CANARY, temporary=tmp_path):
        [scratch] = tmp_path.glob("rag-uploads-*")
        with web_server.uploads_folder() as mine:
            assert mine.path.stat().st_mode & 0o077 == 0
            assert scratch.is_dir(), "that of a running server stays"
    assert held(scratch)
    with web_server.uploads_folder() as mine:
        assert list(tmp_path.glob("rag-uploads-*")) == [mine.path]
    assert held(tmp_path) == [other / "a.txt"]


def test_a_link_that_is_named_like_a_leftover_is_not_followed(tmp_path: Path) -> None:
    mine = write_folder(tmp_path / "mine", {"a.txt": "Mine."})
    (tmp_path / "x-link").symlink_to(mine)
    (tmp_path / "x-file").write_text("Mine.")
    with ScratchFolder(tmp_path, "x-") as scratch:
        assert (mine / "a.txt").is_file()
        assert (tmp_path / "x-file").is_file()
    assert not scratch.path.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another user")
def test_what_another_user_left_stays(tmp_path: Path) -> None:
    theirs = write_folder(tmp_path / "x-theirs", {"a.txt": "Theirs."})
    os.chown(theirs, 65534, 65534)
    with ScratchFolder(tmp_path, "x-"):
        assert (theirs / "a.txt").is_file()
