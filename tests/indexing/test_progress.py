"""One figure over all files and groups of a sync."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from samples import write_folder

from rag.indexing.progress import READING_SHARE, Workload
from rag.indexing.scan import FoundFile


def files(folder: Path, **sizes: int) -> list[FoundFile]:
    """Files ``name_suffix`` of so many bytes."""
    named = {name.replace("_", "."): size for name, size in sizes.items()}
    write_folder(folder, {name: "x" * size for name, size in named.items()})
    return [FoundFile(name, folder / name, os.stat(folder / name)) for name in named]  # noqa: PTH116


def test_reading_and_embedding_count_by_characters(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    first, second = files(tmp_path, a_txt=100, b_txt=300)
    work = Workload([first, second], lambda *step: told.append(step))
    work.start_file(first)
    work.end_file(100)
    work.start_file(second)
    work.end_file(300)
    work.embedding(1, 4)
    work.embedding(4, 4)
    work.end_group()
    assert told == [
        ("Reading a.txt (1 of 2)", 0, 1000),
        ("Reading b.txt (2 of 2)", int(1000 * READING_SHARE / 4), 1000),
        ("Indexing 2 files (2 of 2)", int(1000 * (READING_SHARE + (1 - READING_SHARE) / 4)), 1000),
        ("Indexing 2 files (2 of 2)", 1000, 1000),
    ]


def test_what_a_kind_of_file_holds_is_learnt(tmp_path: Path) -> None:
    listed = files(tmp_path, a_pdf=1000, b_txt=100, c_pdf=3000)
    work = Workload(listed)
    for file, characters in zip(listed[:2], (10, 100), strict=True):
        work.start_file(file)
        work.end_file(characters)
        work.end_group()
    # A PDF has a character per 100 bytes: 30 are to come, and 110 are done.
    assert work.fraction == pytest.approx(110 / 140)


def test_what_is_told_never_falls_though_there_is_more_than_was_thought(tmp_path: Path) -> None:
    told: list[int] = []
    listed = files(tmp_path, a_txt=100, b_docx=100, c_docx=100)
    work = Workload(listed, lambda stage, done, total: told.append(done))
    for file, characters in zip(listed, (100, 100_000, 5), strict=True):
        work.start_file(file)
        work.end_file(characters)
        work.embedding(1, 1)
        work.end_group()
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == 1000


def test_files_that_hold_nothing_count_by_their_number(tmp_path: Path) -> None:
    listed = files(tmp_path, a_bin=0, b_bin=0)
    work = Workload(listed)
    assert work.fraction == 0.0
    work.start_file(listed[0])
    work.end_file(0)
    assert work.fraction == 0.5
