"""Make an index equal to its folders: load what is new, embed what has no vector, delete the rest.

Files are written in groups, each in one transaction, so an interrupted sync leaves every document
old or new, and the next one goes on from there. What is known is not done again: a file whose
signature is the same is not read, one whose bytes are the same is not parsed, not even if it
failed, and vectors are kept by the text they were made from. A renamed, copied or partly edited
file is embedded only where its text is new.

Others who want to change the index get their turn between two groups. What was listed and known
is found out anew where one of them wrote a document, so that a sync undoes nothing of theirs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from time import perf_counter
from typing import Any

from rag.errors import CancelledError, KnowledgeBaseError, LoadError
from rag.indexing.folder_root import open_file
from rag.indexing.folders import Folders, Seen
from rag.indexing.progress import Workload
from rag.indexing.scan import FoundFile, Listing
from rag.indexing.write_lock import Writing
from rag.indexing.writer import Chunker, Indexer, Taken, refused_by
from rag.load.registry import Loaded, fingerprint, load_file
from rag.store.port import FileRecord, IndexStore
from rag.store.troubles import explained
from rag.types import Document, Embedder, Progress

CHARACTERS_PER_GROUP = 256_000
"""Text of the files written together: about as many chunks."""

MAX_FILE_BYTES = 256_000_000
"""Bytes. Larger files are reported, not read: they would have to fit into memory."""

RACY_SECONDS = 3.0
"""A file that was changed less than this before it was read could be changed once more without
its signature telling: some file systems count in steps of two seconds. It is read again."""

Load = Callable[[bytes, str], Loaded]
"""Bytes and source of one file -> its documents. Raises :class:`LoadError`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file, or a member of one, that is not in the index, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What was done since a sync began, by source. A renamed file is deleted and added.

    ``unchanged`` counts documents. ``failed`` has all that is not in the index, and
    ``newly_failed`` what this sync tried to read of it. ``waiting`` are files that were still
    being written, so that they were left as they were. ``left`` is the number of files that are
    still to be read, for the sync was cancelled; nothing was deleted then.
    """

    added: tuple[str, ...]
    updated: tuple[str, ...]
    deleted: tuple[str, ...]
    unchanged: int
    failed: tuple[Failure, ...]
    seconds: float
    waiting: tuple[str, ...] = ()
    newly_failed: tuple[Failure, ...] = ()
    left: int = 0

    @property
    def changed(self) -> bool:
        """Whether any document is another than before."""
        return bool(self.added or self.updated or self.deleted)

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


def clear_partial(index: Path) -> None:
    """Delete what an interrupted write left beside the index: it may hold deleted text."""
    for path in index.glob("[!.]*.partial"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def signature(status: os.stat_result) -> str:
    """What stands for a file's bytes while it stays the same: its size, times and inode."""
    values = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return "-".join(map(str, values))


