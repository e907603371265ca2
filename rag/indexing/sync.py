"""Make an index equal to its folders: load what is new, embed what has no vector, delete the rest.

This is the order of the work: list the folders, find out what differs, then read files and write
them in groups, each in one transaction. So an interrupted sync leaves every document old or new,
and the next one goes on from there. Vectors are kept by the text they were made from: a renamed,
copied or partly edited file is embedded only where its text is new.

Others who want to change the index get their turn between two groups. What was listed and known
is found out anew where one of them wrote a document, so that a sync undoes nothing of theirs.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from rag.errors import CancelledError
from rag.indexing.file_reader import FileReader
from rag.indexing.folders import Folders, Seen
from rag.indexing.progress import Workload
from rag.indexing.scan import FoundFile, Listing
from rag.indexing.sync_report import Failure, SyncReport, failures_of
from rag.indexing.turns import OvertakenError, Turns
from rag.indexing.write_lock import Writing
from rag.indexing.writer import Chunker, Indexer, Taken
from rag.load.registry import Load, fingerprint, load_file
from rag.store.port import FileRecord, IndexStore
from rag.store.troubles import explained
from rag.types import Embedder, Progress

CHARACTERS_PER_GROUP = 256_000
"""Text of the files written together: about as many chunks."""


def clear_partial(index: Path) -> None:
    """Delete what an interrupted write left beside the index: it may hold deleted text."""
    for path in index.glob("[!.]*.partial"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


class _LeftToOthersError(Exception):
    """What this sync was for is done, and another sync that waits does the rest."""


@dataclass(slots=True)
class Sync:
    """One run of :func:`run`.

    ``load``, ``loaders``, ``is_settling`` and ``max_chunks`` are those of :class:`FileReader`.
    ``writing`` is the right to change the index, which others who wait for it get between two
    groups. The sources ``first`` are synced before all others, and where a sync has made
    way for this one, that one is left to do the rest.
    """

    index: Path
    store: IndexStore
    embedder: Embedder
    chunk: Chunker
    progress: Progress | None = None
    load: Load = load_file
    loaders: str = field(default_factory=fingerprint)
    is_settling: Callable[[FoundFile], bool] = lambda _: False
    max_chunks: int | None = None
    writing: Writing | None = None
    first: Collection[str] = ()
    reader: FileReader = field(init=False)
    work: Workload = field(init=False, default_factory=Workload)
    left: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.reader = FileReader(
            self.store, self.load, self.loaders, self.is_settling, self.max_chunks
        )

    def run(self, folders: Folders, before: Mapping[Path, Seen] | None = None) -> SyncReport:
        """Make the store equal to ``folders``; what cannot be read is reported, not raised.

        ``before`` is how the folders were found last. Where ``progress`` raises
        :class:`CancelledError`, what was written is kept, and reported; the next sync goes on
        from there. Raises :class:`KnowledgeBaseError` where a folder is gone or its drive seems
        to be, before anything is changed, and where another told the index to follow others.
        """
        begun = perf_counter()
        with explained(self.index):
            clear_partial(self.index)
        old = self.store.content_digests()
        try:
            listing, known = self._catch_up(folders, before or {})
        except CancelledError:
            return self._report(old, perf_counter() - begun)
        except _LeftToOthersError:
            self.left = 0
            self.store.compact(keep_vectors=True)
            return self._report(old, perf_counter() - begun)
        self._delete(listing, known)
        self.store.compact()
        self.reader.unread += [
            Failure(source, f"cannot be listed: {reason}; what is indexed of it is kept")
            for source, reason in listing.unlisted
        ]
        self.reader.unread += [Failure(source, reason) for source, reason in listing.left_out]
        return self._report(old, perf_counter() - begun)

    def still(self) -> None:
        """Tell ``progress`` once more what it was told last; it may end the work."""
        self.work.still()

    def _catch_up(
        self, folders: Folders, before: Mapping[Path, Seen]
    ) -> tuple[Listing, Mapping[str, FileRecord]]:
        """Index what is new or changed, whatever others do; returns what was listed and known."""
        turns = Turns(self.store, folders, self.writing, lambda stage: self.work.wait(stage))
        while True:
            listing, seen = folders.listing(self.index, before)
            before = dict(zip(folders.paths, seen, strict=True))
            # Now, so that others know the folders though this sync may not come to its end.
            self.store.follow([(str(p), before[p].device, before[p].files) for p in folders.paths])
            known = self.store.files()
            self.reader.start_over()
            try:
                self._delete(listing, {s: known[s] for s in self.first if s in known})
                self._take_up(listing.files, known, turns)
                return listing, known
            except OvertakenError:
                continue

    def _delete(self, listing: Listing, known: Collection[str]) -> None:
        """Delete those of the files ``known`` that are not there any more, or cannot be read."""
        present = {file.source for file in listing.files} - {f.source for f in self.reader.unread}
        unlisted = tuple(f"{source}/" for source, _ in listing.unlisted)
        gone = {s for s in known if s not in present and not s.startswith(unlisted)}
        if gone:
            self.store.write([], removed=gone)

    def _take_up(
        self, files: Sequence[FoundFile], known: Mapping[str, FileRecord], turns: Turns
    ) -> None:
        """Index the files that are new or changed; ``left`` counts those that are still to be."""
        todo = self.reader.changed(files, known)
        todo.sort(key=lambda file: file.source not in self.first)
        self.work, self.left = Workload(todo, self.progress, self.work.told), len(todo)
        indexer = Indexer(
            self.store, self.embedder, self.chunk, self.max_chunks,
            self.work.embedding, turns.make_way,
        )  # fmt: skip
        group: list[Taken] = []
        size = 0
        self._leave_to_others(todo, turns)
        for done, file in enumerate(todo, start=1):
            self.work.start_file(file)
            taken = self.reader.read(file, known.get(file.source))
            characters = sum(len(document.text) for document in taken[1]) if taken else 0
            self.work.end_file(characters)
            if taken:
                group.append(taken)
            size += characters
            if size >= CHARACTERS_PER_GROUP or done == len(todo) or turns.is_wanted:
                self._write(indexer, group)
                group, size, self.left = [], 0, len(todo) - done
                self._leave_to_others(todo[done:], turns)
                if self.left:
                    turns.make_way()

    def _write(self, indexer: Indexer, group: Sequence[Taken]) -> None:
        indexer.write(group)
        self.store.sign(self.reader.signed)
        self.reader.signed = {}
        self.work.end_group()

    def _leave_to_others(self, todo: Sequence[FoundFile], turns: Turns) -> None:
        """End where the ``first`` are done, but not the rest, and a sync waits to go on."""
        if self.first and todo and todo[0].source not in self.first and turns.is_wanted_back:
            raise _LeftToOthersError

    def _report(self, old: Mapping[str, str], seconds: float) -> SyncReport:
        """The report, from what the store held before and holds now."""
        reader, files = self.reader, self.store.files()
        tried = failures_of(files[source] for source in reader.tried & files.keys())
        return SyncReport.of(
            old,
            self.store.content_digests(),
            failed=[*reader.unread, *failures_of(files.values())],
            newly_failed=[*reader.unread, *tried],
            waiting=reader.waiting,
            left=self.left,
            seconds=seconds,
        )
