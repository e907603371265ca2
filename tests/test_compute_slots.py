"""Slots to compute in: as many questions at once as there are cores, if they are wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fakes_page import WordReader
from helpers import write_folder

from rag import KnowledgeBase, Settings
from rag.compute_slots import ComputeSlots
from rag.embed import bundled_encoder
from rag.errors import CancelledError
from rag.load import load_file
from rag.types import Hit, Span

QUESTIONS = 8


class CountingReader(WordReader):
    """Counts how many read at once; each waits a little, so that all would meet."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.05)
        with self._lock:
            self.now -= 1
        return super().read(question, hits)


def test_as_many_questions_are_read_at_once_as_there_are_turns(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "docs", {"whales.txt": "Whales swim near Iceland."})
    reader, settings = CountingReader(), Settings(embedder="hashing")
    with KnowledgeBase(tmp_path / "index", settings, reader=reader, load=load_file) as kb:
        kb.sync(folder)
        kb._slots = ComputeSlots(2)
        with ThreadPoolExecutor(QUESTIONS) as pool:
            answers = list(pool.map(kb.ask, ["Where do whales swim?"] * QUESTIONS))
    assert {answer.text for answer in answers} == {"Whales swim near Iceland. [1]"}
    assert reader.most == 2


def test_who_waits_in_vain_goes_and_leaves_the_turn_to_others() -> None:
    slots = ComputeSlots(1)
    with slots.one(lambda: True), pytest.raises(CancelledError), slots.one(lambda: False):
        pass
    with slots.one(lambda: True):
        pass
    with pytest.raises(CancelledError), slots.one(lambda: False):
        pass
    with slots.one(lambda: True):
        pass


def test_no_arena_keeps_memory() -> None:
    options = bundled_encoder()._session._session.get_session_options()
    assert options.enable_cpu_mem_arena is False
