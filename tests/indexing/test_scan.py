"""Which files of a folder are documents."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rag.errors import KnowledgeBaseError, LoadError
from rag.indexing.file_bytes import read_file
from rag.indexing.scan import find_files, list_folder
from rag.load.registry import load_bytes


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")


def found_in(root: Path) -> list[tuple[str, Path]]:
    return [(file.source, file.path) for file in find_files(root)]


def test_files_are_found_sorted_and_junk_is_not(tmp_path: Path) -> None:
    make(
        tmp_path,
        *("b.txt", "a/z.pdf", "a/deep/er/x.md", "B.txt", "unknown.xyz", "ü 中.txt", "README"),
        *(".hidden.txt", ".git/config", "a/.DS_Store", "Thumbs.db", "desktop.ini", "~$a.docx"),
        *("b.txt~", "#b.txt#", "$RECYCLE.BIN/x.txt", "lost+found/y.txt", "a/__MACOSX/z.txt"),
    )
    found = found_in(tmp_path)
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
    assert [source for source, _ in found_in(root)] == ["alias.txt", "in/real.txt"]
    assert list_folder(root).left_out == (
        ("broken.txt", "is a link that leads nowhere; not read"),
        ("out", "is a link that leads out of the folder; not read"),
        ("out.txt", "is a link that leads out of the folder; not read"),
        ("self", "is a link that leads nowhere; not read"),
    )


def test_what_is_hidden_or_ignored_is_left_out_in_silence(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    make(outside, "secret.txt")
    make(root, "a.txt")
    (root / ".ragignore").write_text("*.tmp\nbuild/\n")
    (root / "build").mkdir()
    for name in (".hidden", "out.tmp", "build/out.txt", "Thumbs.db", "a.txt~"):
        (root / name).symlink_to(outside / "secret.txt")
    os.mkfifo(root / "pipe.tmp")
    assert list_folder(root).left_out == ()


def replace_with_link(path: Path, target: Path) -> None:
    path.rename(path.with_name(f"{path.name}.old"))
    path.symlink_to(target)


@pytest.mark.parametrize("swapped", ["in/a.txt", "in", "link.txt", "."])
def test_what_is_swapped_for_a_link_after_it_was_listed_is_not_read(
    tmp_path: Path, swapped: str
) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    make(outside, "a.txt", "in/a.txt")
    make(root, "in/a.txt")
    (root / "link.txt").symlink_to("in/a.txt")
    found = {file.source: file for file in find_files(root)}
    target = outside / swapped if (outside / swapped).exists() else outside / "a.txt"
    replace_with_link(root / swapped, target)
    file = found["link.txt" if swapped == "link.txt" else "in/a.txt"]
    if swapped == "link.txt":  # what it named when it was listed is what is read
        assert read_file(file)[0] == b"x"
        return
    with pytest.raises(LoadError, match="replaced"):
        read_file(file)


def test_a_file_saved_anew_after_it_was_listed_is_read(tmp_path: Path) -> None:
    make(tmp_path, "in/a.txt")
    (file,) = find_files(tmp_path)
    make(tmp_path, ".new")
    (tmp_path / ".new").write_text("saved as editors do")
    (tmp_path / ".new").replace(tmp_path / "in/a.txt")
    assert read_file(file)[0] == b"saved as editors do"


def test_links_inside_the_folder_are_read(tmp_path: Path) -> None:
    make(tmp_path / "real", "in/a.txt")
    (tmp_path / "real/alias.txt").symlink_to("in/a.txt")
    (tmp_path / "real/deep").symlink_to("in")
    (tmp_path / "real/deeper.txt").symlink_to("deep/a.txt")
    (tmp_path / "link").symlink_to("real")
    found = find_files(tmp_path / "link")
    assert [file.source for file in found] == ["alias.txt", "deeper.txt", "in/a.txt"]
    assert [read_file(file)[0] for file in found] == [b"x"] * 3


def test_a_folder_behind_a_link(tmp_path: Path) -> None:
    make(tmp_path / "real", "a.txt")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert found_in(tmp_path / "link") == [("a.txt", tmp_path / "link" / "a.txt")]


def test_not_a_folder(tmp_path: Path) -> None:
    make(tmp_path, "file")
    with pytest.raises(NotADirectoryError):
        found_in(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        found_in(tmp_path / "none")


def denied(real: Callable[..., Any], forbidden: Path) -> Callable[..., Any]:
    """``real``, but refused for one path: root, who may run the tests, is refused nothing."""

    def guarded(path: Any = ".", *args: Any, **options: Any) -> Any:
        if Path(path) == forbidden:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **options)

    return guarded


def test_a_subfolder_that_cannot_be_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a.txt", "closed/b.txt", "closed/deeper/c.txt")
    monkeypatch.setattr(os, "scandir", denied(os.scandir, tmp_path / "closed"))
    listing = list_folder(tmp_path)
    assert [file.source for file in listing.files] == ["a.txt"]
    assert listing.unlisted == (("closed", "Permission denied"),)
    with pytest.raises(KnowledgeBaseError, match=r"cannot list .*closed'.*denied"):
        found_in(tmp_path)


def test_a_folder_that_cannot_be_listed_at_all_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a.txt")
    monkeypatch.setattr(os, "scandir", denied(os.scandir, tmp_path))
    with pytest.raises(KnowledgeBaseError, match=r"denied; nothing was changed"):
        list_folder(tmp_path)


class Unstatable:
    """A folder's entry that the file system tells nothing of."""

    def __init__(self, entry: os.DirEntry[str]) -> None:
        self.name, self.path = entry.name, entry.path

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return False

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        raise PermissionError(13, "Permission denied", self.path)