def read_file(file: Path | FoundFile) -> tuple[bytes, str | None]:
    """The bytes of a regular file, and its signature; None where that cannot be trusted.

    Raises :class:`LoadError` for what is too large, no regular file or, where it was found in a
    folder, replaced by a link since; and ``OSError``.
    """
    opened = file.open() if isinstance(file, FoundFile) else open_file(file)
    with os.fdopen(opened, "rb") as stream:
        before = os.fstat(stream.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise LoadError("is not a regular file")
        if before.st_size > MAX_FILE_BYTES:
            raise LoadError(
                f"is {before.st_size / 1e6:,.0f} MB; files above {MAX_FILE_BYTES / 1e6:,.0f} MB "
                "are not read: split it"
            )
        begun = time.time()
        data = stream.read()
        after = os.fstat(stream.fileno())
    still = signature(before) == signature(after) and len(data) == after.st_size
    racy = begun - max(after.st_mtime, after.st_ctime) < RACY_SECONDS
    return data, None if racy or not still else signature(after)


class _OvertakenError(Exception):
    """Another has written documents: what was listed and known may no longer hold."""


class _LeftToOthersError(Exception):
    """What this sync was for is done, and another sync that waits does the rest."""


@dataclass(slots=True)
class Sync:
    """One run of :func:`run`; collects the report while it goes.

    ``load`` reads a file's bytes, and ``loaders`` names what it does so with: a file that another
    one loaded is loaded anew. ``is_settling`` tells of a file whether it is still being written.
    Files of more than ``max_chunks`` are refused. ``writing`` is the right to change the index,
    which others who wait for it get between two groups. The sources ``first`` are brought in step
    before all others, and where a sync has made way for this one, that one is left to do the rest.
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
    unread: list[Failure] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)
    work: Workload = field(default_factory=Workload)
    left: int = 0

    def run(self, folders: Folders, before: Mapping[Path, Seen] | None = None) -> SyncReport:
        """Bring the store in step with ``folders``; what cannot be read is reported, not raised.

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
        self.unread += [
            Failure(source, f"cannot be listed: {reason}; what is indexed of it is kept")
            for source, reason in listing.unlisted
        ]
        self.unread += [Failure(source, reason) for source, reason in listing.left_out]
        return self._report(old, perf_counter() - begun)

    def _catch_up(
        self, folders: Folders, before: Mapping[Path, Seen]
    ) -> tuple[Listing, Mapping[str, FileRecord]]:
        """Index what is new or changed, whatever others do; returns what was listed and known."""
        while True:
            listing, seen = folders.listing(self.index, before)
            before = dict(zip(folders.paths, seen, strict=True))
            self._follow(folders, before)
            known = self.store.files()
            self.unread, self.waiting = [], []
            try:
                self._delete(listing, {s: known[s] for s in self.first if s in known})
                self._take_up(folders, listing.files, known)
                return listing, known
            except _OvertakenError:
                continue

    def _delete(self, listing: Listing, known: Collection[str]) -> None:
        """Delete those of the files ``known`` that are not there any more, or cannot be read."""
        present = {file.source for file in listing.files} - {f.source for f in self.unread}
        unlisted = tuple(f"{source}/" for source, _ in listing.unlisted)
        gone = {s for s in known if s not in present and not s.startswith(unlisted)}
        if gone:
            self.store.write([], removed=gone)

    def _take_up(
        self, folders: Folders, files: Sequence[FoundFile], known: Mapping[str, FileRecord]
    ) -> None:
        """Index the files that are new or changed; ``left`` counts those that are still to be."""
        todo = [file for file in files if not self._is_same(known.get(file.source), file)]
        todo.sort(key=lambda file: file.source not in self.first)
        self.work, self.left = Workload(todo, self.progress, self.work.told), len(todo)
        make_way = partial(self._make_way, folders)
        indexer = Indexer(
            self.store, self.embedder, self.chunk, self.max_chunks, self.work.embedding, make_way
        )
        group: list[Taken] = []
        signed: dict[str, str | None] = {}
        size = 0
        self._leave_to_others(todo, 0)
        for done, file in enumerate(todo, start=1):
            self.work.start_file(file)
            taken = self._read(file, known.get(file.source), signed)
            characters = sum(len(document.text) for document in taken[1]) if taken else 0
            self.work.end_file(characters)
            if taken:
                group.append(taken)
            size += characters
            if size >= CHARACTERS_PER_GROUP or done == len(todo) or self._is_wanted:
                indexer.write(group)
                self.store.sign(signed)
                self.work.end_group()
                group, signed, size = [], {}, 0
                self.left = len(todo) - done
                self._leave_to_others(todo, done)
                if self.left:
                    make_way()

    @property
    def _is_wanted(self) -> bool:
        return self.writing is not None and self.writing.is_wanted

    def _leave_to_others(self, todo: Sequence[FoundFile], done: int) -> None:
        """End where a sync waits to go on, and the ``first`` are done, but not the rest."""
        left = self.first and done < len(todo) and todo[done].source not in self.first
        if left and self.writing is not None and self.writing.is_wanted_back:
            raise _LeftToOthersError

    def _make_way(self, folders: Folders) -> None:
        """Let one who waits change the index; ends what this sync does if documents were written.

        Raises :class:`KnowledgeBaseError` where the index follows other folders since.
        """
        if self.writing is None or not self.writing.is_wanted:
            return
        state = self.store.state()
        self.writing.make_way(self.work.wait)
        followed = [path for path, _, _ in self.store.followed()]
        if followed and followed != list(map(str, folders.paths)):
            raise KnowledgeBaseError(
                "the index follows other folders since, by another 'rag index': this sync ends, "
                "and what it did is left to the other"
            )
        if self.store.state() != state:
            raise _OvertakenError

    def _read(
        self, file: FoundFile, record: FileRecord | None, signed: dict[str, str | None]
    ) -> Taken | None:
        """What the file holds; None if that is known, not to be had, or still being written.

        The signature of one whose bytes are known goes into ``signed``.
        """
        if self.is_settling(file):
            self.waiting.append(file.source)
            return None
        try:
            data, signed_by = read_file(file)
        except LoadError as error:
            self.unread.append(Failure(file.source, str(error)))
            return None
        except OSError as error:
            self.unread.append(Failure(file.source, f"cannot be opened: {error.strerror}"))
            return None
        new = FileRecord(file.source, hashlib.sha256(data).hexdigest(), self.loaders, signed_by)
        if record and record.sha256 == new.sha256 and self._is_loaded_so(record):
            if record.signature != signed_by:
                signed[file.source] = signed_by
            return None
        self.tried.add(file.source)
        loaded = self._twin(new) or self._load(data, file.source)
        return replace(new, failures=loaded.failed), loaded.documents

    def still(self) -> None:
        """Tell ``progress`` once more what it was told last; it may end the work."""
        self.work.still()

    def _is_same(self, record: FileRecord | None, file: FoundFile) -> bool:
        """Whether a file need not be read: nothing tells that it was changed since."""
        if record is None or not self._is_loaded_so(record):
            return False
        return record.signature == signature(file.status)

    def _is_loaded_so(self, record: FileRecord) -> bool:
        """Whether loading a file of the same bytes anew would come to the same."""
        return record.loader in (self.loaders, refused_by(self.loaders, self.max_chunks))

    def _load(self, data: bytes, source: str) -> Loaded:
        """What the file holds; if nothing of it can be read, the reason alone."""
        try:
            loaded = self.load(data, source)
        except LoadError as error:
            return Loaded((), ((source, str(error)),))
        return _without_namesakes(loaded)

    def _twin(self, file: FileRecord) -> Loaded | None:
        """What a file of the same bytes, loaded before under a name as good, was found to hold."""
        for twin in self.store.files_of(file.sha256):
            if twin.loader != self.loaders:  # or it was refused: its documents are not known
                continue
            documents = self.store.documents_of(twin.source)
            held = [document.source for document in documents]
            if _loads_identically(file.source, twin, held):
                renamed = (file.source + source.removeprefix(twin.source) for source in held)
                failed = (
                    (file.source + source.removeprefix(twin.source), reason)
                    for source, reason in twin.failures
                )
                named = zip(documents, renamed, strict=True)
                return Loaded(
                    tuple(replace(d, source=source) for d, source in named), tuple(failed)
                )
        return None

    def _report(self, old: Mapping[str, str], seconds: float) -> SyncReport:
        """The report, from what the store held before and holds now."""
        new = self.store.content_digests()
        files = self.store.files()
        failed = _sorted([*self.unread, *_failures(files.values())])
        tried = _failures(files[source] for source in self.tried & files.keys())
        lost = {failure.source for failure in failed}
        return SyncReport(
            added=tuple(sorted(new.keys() - old.keys())),
            updated=tuple(sorted(s for s in new.keys() & old.keys() if new[s] != old[s])),
            deleted=tuple(sorted(old.keys() - new.keys() - lost)),
            unchanged=sum(old.get(source) == sha256 for source, sha256 in new.items()),
            failed=tuple(failed),
            seconds=seconds,
            waiting=tuple(self.waiting),
            newly_failed=tuple(_sorted([*self.unread, *tried])),
            left=self.left,
        )

    def _follow(self, folders: Folders, seen: Mapping[Path, Seen]) -> None:
        """Note the folders, so that others know them though this sync may not come to its end."""
        self.store.follow([(str(p), seen[p].device, seen[p].files) for p in folders.paths])


def _failures(files: Iterable[FileRecord]) -> list[Failure]:
    return [Failure(source, reason) for file in files for source, reason in file.failures]


def _sorted(failures: Iterable[Failure]) -> list[Failure]:
    return sorted(failures, key=lambda failure: failure.source)


def _without_namesakes(loaded: Loaded) -> Loaded:
    """Of members of one name the first: a source stands for one document."""
    documents: dict[str, Document] = {}
    failed = list(loaded.failed)
    for document in loaded.documents:
        if documents.setdefault(document.source, document) is not document:
            failed.append((document.source, "stands there twice under one name; rename one"))
    return Loaded(tuple(documents.values()), tuple(failed))


def _loads_identically(source: str, twin: FileRecord, held: Sequence[str]) -> bool:
    """Whether loaders would make of a file of this name what they made of its twin.

    They look at the suffix alone, but where they name the file's members by it.
    """
    name, other = PurePosixPath(source), PurePosixPath(twin.source)
    if name.name == other.name:
        return True
    members = {*held, *(failed for failed, _ in twin.failures)} - {twin.source}
    return not members and name.suffix.lower() == other.suffix.lower() != ""
