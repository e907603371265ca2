"""Make an index equal to a folder: load what is new, embed what has no vector, delete the rest.

Documents are written in groups, each in one transaction, so an interrupted sync leaves every
document old or new, and the next one goes on from there. Vectors are kept by the text they were
made from: a renamed, copied or partly edited file is embedded only where its text is new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from filelock import FileLock, Timeout

from rag.chunk import index_text
from rag.errors import KnowledgeBaseError, LoadError
from rag.load import Loaded, find_files, load_file
from rag.store.database import explained
from rag.store.local import Entry, LocalStore
from rag.types import Chunk, Document, Embedder, Progress

CHUNKS_A_GROUP = 512
"""Chunks embedded and kept together: enough to batch by length, little to do again."""

LARGEST_FILE = 256_000_000
"""Bytes. Larger files are reported, not read: they would have to fit into memory."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that is not in the index, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, by source. A renamed file is deleted and added."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    deleted: tuple[str, ...]
    unchanged: int
    failed: tuple[Failure, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-ready values."""
        return {
            "added": list(self.added),
            "updated": list(self.updated),
            "deleted": list(self.deleted),
            "unchanged": self.unchanged,
            "failed": [{"source": f.source, "reason": f.reason} for f in self.failed],
            "seconds": round(self.seconds, 3),
        }


@contextmanager
def only_writer(index: Path) -> Iterator[None]:
    """Hold the right to change the index; :class:`KnowledgeBaseError` if another has it."""
    lock = FileLock(index / "sync.lock", timeout=0)
    with explained(index):
        index.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise KnowledgeBaseError(
                f"the index in {str(index)!r} is being changed by another sync: wait for its end"
            ) from None
    try:
        yield
    finally:
        lock.release()


@dataclass(slots=True)
class Sync:
    """One run of :func:`run`; collects the report while it goes."""

    index: Path
    store: LocalStore
    embedder: Embedder
    chunk: Callable[[Document], list[Chunk]]
    progress: Progress | None = None
    load: Callable[[bytes, str], Loaded] = load_file
    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)

    def run(self, folder: Path) -> SyncReport:
        """Bring the store in step with ``folder``; what cannot be read is reported, not raised."""
        begun = perf_counter()
        if not folder.is_dir():
            raise KnowledgeBaseError(f"no folder {str(folder)!r}: name an existing folder")
        files = self._files(folder)
        indexed = self.store.file_digests()
        unchanged = self._load_changed(files, indexed)
        failed = {failure.source for failure in self.failed}
        present = {source for source, _ in files}
        deleted = sorted(indexed.keys() - present)
        gone = sorted(indexed.keys() & failed) + deleted
        if gone:
            self.store.write([], removed=gone)
        self.store.settle()
        return SyncReport(
            tuple(self.added),
            tuple(self.updated),
            tuple(deleted),
            unchanged,
            tuple(self.failed),
            perf_counter() - begun,
        )

    def _files(self, folder: Path) -> list[tuple[str, Path]]:
        """The folder's files, without those of the index, should it stand in the folder."""
        files = find_files(folder)
        index, root = self.index.resolve(), folder.resolve()
        if not index.is_relative_to(root):
            return files
        if index == root:
            raise KnowledgeBaseError(
                f"{str(folder)!r} is the folder of the index: keep documents in another"
            )
        inside = f"{index.relative_to(root).as_posix()}/"
        return [(source, path) for source, path in files if not source.startswith(inside)]

    def _load_changed(self, files: Sequence[tuple[str, Path]], indexed: dict[str, str]) -> int:
        """Index the files that are new or changed. Returns how many are neither."""
        unchanged = 0
        group: list[Entry] = []
        for done, (source, path) in enumerate(files):
            self._report("Reading", done, len(files))
            try:
                data = read_file(path)
                digest = hashlib.sha256(data).hexdigest()
                if indexed.get(source) == digest:
                    unchanged += 1
                    continue
                (document,) = self.load(data, source).documents
            except LoadError as error:
                self.failed.append(Failure(source, str(error)))
                continue
            except OSError as error:
                self.failed.append(Failure(source, f"cannot be opened: {error.strerror}"))
                continue
            group.append(self._entry(document, digest))
            (self.updated if source in indexed else self.added).append(source)
            if sum(len(entry.chunks) for entry in group) >= CHUNKS_A_GROUP:
                self._write(group)
                group = []
        self._report("Reading", len(files), len(files))
        self._write(group)
        return unchanged

    def _entry(self, document: Document, file_sha256: str) -> Entry:
        chunks = self.chunk(document)
        texts = [index_text(chunk) for chunk in chunks]
        digests = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        return Entry(document, file_sha256, chunks, texts, digests)

    def _write(self, group: Sequence[Entry]) -> None:
        if not group:
            return
        texts = {
            digest: text
            for entry in group
            for digest, text in zip(entry.text_sha256s, entry.index_texts, strict=True)
        }
        missing = sorted(self.store.missing_vectors(texts))
        for begin in range(0, len(missing), CHUNKS_A_GROUP):
            step = missing[begin : begin + CHUNKS_A_GROUP]
            rows = self.embedder.embed_documents([texts[d] for d in step], self.progress)
            self.store.keep_vectors(dict(zip(step, rows, strict=True)))
        self.store.write(group)

    def _report(self, stage: str, done: int, total: int) -> None:
        if self.progress:
            self.progress(stage, done, total)


def read_file(path: Path) -> bytes:
    """The bytes of a file. Raises :class:`LoadError` for one that is too large."""
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise LoadError(
            f"is {size / 1e6:,.0f} MB; files above {LARGEST_FILE / 1e6:,.0f} MB are not read: "
            "split it"
        )
    return path.read_bytes()
