"""Two processes change one index in turns and one of them is killed: the other loses nothing.

``KILLS`` in the environment says how often: ``make test-faults`` does it 200 times.
"""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import crash
import pytest
from equality import assert_equal
from samples import open_kb, write_folder

from rag.errors import NotFoundError
from rag.store.maintenance.verify import STALE

KILLS = int(os.environ.get("KILLS", "15"))
WORDS = "apple pear plum fig date tree wheel boat water river cloud stone".split()


def some_text(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(5, 1500))) + "."


@pytest.mark.parametrize("seed", range(0, KILLS, 5))
def test_a_sync_killed_while_another_takes_turns_undoes_nothing(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    folder, index, new = tmp_path / "docs", tmp_path / "index", tmp_path / "new"
    write_folder(folder, {f"{i:02}.txt": some_text(rng) for i in range(30)})
    with open_kb(index) as kb, ThreadPoolExecutor(1) as pool:
        kb.sync(folder)
        _, took = crash.run(crash.sync, index, folder)
        for turn in range(min(5, KILLS - seed)):
            changed = {f"{rng.randrange(40):02}.txt": some_text(rng) for _ in range(12)}
            write_folder(folder, changed)
            after = rng.uniform(0, max(took, 0.5))
            other = pool.submit(crash.run, crash.sync, index, folder, after=after)
            name = rng.choice(kb.sources())
            (folder / f"{turn:02}.txt").unlink(missing_ok=True)
            try:
                kb.remove(name)
                assert name not in kb.sources()
            except NotFoundError:
                assert name == f"{turn:02}.txt", "the other was as quick to find it gone"
            upload = write_folder(new, {"added.txt": some_text(rng)}) / "added.txt"
            kb.add([upload])
            assert kb.document("added.txt").text == upload.read_text()
            _, took = other.result()
            assert set(kb.verify()) <= {STALE}
            assert kb.document("added.txt").text == upload.read_text()
        kb.sync()
        assert kb.verify() == []
        with open_kb(tmp_path / "fresh") as fresh:
            fresh.sync(folder)
            assert_equal(kb, fresh)
