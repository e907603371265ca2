"""What ``.ragignore`` files leave out, as git has it."""

import subprocess
from pathlib import Path

import pytest

from rag.errors import KnowledgeBaseError
from rag.load import find_files

FILES = (
    "a.txt", "b.log", "keep.log", "build/x.txt", "build/deep/y.txt", "src/build", "src/a.txt",
    "src/b.log", "src/keep.log", "src/deep/a.txt", "src/deep/c.md", "docs/drafts/d.txt",
    "docs/drafts/final.txt", "docs/e.txt", "space .txt", "!odd.txt", "ü.txt",
)  # fmt: skip
RULES = {
    "": "# a comment\n*.log\n!keep.log\nbuild/\n/docs/drafts/*\n!final.txt\n\\!odd.txt\n"
    "space\\ .txt\n",
    "src": "/a.txt\n!b.log\ndeep/*.md\r\n",
    "src/deep": "!c.md\n",
}


def write(root: Path, rules: dict[str, str], name: str = ".ragignore") -> None:
    for file in FILES:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("x")
    for folder, text in rules.items():
        (root / folder / name).write_bytes(text.encode())


def found(root: Path) -> list[str]:
    return [file.source for file in find_files(root)]


def test_the_nearest_pattern_that_fits_decides(tmp_path: Path) -> None:
    write(tmp_path, RULES)
    assert found(tmp_path) == [
        "a.txt", "docs/drafts/final.txt", "docs/e.txt", "keep.log", "src/b.log", "src/build",
        "src/deep/a.txt", "src/deep/c.md", "src/keep.log", "ü.txt",
    ]  # fmt: skip


def test_git_would_list_the_same(tmp_path: Path) -> None:
    write(tmp_path / "ours", RULES)
    write(tmp_path / "git", RULES, ".gitignore")

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(tmp_path / "git"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    git("init", "-q")
    listed = git("ls-files", "-z", "--others", "--exclude-standard").split("\0")
    assert found(tmp_path / "ours") == sorted(f for f in listed if f and ".gitignore" not in f)


def test_what_an_ignored_folder_holds_cannot_be_taken_in_again(tmp_path: Path) -> None:
    write(tmp_path, {"": "docs\n!docs/e.txt\n", "docs": "!e.txt\n"})
    assert not [source for source in found(tmp_path) if source.startswith("docs")]


def test_rules_behind_a_link_do_not_count(tmp_path: Path) -> None:
    write(tmp_path / "docs", {})
    (tmp_path / "rules").write_text("*\n")
    (tmp_path / "docs" / ".ragignore").symlink_to(tmp_path / "rules")
    assert len(found(tmp_path / "docs")) == len(FILES)


def test_a_pattern_that_is_none_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"": "*.log\n\n!\n"})
    with pytest.raises(KnowledgeBaseError, match=r"\.ragignore', line 3: '!' is no pattern"):
        find_files(tmp_path)