def test_a_folder_whose_files_cannot_be_looked_at_is_told_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a.txt", "listed/b.txt", "listed/c.txt")
    real = os.scandir

    @contextmanager
    def scandir(path: Path) -> Iterator[Iterator[Any]]:
        with real(path) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
            yield iter([Unstatable(e) if e.name == "c.txt" else e for e in found])

    monkeypatch.setattr(os, "scandir", scandir)
    listing = list_folder(tmp_path)
    assert [file.source for file in listing.files] == ["a.txt"]
    assert listing.unlisted == (("listed", "Permission denied"),)


def test_pipes_and_sockets_are_never_opened(tmp_path: Path) -> None:
    make(tmp_path, "a.txt")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "link.txt").symlink_to(tmp_path / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.txt"))
        assert [source for source, _ in found_in(tmp_path)] == ["a.txt"]
        reason = "is a pipe, a socket or a device; not read"
        names = ("link.txt", "pipe.txt", "socket.txt")
        assert list_folder(tmp_path).left_out == tuple((name, reason) for name in names)


def test_a_hidden_folder_need_not_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a.txt", ".git/config")
    monkeypatch.setattr(os, "scandir", denied(os.scandir, tmp_path / ".git"))
    assert [source for source, _ in found_in(tmp_path)] == ["a.txt"]


def make_raw(root: Path, *names: bytes) -> None:
    for name in names:
        path = os.path.join(os.fsencode(root), name)  # noqa: PTH118
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
            Path(os.fsdecode(path)).write_bytes(name)
        except OSError:
            pytest.skip("this file system takes valid UTF-8 only")


def test_a_name_that_is_not_utf8_is_escaped_and_loads(tmp_path: Path) -> None:
    make_raw(tmp_path, b"caf\xe9.txt", b"d\xff/a.txt", "ü.txt".encode())
    found = found_in(tmp_path)
    assert [source for source, _ in found] == ["caf\\xe9.txt", "d\\xff/a.txt", "ü.txt"]
    assert found[0][1].read_bytes() == b"caf\xe9.txt"
    document = load_bytes(b"words", found[0][0])
    assert (document.source, document.text) == ("caf\\xe9.txt", "words")
    for source, _ in found:
        source.encode("utf-8")  # fails for lone surrogates


def test_an_escaped_name_takes_no_other_files_place(tmp_path: Path) -> None:
    make_raw(tmp_path, b"\xff.txt", rb"\xff.txt")
    found = {source: path.read_bytes() for source, path in found_in(tmp_path)}
    assert found == {r"\xff.txt": rb"\xff.txt", r"\\xff.txt": b"\xff.txt"}
