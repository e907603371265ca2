"""Models are stopped before their libraries go, so that no thread aborts the program."""

from __future__ import annotations

import subprocess
import sys

from places import ROOT

READ_WHILE_THE_PROGRAM_ENDS = """
import sys, threading
from rag.answering.read import SpanReader
from rag.types import Chunk, Document, Hit

text = "Lexus sold 851,200 vehicles worldwide in 2024. " * 20
hit = Hit(Chunk(Document("a.txt", text), 0, len(text)), 1.0, 0.5, 1.0)
reader = SpanReader()
reader.read("How many?", [hit])
begun = threading.Event()

def read_on():
    while True:
        begun.set()
        reader.read("How many vehicles?", [hit] * 5)

for _ in range(3):
    threading.Thread(target=read_on, daemon=True).start()
begun.wait()
sys.exit(7)
"""


def test_a_program_ends_quietly_while_threads_read() -> None:
    command = [sys.executable, "-c", READ_WHILE_THE_PROGRAM_ENDS]
    root = ROOT
    ended = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert (ended.returncode, ended.stderr) == (7, "")
