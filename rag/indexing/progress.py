"""How far the work on many files is: one figure over all of them, for a progress bar.

Work is counted in characters of text. What a file holds is known once it is read; until then it
is estimated by what the files of its suffix held per byte so far.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from rag.indexing.scan import FoundFile
from rag.types import Progress

STEPS = 1000
"""What the whole work is told as: its share in thousandths."""

READING_SHARE = 0.1
"""The part of the work on a text that is reading it; the rest is embedding it."""


class Workload:
    """Tells ``progress`` how much of reading and embedding ``files`` is done.

    Files are read one after the other, and embedded in groups: :meth:`start_file`,
    :meth:`end_file`, then :meth:`embedding` any number of times and :meth:`end_group`. What is
    told never falls, for an estimate that was too low makes it wait. ``begun`` is the share, of
    other work before it, at which this work begins.
    """

    def __init__(
        self,
        files: Sequence[FoundFile] = (),
        progress: Progress | None = None,
        begun: float = 0.0,
    ) -> None:
        self._progress = progress
        self._begun = begun
        self._stage = ""
        self._files = len(files)
        self._file: FoundFile | None = None
        self._started = 0
        self._told = int(STEPS * begun)
        self._group: list[str] = []
        self._bytes_left: Counter[str] = Counter()
        for file in files:
            self._bytes_left[_suffix(file)] += file.status.st_size
        self._bytes_read: Counter[str] = Counter()
        self._characters: Counter[str] = Counter()
        self._in_group = self._embedded = 0
        self._share = 0.0

    def start_file(self, file: FoundFile) -> None:
        """The next file is being read."""
        self._file = file
        self._started += 1
        self._tell(f"Reading {file.source}{self._position()}")

    def end_file(self, characters: int) -> None:
        """It was read, or left out: so many characters of it are to be embedded."""
        assert self._file is not None  # it was started
        suffix, size = _suffix(self._file), self._file.status.st_size
        self._bytes_left[suffix] -= size
        self._bytes_read[suffix] += size
        self._characters[suffix] += characters
        self._in_group += characters
        if characters:
            self._group.append(self._file.source)

    def embedding(self, done: int, total: int) -> None:
        """So much of the group that was read last is embedded."""
        self._share = done / total if total else 1.0
        files = self._group[0] if len(self._group) == 1 else f"{len(self._group):,} files"
        self._tell(f"Indexing {files}{self._position()}")

    def end_group(self) -> None:
        """The files read since the last group are in the index."""
        self._embedded += self._in_group
        self._in_group, self._share = 0, 0.0
        self._group = []

    @property
    def fraction(self) -> float:
        """The share of the work that is done, as far as it can be told."""
        read = sum(self._characters.values())
        embedded = self._embedded + self._share * self._in_group
        all_bytes = sum(self._bytes_read.values())
        usual = read / all_bytes if all_bytes and read else 1.0
        left = 0.0
        for suffix, size in self._bytes_left.items():
            seen = self._bytes_read[suffix]
            left += size * (self._characters[suffix] / seen if seen else usual)
        if not read + left:
            return self._started / self._files if self._files else 1.0
        return (READING_SHARE * read + (1 - READING_SHARE) * embedded) / (read + left)

    def _position(self) -> str:
        return f" ({self._started:,} of {self._files:,})" if self._files > 1 else ""

    @property
    def told(self) -> float:
        """The share that was told last."""
        return self._told / STEPS

    def still(self) -> None:
        """Tell once more what was told last: the work goes on."""
        self.wait(self._stage)

    def wait(self, stage: str) -> None:
        """Tell that nothing is done for a while, and why."""
        if self._progress:
            self._progress(stage, self._told, STEPS)

    def _tell(self, stage: str) -> None:
        share = self._begun + (1 - self._begun) * self.fraction
        self._told = max(self._told, int(STEPS * share))
        self._stage = stage
        self.wait(stage)


def _suffix(file: FoundFile) -> str:
    return PurePosixPath(file.source).suffix.lower()
