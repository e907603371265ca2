"""``docs/security.md`` names a test for each promise; they exist."""

from __future__ import annotations

import re

from places import TESTS

PAGE = TESTS.parent / "docs" / "security.md"


def test_every_test_that_the_page_names_exists() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", text)
    assert len(named) > 50
    for file, name in named:
        (path,) = TESTS.rglob(file)
        assert f"def {name}(" in path.read_text(encoding="utf-8"), f"{file}::{name}"


def test_every_row_of_the_page_names_a_test() -> None:
    rows = re.findall(r"^\| (?!promise|-)(.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 30
    assert [row for row in rows if "::test_" not in row] == []
