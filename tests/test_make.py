"""The Makefile: what it installs for which chore, what it shows, and that it does so once.

The chores run in a folder of their own, with a Python that only writes down what it is asked.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from places import ROOT

PYTHON = """\
#!/bin/sh
echo "$*" >> calls
case "$*" in
"-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp "$0" .venv/bin/rag ;;
*"--require-hashes"*) ;;
*"pip install"*)
    echo "Collecting torch==2.13.0"
    echo "  Downloading https://example.org/t/torch-2.13.0%2Bcpu-cp311.whl.metadata (29 kB)"
    echo "  Downloading https://example.org/t/torch-2.13.0%2Bcpu-cp311.whl (190.5 MB)"
    echo "  Using cached click-8.5.1-py3-none-any.whl (98 kB)"
    echo "Processing /wheels/tqdm-4.70.1-py3-none-any.whl (from rag-chatbot==0.1.0)"
    echo "WARNING: Location 'file:///x' is ignored." >&2
    echo "Installing collected packages: torch, click, tqdm"
    for tick in $(seq 300); do [ -e slow ] || break; sleep 0.1; done
    if [ -e slow ]; then touch nobody_read_it; fi
    if [ -e broken ]; then echo "ERROR: No matching distribution" >&2; exit 1; fi ;;
esac
"""
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-ocr.lock")
SHOWN = """\
  torch 2.13.0 (190.5 MB)
  click 8.5.1 (98 kB)
  tqdm 4.70.1
  unpacking them ...
"""
pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not shutil.which("make"), reason="needs make and a POSIX shell"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "constraints.txt", *LOCKS):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    return tmp_path


def make(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "PYTHON=./python", *arguments]
    return subprocess.run(
        command, cwd=project, env=environment(), capture_output=True, text=True, check=False
    )


def environment() -> dict[str, str]:
    """Without what a make that runs these tests would tell the one under test."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def installed(project: Path) -> list[str]:
    """What pip was asked for, in order; each after what its lock file has."""
    calls = (project / "calls").read_text().splitlines()
    asked = [call for call in calls if "pip install" in call]
    assert [i for i, call in enumerate(asked) if "--require-hashes" in call] == [
        i for i in range(len(asked)) if i % 2 == 0
    ]
    return [call.split("--editable ")[1] for call in asked if "--editable" in call]


def test_run_installs_what_it_needs_and_no_more(project: Path) -> None:
    assert make(project, "run", "PORT=8123").returncode == 0
    assert installed(project) == ["."]
    calls = (project / "calls").read_text().splitlines()
    assert calls[-2:] == ["index seeds", "serve --host 127.0.0.1 --port 8123"]


@pytest.mark.parametrize(
    ("chore", "extras"), [("test", [".", ".[dev]"]), ("test-ocr", [".", ".[dev]", ".[ocr]"])]
)
def test_chores_of_developers_add_their_tools(project: Path, chore: str, extras: list[str]) -> None:
    assert make(project, chore).returncode == 0
    assert installed(project) == extras


def test_what_is_locked_has_a_hash_and_all_but_torch_is_locked() -> None:
    pinned = set()
    for name in LOCKS:
        entries = (ROOT / name).read_text().replace("\\\n", " ").splitlines()
        assert entries
        for entry in entries:
            assert "==" in entry
            assert "--hash=sha256:" in entry
            pinned.add(entry.split("==")[0].lower().replace("_", "-"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["dev"], *extras["ocr"]]
    names = {re.split(r"[<>=!~ ;\[]", want)[0].lower().replace("_", "-") for want in wanted}
    assert names - pinned == {"torch"}


def test_nothing_is_installed_twice(project: Path) -> None:
    for chore in ("run", "test", "test", "run", "install", "test-ocr", "test-ocr"):
        assert make(project, chore).returncode == 0
    assert installed(project) == [".", ".[dev]", ".[ocr]"]


def test_it_is_installed_anew_when_what_it_needs_changed(project: Path) -> None:
    make(project, "test")
    later = (project / ".venv" / ".installed-dev").stat().st_mtime + 5
    os.utime(project / "constraints.txt", (later, later))
    make(project, "install")
    assert installed(project) == [".", ".[dev]", "."]


def test_each_package_is_shown_and_no_noise(project: Path) -> None:
    first, _, rest = make(project, "install").stdout.partition("\n")
    assert first.startswith("Setting up .venv, once")
    assert rest == SHOWN
    assert "Location" in (project / ".venv" / "install.log").read_text()


def test_a_package_is_shown_while_others_still_come(project: Path) -> None:
    (project / "slow").touch()
    command = ["make", "PYTHON=./python", "install"]
    with subprocess.Popen(
        command, cwd=project, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        shown = [process.stdout.readline() for _ in range(3)]
        (project / "slow").unlink()
    assert not (project / "nobody_read_it").exists(), "it was shown when all had come"
    assert "".join(shown[1:]) == "".join(SHOWN.splitlines(keepends=True)[:2])


def test_a_failure_is_told_and_tried_again(project: Path) -> None:
    (project / "broken").touch()
    failed = make(project, "run")
    assert failed.returncode != 0
    assert "ERROR: No matching distribution" in failed.stdout
    assert ".venv/install.log has all that pip said" in failed.stderr
    assert "index seeds" not in (project / "calls").read_text()
    (project / "broken").unlink()
    assert make(project, "run").returncode == 0
    assert installed(project) == [".", "."]
