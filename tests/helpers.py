"""What several tests use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from rag import KnowledgeBase

SEEDS = Path(__file__).parent.parent / "seeds"
SEED = "000_4d99796a1b9c3cb8.txt"

MakeKb = Callable[..., KnowledgeBase]
"""The fixture ``make_kb``: ``make_kb({"a.txt": "its text"})``."""


def write_folder(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files by name, in subfolders where the name has ``/``; text is written as UTF-8."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder
