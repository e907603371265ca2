"""Which files of a folder are new or changed, and what they hold.

What is known is not done again: a file whose signature is the same is not read, and one whose
bytes are the same is not parsed, not even if it failed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from rag.errors import LoadError
from rag.indexing.file_bytes import read_file, signature
from rag.indexing.scan import FoundFile
from rag.indexing.sync_report import Failure
from rag.indexing.writer import Taken, refused_by
from rag.load.registry import Load, Loaded
from rag.store.port import FileRecord, IndexStore
from rag.types import Document


@dataclass(slots=True)
class FileReader:
    """Reads the files that ``store`` does not know as they are; collects what went wrong.

    ``load`` reads a file's bytes, and ``loaders`` names what it does so with: a file that another
    one loaded is loaded anew, and so is one that was refused under another limit than
    ``max_chunks``. ``is_settling`` tells of a file whether it is still being written.

    ``unread`` are the files that could not be opened, ``waiting`` those that are still being
    written, and ``tried`` those that were loaded, each by source; ``signed`` has new signatures of
    files whose bytes are known.
    """

    store: IndexStore
    load: Load
    loaders: str
    is_settling: Callable[[FoundFile], bool]
    max_chunks: int | None
    unread: list[Failure] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)
    signed: dict[str, str | None] = field(default_factory=dict)

    def changed(
        self, files: Iterable[FoundFile], known: Mapping[str, FileRecord]
    ) -> list[FoundFile]:
        """Those of the files that are new, or differ from what is ``known`` of them."""
        return [file for file in files if not self._is_same(known.get(file.source), file)]

    def start_over(self) -> None:
        """Forget what went wrong: all files are looked at again."""
        self.unread, self.waiting, self.signed = [], [], {}

    def read(self, file: FoundFile, record: FileRecord | None) -> Taken | None:
        """What the file holds; None if that is known, not to be had, or still being written."""
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
                self.signed[file.source] = signed_by
            return None
        self.tried.add(file.source)
        loaded = self._twin(new) or self._loaded(data, file.source)
        return replace(new, failures=loaded.failed), loaded.documents

    def _is_same(self, record: FileRecord | None, file: FoundFile) -> bool:
        """Whether a file need not be read: nothing tells that it was changed since."""
        if record is None or not self._is_loaded_so(record):
            return False
        return record.signature == signature(file.status)

    def _is_loaded_so(self, record: FileRecord) -> bool:
        """Whether loading a file of the same bytes anew would come to the same."""
        return record.loader in (self.loaders, refused_by(self.loaders, self.max_chunks))

    def _loaded(self, data: bytes, source: str) -> Loaded:
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
