"""The public class: opens an index, syncs it with its folders, searches and answers.

The composition root: here the adapters are put behind the ports.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from rag.answering.answer import Answerer
from rag.answering.compute_slots import ComputeSlots, IsWanted
from rag.answering.followup import History
from rag.answering.generate import make_generator
from rag.answering.question import Question, analysed
from rag.answering.read import CalibratedReader, Calibration, SpanReader
from rag.answering.retrieve import retrieve
from rag.embed import make_embedder
from rag.errors import CancelledError, KnowledgeBaseError, LoadError, NotFoundError, SettingsError
from rag.indexing.chunk import Limit, iter_chunks
from rag.indexing.folders import Folders, Seen
from rag.indexing.purge import purge
from rag.indexing.repair import Repair, repair, restore
from rag.indexing.scan import FoundFile
from rag.indexing.sync import Sync
from rag.indexing.sync_report import Failure, SyncReport
from rag.indexing.uploads import Uploads
from rag.indexing.write_lock import Writing, only_writer
from rag.indexing.writer import Check, Indexer
from rag.load import ocr
from rag.load.registry import Load
from rag.sandbox.isolated import IsolatedLoader, Limits
from rag.settings import Settings
from rag.store.backend import Manifest, make_backend
from rag.store.maintenance.backup import write_backup
from rag.store.maintenance.verify import problems
from rag.store.port import KnowledgeStore
from rag.store.troubles import explained, require_database
from rag.text.index_text import index_text
from rag.types import (
    Answer,
    Chunk,
    Document,
    Embedder,
    Generator,
    Hit,
    Location,
    PageImage,
    Progress,
    Reader,
)
from rag.viewer import pages
from rag.viewer.source_file import SourceFile

_CALIBRATION = "calibration"

Folder = str | Path | Sequence[str | Path]
"""The path of a folder, or those of several."""


class KnowledgeBase:
    """Folders of documents, indexed in ``path``; created by the first :meth:`sync`.

    ``settings`` default to :class:`Settings`; an embedder, a reader or a generator given here
    takes the place of the one that they name. Safe to use from several threads. The index is
    opened at first use, which raises :class:`KnowledgeBaseError` if it was made with other
    settings.

    Files are read in a worker process within the settings' limits; ``load`` reads them instead,
    as :func:`rag.load.registry.load_file` does in this process: fit for files that are trusted.

    >>> with KnowledgeBase("index") as kb:       # doctest: +SKIP
    ...     kb.sync("seeds")
    ...     print(kb.ask("When does production start?").text)
    """

    def __init__(
        self,
        path: str | Path = "index",
        settings: Settings | None = None,
        *,
        embedder: Embedder | None = None,
        reader: Reader | None = None,
        generator: Generator | None = None,
        load: Load | None = None,
    ) -> None:
        self.path = Path(path)
        self.settings = settings or Settings()
        self._embedder = embedder or make_embedder(self.settings.embedder)
        self._reader = reader or SpanReader()
        self._generator = generator or make_generator(self.settings)
        self._load = load
        self._show: pages.PageRenderer = pages.show if load else pages.IsolatedPages(self._limits())
        self._backend = make_backend(self.settings.store)
        self._opened: KnowledgeStore | None = None
        self._opening = threading.Lock()
        self._slots = ComputeSlots()

    def variant(
        self, path: str | Path, settings: Settings, embedder: Embedder | None = None
    ) -> KnowledgeBase:
        """A knowledge base in ``path`` with other settings, which shares the models it can."""
        same = settings.embedder == self.settings.embedder
        llm = ("llm_base_url", "llm_model", "llm_api_key", "llm_timeout", "llm_max_tokens")
        same_llm = all(getattr(settings, n) == getattr(self.settings, n) for n in llm)
        return KnowledgeBase(
            path,
            settings,
            embedder=embedder or (self._embedder if same else None),
            reader=self._reader,
            generator=self._generator if same_llm else None,
            load=self._load,
        )

    def close(self) -> None:
        """Close the index; the knowledge base can be opened anew."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()
                self._opened = None
        if isinstance(self._show, pages.IsolatedPages):
            self._show.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # Documents

    @property
    def folder(self) -> Path | None:
        """The first of :attr:`folders`, where documents are added; None before the first sync."""
        return next(iter(self.folders), None)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of the last sync."""
        store = self._store()
        return tuple(Path(path) for path, _, _ in store.followed()) if store else ()

    def sync(
        self,
        folder: Folder | None = None,
        progress: Progress | None = None,
        *,
        rebuild: bool = False,
        is_settling: Callable[[FoundFile], bool] | None = None,
    ) -> SyncReport:
        """Make the index equal to the folder, to several, or to those of the last sync.

        The sources of a single folder's files are relative to it, those of several begin with
        the folder's own name. Files that cannot be read are in the report's ``failed``, with the
        reason; a version of theirs that was indexed before is removed. ``rebuild`` starts from
        nothing. Files of which ``is_settling`` is true are left as they are, for they are still
        being written. Where ``progress`` raises :class:`CancelledError`, what was done until
        then is kept and reported. Others who want to change the index get their turn meanwhile.
        Raises :class:`KnowledgeBaseError` for a folder that is missing, and for one that is empty
        since its drive is gone; then nothing is changed.
        """
        folders = self._require_folders() if folder is None else Folders.of(folder)
        with only_writer(self.path, progress) as writing:
            if folder is None:  # another may have named others while this waited
                folders = self._require_folders()
            return self._sync(folders, writing, progress, rebuild=rebuild, is_settling=is_settling)

    def add(self, paths: Sequence[str | Path], progress: Progress | None = None) -> SyncReport:
        """Copy files into the first folder and sync.

        A file of the same name there is moved to ``.removed`` first. What cannot be read, or has
        a name that no document should have, is in the report's ``failed`` and is not copied.
        Where ``progress`` raises :class:`CancelledError`, the report's ``left`` counts the files
        that are not copied, or not indexed yet. Where a sync has made way for this, what else has
        changed in the folders is left to that one.
        """
        files = [Path(path) for path in paths]
        self._require_addable(files)
        refused: list[Failure] = []
        sources: list[str] = []
        with only_writer(self.path, progress) as writing, self._isolated() as load:
            self._require_addable(files)
            uploads = Uploads(self._require_folders(), load)
            tell = writing.noting(progress)
            waiting = list(files)
            with suppress(CancelledError):  # which the sync is told too, and then ends at once
                while waiting:
                    file = waiting[0]
                    told = partial(tell, f"Checking {file.name}", 0, 0)
                    told()
                    if isinstance(load, IsolatedLoader):
                        load.meanwhile = told
                    try:
                        sources.append(uploads.put(file))
                    except LoadError as error:
                        refused.append(Failure(file.name, str(error)))
                    waiting.pop(0)
            report = self._sync(self._require_folders(), writing, progress, uploads, first=sources)
        return replace(
            report,
            failed=(*refused, *report.failed),
            newly_failed=(*refused, *report.newly_failed),
            left=report.left + len(waiting),
        )

    def _require_addable(self, files: Sequence[Path]) -> None:
        folder = self._require_folders().paths[0]
        for file in files:
            if file.name.startswith(".") or not file.is_file():
                raise KnowledgeBaseError(f"cannot add {file.name!r}: not a regular, visible file")
            if (folder / file.name).is_dir():
                raise KnowledgeBaseError(f"cannot add {file.name!r}: a folder has that name")

    def remove(self, source: str, progress: Progress | None = None) -> SyncReport:
        """Move a document's file to ``.removed`` in its folder and sync.

        Where a sync has made way for this, what else has changed is left to that one.
        """
        self._require_whole_file(source)
        with only_writer(self.path, progress) as writing:
            self._require_whole_file(source)
            folders = self._require_folders()
            folders.set_aside(source)
            return self._sync(folders, writing, progress, first=[source])

    def _require_whole_file(self, source: str) -> None:
        self._require_folders()
        store = self._store()
        assert store  # it follows a folder
        file = store.file_of(source)
        if file != source:
            raise KnowledgeBaseError(f"{source!r} is a part of {file!r}: remove that as a whole")

    def sources(self) -> list[str]:
        """Return the sources of all documents, sorted."""
        store = self._store()
        return store.sources() if store else []

    def titles(self) -> dict[str, str]:
        """Return the source of each document, sorted, with its title; "" for one that has none."""
        store = self._store()
        return store.titles() if store else {}

    def names(self, source: str) -> list[str]:
        """Return the sources of all copies of a document, itself among them, sorted.

        Empty if it is gone.
        """
        store = self._store()
        return store.names(source) if store else []

    def file_digests(self) -> dict[str, str]:
        """Source of each document, with the SHA-256 of the file that it was read from."""
        store = self._store()
        return store.file_digests() if store else {}

    def document(self, source: str) -> Document:
        """Return the document, whose ``text`` all offsets refer to.

        Raises :class:`NotFoundError`.
        """
        store = self._store()
        if store is None:
            raise NotFoundError(f"no document {source!r}: the knowledge base is empty")
        return store.document(source)

    def locate(self, source: str, start: int, end: int) -> list[Location]:
        """Where ``text[start:end]`` of a document stands: its pages, slide, or rows of a sheet.

        With the marks of the words on each page, if the pages can be shown as they look: those of
        PDFs and pictures, while the file is the one that was indexed. Empty where only the
        position tells. Raises :class:`NotFoundError`, ``ValueError`` for a span outside the text,
        and :class:`LoadError` for a file that can no longer be opened.
        """
        return self._original(source, start, end).locate(start, end, self._show)

    def page_image(
        self, source: str, start: int, end: int, page: int | None = None
    ) -> PageImage | None:
        """A page of a document as it looks, with what it holds of ``text[start:end]`` marked.

        Without ``page`` it is the first one that the span stands on. None where no page can be
        shown; errors as for :meth:`locate`.
        """
        return self._original(source, start, end).page_image(start, end, page, self._show)

    def warm(self) -> None:
        """Load the models and the index now, so that the first question need not wait."""
        if hits := self.search("warm up", k=1):
            self._reader.read("warm up", hits)

    def status(self) -> dict[str, Any]:
        """Return what the index holds and what it was made with; ``bytes`` are those on disk."""
        store = self._store()
        counts = store.counts() if store else {}
        folders = [str(folder) for folder in self.folders]
        failed = [f for file in (store.files() if store else {}).values() for f in file.failures]
        return {
            "index": str(self.path),
            "read_only": bool(store and store.is_read_only),
            "folder": folders[0] if folders else None,
            "folders": folders,
            "documents": counts.get("documents", 0),
            "chunks": counts.get("chunks", 0),
            "bytes": store.sizes() if store else {},
            "embedder": self._embedder.name,
            "chunk_tokens": self.settings.chunk_tokens,
            "answerers": list(self.answerers),
            "calibrated": self.calibration is not None,
            "failed": [{"source": source, "reason": reason} for source, reason in sorted(failed)],
            "sources": self.sources(),
        }

    # Probabilities

    @property
    def calibration(self) -> Calibration | None:
        """What :meth:`set_calibration` keeps in the index, if it goes with the reader."""
        store = self._store()
        kept = store.note(_CALIBRATION) if store else None
        found = Calibration.from_json(kept) if kept else None
        return found if found and found.version == self._reader.version else None

    def set_calibration(self, calibration: Calibration | None) -> None:
        """Fit the probabilities of answers to these documents; None: as they ship."""
        store = self._store()
        if store is None:
            raise KnowledgeBaseError("the knowledge base is empty: sync a folder first")
        store.set_note(_CALIBRATION, calibration.to_json() if calibration else "")

    @property
    def reader(self) -> Reader:
        """What reads the passages, with the probabilities that the settings ask for."""
        calibration = self.calibration if self.settings.calibration == "fitted" else None
        return CalibratedReader(self._reader, calibration) if calibration else self._reader

    # Upkeep

    def require_readable(self) -> None:
        """Raise :class:`KnowledgeBaseError`, with what repairs it, if the index cannot be read.

        Looks at the structure of the whole database: :meth:`verify` proves the rest.
        """
        if store := self._store():
            store.require_readable()

    def verify(self) -> list[str]:
        """Return what is wrong with the index, one line each; empty if it is proved whole."""
        with only_writer(self.path):
            with suppress(KnowledgeBaseError):
                self._store()  # brings one of an earlier format up to date
            with explained(self.path):
                return problems(self.path, index_text)

    def repair(self, progress: Progress | None = None) -> Repair:
        """Make all that is derived anew, and leave out what cannot be.

        Raises :class:`KnowledgeBaseError`, with the command that helps, where too little is left.
        """
        with only_writer(self.path) as writing:
            tell = partial(writing.noting(progress), "Indexing")
            repaired = repair(
                self.path,
                self._manifest(),
                lambda store: Indexer(store, self._embedder, self._chunk, tell=tell),
            )
            if self._opened is not None:
                self._opened.forget()
            return repaired

    def backup(self, file: str | Path) -> dict[str, Any]:
        """Write the index, whatever is read and written meanwhile, into one file.

        It is proved first. Returns what the file says of itself.
        """
        if self._store() is None:
            raise KnowledgeBaseError(f"no index in {str(self.path)!r}: nothing to back up")
        with explained(self.path):
            return write_backup(self.path, Path(file), index_text)

    def restore(self, file: str | Path) -> dict[str, Any]:
        """Put a backup in the place of the index, in one step for every reader.

        Returns what the file says of itself. Raises :class:`KnowledgeBaseError` for one that is
        no backup, is damaged, or was made with other settings; nothing is changed then.
        """
        with only_writer(self.path):
            return restore(self.path, Path(file), self._manifest())

    # Questions

    @property
    def answerers(self) -> tuple[str, ...]:
        """What ``answerer`` can be: ``extractive``, and ``llm`` where one is configured."""
        return ("extractive", "llm") if self._generator else ("extractive",)

    def search(self, question: str, k: int = 5, *, is_wanted: IsWanted = lambda: True) -> list[Hit]:
        """Return the ``k`` best passages, best first.

        Fewer if fewer share anything with the question.

        Raises :class:`CancelledError` where ``is_wanted`` is false when its turn comes.
        """
        if k < 1:
            raise ValueError(f"k is {k}: ask for at least 1")
        with self._slots.one(is_wanted):
            return self._search(analysed(question), k)

    def _search(self, question: Question, k: int) -> list[Hit]:
        store = self._store()
        if store is None or not question.text.strip() or store.is_empty():
            return []
        return retrieve(question, store, self._embedder, k, fusion=self.settings.fusion)

    def ask(
        self,
        question: str,
        history: History = (),
        answerer: str | None = None,
        *,
        is_wanted: IsWanted = lambda: True,
    ) -> Answer:
        """Return the answer, or a refusal. ``history`` is ``[(question, answer text), ...]``.

        As many questions are worked on at once as there are cores. Where ``is_wanted`` turns
        false, :class:`CancelledError` ends the work before its next stage.
        """
        *_, answer = self.stream(question, history, answerer, is_wanted=is_wanted)
        return answer

    def stream(
        self,
        question: str,
        history: History = (),
        answerer: str | None = None,
        *,
        is_wanted: IsWanted = lambda: True,
    ) -> Iterator[Answer]:
        """Yield growing answers; the last one is what :meth:`ask` returns."""
        chosen = answerer or self.settings.answerer
        if chosen not in self.answerers:
            raise SettingsError(
                f"answerer {chosen!r} is not available, only {', '.join(self.answerers)}; for "
                "'llm' set RAG_LLM_BASE_URL and RAG_LLM_MODEL"
            )
        reader = self.reader
        return Answerer(
            retrieve=partial(self._search, k=self.settings.top_k),
            has_documents=self._has_documents,
            reader=reader,
            generator=self._generator if chosen == "llm" else None,
            threshold=reader.threshold(self.settings.target_precision),
            names=self.names,
            mentions=self._mentions,
            slots=self._slots,
            is_wanted=is_wanted,
        ).stream(question, history)

    # Inside

    def _sync(
        self,
        folders: Folders,
        writing: Writing,
        progress: Progress | None,
        uploads: Uploads | None = None,
        *,
        rebuild: bool = False,
        is_settling: Callable[[FoundFile], bool] | None = None,
        first: Sequence[str] = (),
    ) -> SyncReport:
        if rebuild:  # what cannot be begun must not cost the old index
            self._embedder.embed_query("")
            folders.listing(self.path, {})
            # Beside the one that is open, which notices: another thread may have made way with it.
            self._backend.open(self.path, self._manifest(), rebuild=True).close()
        store = self._open()
        before = {Path(path): Seen(device, n) for path, device, n in store.followed()}
        with nullcontext(uploads.loader) if uploads else self._isolated() as load:
            sync = Sync(
                self.path,
                store,
                self._embedder,
                self._chunk,
                writing.noting(progress),
                uploads.load if uploads else load,
                is_settling=is_settling or (lambda _: False),
                max_chunks=self.settings.max_chunks_per_file,
                writing=writing,
                first=frozenset(first),
            )
            if isinstance(load, IsolatedLoader):
                load.meanwhile = sync.still
            report = sync.run(folders, before)
        if not report.left:
            purge(self.path, store, self._backend)
        return report

    def _isolated(self) -> AbstractContextManager[Load]:
        if self._load is not None:
            return nullcontext(self._load)
        return IsolatedLoader(self._limits())

    def _limits(self) -> Limits:
        settings = self.settings
        return Limits(settings.load_memory_mb, settings.load_seconds, programs=ocr.is_there())

    def _store(self) -> KnowledgeStore | None:
        """The index, opened if need be; None before the first sync."""
        if self._opened is None and not self._backend.exists(self.path):
            require_database(self.path)
            return None
        return self._open()

    def _open(self) -> KnowledgeStore:
        with self._opening:
            if self._opened is None:
                self._opened = self._backend.open(self.path, self._manifest())
            return self._opened

    def _manifest(self) -> Manifest:
        return {
            "embedder": self._embedder.name,
            "chunk_tokens": self.settings.chunk_tokens,
            "chunk_overlap": self.settings.chunk_overlap,
        }

    def _has_documents(self) -> bool:
        store = self._store()
        return store is not None and not store.is_empty()

    def _mentions(self, words: str) -> bool:
        store = self._store()
        return store is not None and store.mentions(words)

    def _chunk(self, document: Document, check: Check) -> Iterator[Chunk]:
        return iter_chunks(
            document,
            max_tokens=self.settings.chunk_tokens,
            overlap=self.settings.chunk_overlap,
            embedder_limit=Limit(self._embedder.count_tokens, self._embedder.max_tokens),
            check=check,
        )

    def _original(self, source: str, start: int, end: int) -> SourceFile:
        document = self.document(source)
        if not 0 <= start <= end <= len(document.text):
            raise ValueError(
                f"{source!r} has no characters {start}:{end}, only 0:{len(document.text)}"
            )
        store = self._store()
        assert store  # it has the document
        return SourceFile.of(document, store, Folders(self.folders))

    def _require_folders(self) -> Folders:
        folders = self.folders
        if not folders:
            raise KnowledgeBaseError("the knowledge base follows no folder yet: sync one first")
        return Folders.of(folders)
