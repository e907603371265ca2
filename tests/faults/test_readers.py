"""Many processes ask while one syncs: no error, and no answer from what is deleted.

``READERS`` and ``CHANGES`` in the environment say how many: ``make test-faults`` has 10 and 1,000.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from samples import open_kb, write_folder

READERS = int(os.environ.get("READERS", "4"))
CHANGES = int(os.environ.get("CHANGES", "100"))
DOCUMENTS = 60

READER = """
import json, sys, time
from pathlib import Path
from rag import KnowledgeBase
from rag.embed import HashingEmbedder

index, gone, stop = map(Path, sys.argv[1:])
asked = late = 0
peaks = []
with KnowledgeBase(index, embedder=HashingEmbedder()) as kb:
    while not stop.exists():
        # What was deleted by a sync that had returned before the question was asked.
        deleted = set(json.loads(gone.read_text()))
        hits = kb.search("apples version topic", k=20)
        assert hits, "nothing was found"
        for hit in hits:
            text = hit.chunk.document.text
            assert text[hit.start : hit.end] == hit.text
            late += text in deleted
        asked += 1
        time.sleep(0.01)  # people ask no faster, and the writer needs the machine too
        if asked % 20 == 0:
            status = Path("/proc/self/status").read_text()
            peaks.append(int(status.split("VmHWM:")[1].split()[0]))
print(json.dumps({"asked": asked, "late": late, "peaks": peaks}))
"""


def peak() -> int:
    """Most memory so far in kB; ``ru_maxrss`` would count that of the process it was started by."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])


def test_readers_see_no_error_and_nothing_deleted(tmp_path: Path) -> None:
    rng = random.Random(0)
    folder, index = tmp_path / "docs", tmp_path / "index"
    gone, stop = tmp_path / "gone.json", tmp_path / "stop"

    def text(number: int, version: int) -> str:
        return f"Apples of topic {number}, version {version}. " + "They are red. " * 30

    texts = {f"{i:02}.txt": text(i, 0) for i in range(DOCUMENTS)}
    deleted: list[str] = []
    write_folder(folder, texts)
    gone.write_text("[]")
    with open_kb(index) as kb:
        kb.sync(folder)
        command = [sys.executable, "-c", READER, str(index), str(gone), str(stop)]
        readers = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(READERS)
        ]
        begun, early = time.monotonic(), 0
        for change in range(1, CHANGES + 1):
            number = rng.randrange(DOCUMENTS)
            name = f"{number:02}.txt"
            if texts.pop(name, None):
                deleted.append(kb.document(name).text)
            if rng.random() < 0.3 and len(texts) > DOCUMENTS // 2:
                (folder / name).unlink(missing_ok=True)
            else:
                texts[name] = text(number, change)
                write_folder(folder, {name: texts[name]})
            kb.sync(folder)
            partial = gone.with_suffix(".partial")
            partial.write_text(json.dumps(deleted[-200:]))
            partial.replace(gone)
            if change == CHANGES // 5:
                early = peak()
        seconds = time.monotonic() - begun
        stop.touch()
        told = [reader.communicate(timeout=600) for reader in readers]
        assert [reader.returncode for reader in readers] == [0] * READERS, told
        reports = [json.loads(out) for out, _ in told]
        assert kb.verify() == []
        assert kb.sources() == sorted(texts)
    assert all(report["asked"] > 0 for report in reports)
    assert sum(report["late"] for report in reports) == 0
    print(
        f"\n{READERS} readers, {CHANGES} changes in {seconds:.0f} s, "
        f"{sum(r['asked'] for r in reports):,} questions; peak of the writer {early:,} kB after a "
        f"fifth and {peak():,} kB at the end, of the readers at first and at the end "
        f"{[r['peaks'][:1] + r['peaks'][-1:] for r in reports]}"
    )
    assert peak() < early * 1.25
    for report in reports:
        if len(report["peaks"]) > 10:
            assert report["peaks"][-1] < report["peaks"][len(report["peaks"]) // 5] * 1.25
