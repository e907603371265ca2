"""Which files of a folder are documents."""

from pathlib import Path

import pytest

from rag.load import find_files


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")


def test_files_are_found_sorted_and_junk_is_not(tmp_path: Path) -> None:
    make(
        tmp_path,
        *("b.txt", "a/z.pdf", "a/deep/er/x.md", "B.txt", "unknown.xyz", "ü 中.txt", "README"),
        *(".hidden.txt", ".git/config", "a/.DS_Store", "Thumbs.db", "desktop.ini", "~$a.docx"),
    )
    found = find_files(tmp_path)
    sources = ["B.txt", "README", "a/deep/er/x.md", "a/z.pdf", "b.txt", "unknown.xyz", "ü 中.txt"]
    assert [source for source, _ in found] == sources
    assert [path for _, path in found] == [tmp_path / source for source in sources]


def test_links_that_lead_out_or_nowhere_are_skipped(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    make(outside, "secret.txt")
    make(root, "in/real.txt")
    (root / "out.txt").symlink_to(outside / "secret.txt")
    (root / "out").symlink_to(outside)
    (root / "broken.txt").symlink_to(root / "none")
    (root / "loop").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    (root / "alias.txt").symlink_to(root / "in/real.txt")
    assert [source for source, _ in find_files(root)] == ["alias.txt", "in/real.txt"]


def test_a_folder_behind_a_link(tmp_path: Path) -> None:
    make(tmp_path / "real", "a.txt")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert find_files(tmp_path / "link") == [("a.txt", tmp_path / "link" / "a.txt")]


def test_not_a_folder(tmp_path: Path) -> None:
    make(tmp_path, "file")
    with pytest.raises(NotADirectoryError):
        find_files(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        find_files(tmp_path / "none")
