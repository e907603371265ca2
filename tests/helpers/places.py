"""Where the tests' files are."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
SEEDS = ROOT / "seeds"
DATA = TESTS / "data"
FILES = DATA / "files"
"""A file or more of each format, for the loaders."""

GATE = DATA / "gate"
"""Documents and questions that a change must not make worse."""
