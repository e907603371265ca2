"""What ``.ragignore`` files leave out, as git has it."""

import random
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from rag.indexing.scan import find_files, list_folder

FILES = (
    "a.txt", "b.log", "keep.log", "build/x.txt", "build/deep/y.txt", "src/build", "src/a.txt",
    "src/b.log", "src/keep.log", "src/deep/a.txt", "src/deep/c.md", "docs/drafts/d.txt",
    "docs/drafts/final.txt", "docs/e.txt", "space .txt", "!odd.txt", "ü.txt",
)  # fmt: skip
IGNORE_FILE = {
    "": "# a comment\n*.log\n!keep.log\nbuild/\n/docs/drafts/*\n!final.txt\n\\!odd.txt\n"
    "space\\ .txt\n",
    "src": "/a.txt\n!b.log\ndeep/*.md\r\n",
    "src/deep": "!c.md\n",
}


def write_each(root: Path, files: Iterable[str]) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("x")


def write(root: Path, rules: dict[str, str], name: str = ".ragignore") -> None:
    write_each(root, FILES)
    for folder, text in rules.items():
        (root / folder / name).write_bytes(text.encode())


def found(root: Path) -> list[str]:
    return [file.source for file in find_files(root)]


def test_the_nearest_pattern_that_fits_decides(tmp_path: Path) -> None:
    write(tmp_path, IGNORE_FILE)
    assert found(tmp_path) == [
        "a.txt", "docs/drafts/final.txt", "docs/e.txt", "keep.log", "src/b.log", "src/build",
        "src/deep/a.txt", "src/deep/c.md", "src/keep.log", "ü.txt",
    ]  # fmt: skip


def test_git_would_list_the_same(tmp_path: Path) -> None:
    write(tmp_path / "ours", IGNORE_FILE)
    write(tmp_path / "git", IGNORE_FILE, ".gitignore")

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


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("!", "'!' names nothing to take in again"),
        ("[z-a]*", "'[z-a]*' has a range that ends before it begins: z-a"),
        ("a[b", "'a[b' has a [ without its ]"),
        ("a\\", "'a\\\\' ends with a backslash"),
        ("[[:word:]]", "'[[:word:]]' has an unknown class of characters: [:word:]"),
        ("x" * 501, f"'{'x' * 40}...' has more than 500 characters"),
    ],
)
def test_a_line_that_is_no_pattern_is_named_and_the_others_count(
    tmp_path: Path, line: str, reason: str
) -> None:
    write(tmp_path, {"src": f"*.log\n\n{line}\n*.md\n"})
    listing = list_folder(tmp_path)
    assert listing.left_out == (("src/.ragignore", f"line 3: {reason}"),)
    below = [file.source for file in listing.files if file.source.startswith("src/")]
    assert below == ["src/a.txt", "src/build", "src/deep/a.txt"]


def test_many_wrong_lines_are_told_in_few_words(tmp_path: Path) -> None:
    write(tmp_path, {"": "!\n" * 1000 + "x" * 40_000})
    ((source, reason),) = list_folder(tmp_path).left_out
    assert source == ".ragignore"
    assert reason.endswith(
        "and 998 more lines; has more than 32,000 characters: what follows is not used"
    )
    assert len(reason) < 300


@pytest.mark.parametrize(
    "pattern",
    ["*a" * 100 + "b", "*a*" * 100 + "b", "**/a/" * 90 + "b", "[ab]*" * 90 + "c", "?*" * 200 + "b"],
)
def test_no_pattern_takes_long(pattern: str) -> None:
    """In a process that the system ends after 20 s of computing: a few milliseconds do."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (20, 20))\n"
        "from rag.indexing.patterns import read_patterns\n"
        f"(pattern,), wrong = read_patterns({pattern!r})\n"
        "print(wrong, pattern.fits('a' * 250, folder=False), pattern.fits('a/' * 400 + 'a', "
        "folder=False))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, " False False\n"), ran.stderr


def random_pattern(chance: random.Random) -> str:
    """Without a slash that is escaped or in brackets, and without a ``**`` after a plain
    beginning: git, which compares the beginning first, takes ``a**/b`` for ``ab``."""
    pieces = "a b ab * ** ? / /**/ **/ /** ! [ab] [!a] [a-b] [^b] [ ] - \\ \\* # [[:alpha:]] []a]"
    while True:
        pattern = "".join(
            chance.choice([*pieces.split(), " "]) for _ in range(chance.randint(1, 5))
        )
        if not re.search(r"[^/*]\*\*+/|\\/|\[[^\]]*/", pattern):
            return pattern


def test_random_patterns_leave_out_what_git_does(tmp_path: Path) -> None:
    chance = random.Random(7)
    names = ["ab", "ba", "aa", "a b", "b ", "#a", "]", "!", "a-", "x"]
    folders = ["", "a", "b/a", "a/b/a"]
    cases = {f"{n:03}": [random_pattern(chance) for _ in range(3)] for n in range(120)}
    for case, patterns in cases.items():
        root = tmp_path / case
        write_each(root, [f"{folder}/{name}".lstrip("/") for folder in folders for name in names])
        text = "\n".join(patterns)
        (root / ".ragignore").write_text(text)
        (root / ".gitignore").write_text(text)
    git = ["git", "-C", str(tmp_path), "-c", "core.excludesFile=", "ls-files", "-z", "-o"]
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    listed = subprocess.run(
        [*git, "--exclude-per-directory=.gitignore"], capture_output=True, text=True, check=True
    ).stdout.split("\0")
    ours = set(found(tmp_path))
    theirs = {name for name in listed if name and not name.endswith("ignore")}
    differing = {name.partition("/")[0] for name in ours ^ theirs}
    assert {case: cases[case] for case in differing} == {}
