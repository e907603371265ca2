"""Slots to compute in: as many questions at once as there are cores, if they are wanted."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fakes_page import WordReader
from samples import write_folder

from rag import KnowledgeBase, Settings
from rag.answering.compute_slots import ComputeSlots
from rag.errors import CancelledError
from rag.load.registry import load_file
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


GROWTH = """
import numpy as np
from pathlib import Path
from rag.answering.read.reader import MODEL
from rag.answering.read.model import open_predict

def resident() -> int:
    [line] = [x for x in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in x]
    return int(line.split()[1])

predict = open_predict(MODEL)
small, large = (np.ones((windows, 96), np.int64) for windows in (1, 42))
predict(small, small, small)
before = resident()
predict(large, large, large)
print((resident() - before) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells it there")
def test_a_large_call_of_the_model_keeps_little_memory() -> None:
    result = subprocess.run(
        [sys.executable, "-c", GROWTH],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(result.stdout) < 40, "megabytes"
