"""The public class: opens an index, keeps it in step with a folder, searches and answers.

The composition root: here the adapters are put behind the ports.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

from rag.answer import Answerer
from rag.chunk import Limit, chunk
from rag.embed import make_embedder
from rag.errors import KnowledgeBaseError, NotFoundError, SettingsError
from rag.followup import History
from rag.generate import make_generator
from rag.load.pages import page_image, page_places
from rag.read import SpanReader
from rag.retrieve import retrieve
from rag.settings import Settings
from rag.store.local import LocalStore
from rag.sync import LARGEST_FILE, Sync, SyncReport, only_writer
from rag.types import (
    Answer,
    Chunk,
    Document,
    Embedder,
    Generator,
    Hit,
    PageImage,
    PagePlace,
    Progress,
    Reader,
)

REMOVED = ".removed"
"""Folder, hidden from sync, where removed documents are put."""

_FOLDER = "folder"


class KnowledgeBase:
    """A folder of documents, indexed in ``path``; created by the first :meth:`sync`.

    ``settings`` default to :class:`Settings`; an embedder, a reader or a generator given here
    takes the place of the one that they name. Safe to use from several threads. The index is
    opened at first use, which raises :class:`KnowledgeBaseError` if it was made with other
    settings.

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
    ) -> None:
        self.path = Path(path)
        self.settings = settings or Settings()
        self._embedder = embedder or make_embedder(self.settings.embedder)
        self._reader = reader or SpanReader()
        self._generator = generator or make_generator(self.settings)
        self._opened: LocalStore | None = None
        self._opening = threading.Lock()

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
        )

    def close(self) -> None:
        """Close the index; the knowledge base can be opened anew."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # Documents

    @property
    def folder(self) -> Path | None:
        """The folder of the last sync; None before the first."""
        store = self._store()
        noted = store.note(_FOLDER) if store else None
        return Path(noted) if noted else None

    def sync(
        self, folder: str | Path, progress: Progress | None = None, *, rebuild: bool = False
    ) -> SyncReport:
        """Make the index equal to the folder.

        Files that cannot be read are in the report's ``failed``, with the reason; a version of
        theirs that was indexed before is removed. ``rebuild`` starts from nothing.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise KnowledgeBaseError(f"no folder {str(folder)!r}: name an existing folder")
        with only_writer(self.path):
            return self._sync(folder, progress, rebuild=rebuild)

    def add(self, paths: Sequence[str | Path], progress: Progress | None = None) -> SyncReport:
        """Copy files into the folder and sync.

        A file of the same name there is moved to ``.removed`` first.
        """
        folder = self._require_folder()
        files = [Path(path) for path in paths]
        for file in files:
            if file.name.startswith(".") or not file.is_file():
                raise KnowledgeBaseError(f"cannot add {file.name!r}: not a regular, visible file")
            if (folder / file.name).is_dir():
                raise KnowledgeBaseError(f"cannot add {file.name!r}: a folder has that name")
        with only_writer(self.path):
            for file in files:
                _put(file, folder)
            return self._sync(folder, progress)

    def remove(self, source: str, progress: Progress | None = None) -> SyncReport:
        """Move a document's file to ``.removed`` in the folder and sync."""
        folder = self._require_folder()
        if source not in self.sources():
            raise NotFoundError(f"no document {source!r}; 'rag status' lists them")
        with only_writer(self.path):
            _set_aside(folder, source)
            return self._sync(folder, progress)

    def sources(self) -> list[str]:
        """Sources of all documents, sorted."""
        store = self._store()
        return store.sources() if store else []

    def file_digests(self) -> dict[str, str]:
        """Source of each document, with the SHA-256 of the file that it was read from."""
        store = self._store()
        return store.file_digests() if store else {}

    def document(self, source: str) -> Document:
        """The document, whose ``text`` all offsets refer to. Raises :class:`NotFoundError`."""
        store = self._store()
        if store is None:
            raise NotFoundError(f"no document {source!r}: the knowledge base is empty")
        return store.document(source)

    def places(self, source: str, start: int, end: int) -> list[PagePlace]:
        """The pages that ``text[start:end]`` of a document stands on, and where on each.

        Empty for a format without pages, and where the file is no longer the one that was
        indexed. Raises :class:`NotFoundError`, and ``ValueError`` for a span outside the text.
        """
        found = self._original(source, start, end)
        return page_places(*found, start, end) if found else []

    def page_image(
        self, source: str, start: int, end: int, page: int | None = None
    ) -> PageImage | None:
        """A page of a document as it looks, with what it holds of ``text[start:end]`` marked.

        Without ``page`` it is the first one that the span stands on. None and errors as for
        :meth:`places`.
        """
        found = self._original(source, start, end)
        if found is None:
            return None
        number = page if page is not None else found[1].page_at(start)
        return page_image(*found, number, start, end) if number is not None else None

    def warm(self) -> None:
        """Load the models and the index now, so that the first question need not wait."""
        if hits := self.search("warm up", k=1):
            self._reader.read("warm up", hits)

    def status(self) -> dict[str, Any]:
        """What the index holds and what it was made with."""
        store = self._store()
        counts = store.counts() if store else {}
        folder = self.folder
        return {
            "index": str(self.path),
            "folder": str(folder) if folder else None,
            "documents": counts.get("documents", 0),
            "chunks": counts.get("chunks", 0),
            "embedder": self._embedder.name,
            "chunk_tokens": self.settings.chunk_tokens,
            "answerers": list(self.answerers),
            "sources": self.sources(),
        }

    # Questions

    @property
    def answerers(self) -> tuple[str, ...]:
        """What ``answerer`` can be: ``extractive``, and ``llm`` where one is configured."""
        return ("extractive", "llm") if self._generator else ("extractive",)

    def search(self, question: str, k: int = 5) -> list[Hit]:
        """The ``k`` best passages, best first; fewer if fewer share anything with the question."""
        if k < 1:
            raise ValueError(f"k is {k}: ask for at least 1")
        store = self._store()
        if store is None or not question.strip() or store.is_empty():
            return []
        return retrieve(question, store, self._embedder, k)

    def ask(self, question: str, history: History = (), answerer: str | None = None) -> Answer:
        """The answer, or a refusal. ``history`` is ``[(question, answer text), ...]``."""
        *_, answer = self.stream(question, history, answerer)
        return answer

    def stream(
        self, question: str, history: History = (), answerer: str | None = None
    ) -> Iterator[Answer]:
        """Growing answers; the last one is what :meth:`ask` returns."""
        chosen = answerer or self.settings.answerer
        if chosen not in self.answerers:
            raise SettingsError(
                f"answerer {chosen!r} is not available, only {', '.join(self.answerers)}; for "
                "'llm' set RAG_LLM_BASE_URL and RAG_LLM_MODEL"
            )
        return Answerer(
            retrieve=partial(self.search, k=self.settings.top_k),
            has_documents=self._has_documents,
            reader=self._reader,
            generator=self._generator if chosen == "llm" else None,
            refuse_below=self._reader.refuse_below(self.settings.target_precision),
        ).stream(question, history)

    # Inside

    def _sync(
        self, folder: Path, progress: Progress | None, *, rebuild: bool = False
    ) -> SyncReport:
        if rebuild:
            self._embedder.embed_query("")  # a model that is missing must not cost the old index
            self.close()
        store = self._open(rebuild=rebuild)
        report = Sync(self.path, store, self._embedder, self._chunk, progress).run(folder)
        store.set_note(_FOLDER, str(folder.resolve()))
        return report

    def _store(self) -> LocalStore | None:
        """The index, opened if need be; None before the first sync."""
        if self._opened is None and not LocalStore.exists(self.path):
            return None
        return self._open()

    def _open(self, *, rebuild: bool = False) -> LocalStore:
        with self._opening:
            if self._opened is None:
                manifest: dict[str, str | int] = {
                    "embedder": self._embedder.name,
                    "chunk_tokens": self.settings.chunk_tokens,
                    "chunk_overlap": self.settings.chunk_overlap,
                }
                self._opened = LocalStore(self.path, manifest, rebuild=rebuild)
            return self._opened

    def _has_documents(self) -> bool:
        store = self._store()
        return store is not None and not store.is_empty()

    def _chunk(self, document: Document) -> list[Chunk]:
        return chunk(
            document,
            max_tokens=self.settings.chunk_tokens,
            overlap=self.settings.chunk_overlap,
            embedder_limit=Limit(self._embedder.count_tokens, self._embedder.max_tokens),
        )

    def _original(self, source: str, start: int, end: int) -> tuple[bytes, Document] | None:
        """The file that a document with pages was read from; None if it is not there unchanged."""
        document = self.document(source)
        if not 0 <= start <= end <= len(document.text):
            raise ValueError(f"{start}:{end} is not in {source!r} of {len(document.text)}")
        folder = self.folder
        if folder is None or not document.pages:
            return None
        data = _read_inside(folder, source)
        if hashlib.sha256(data).hexdigest() != self.file_digests().get(source):
            return None
        return data, document

    def _require_folder(self) -> Path:
        folder = self.folder
        if folder is None:
            raise KnowledgeBaseError("the knowledge base follows no folder yet: sync one first")
        return folder


def _read_inside(folder: Path, source: str) -> bytes:
    """The bytes of a file below ``folder``; none if it is not there, too large or elsewhere."""
    try:
        path = (folder / source).resolve(strict=True)
        inside = path.is_relative_to(folder.resolve()) and path.is_file()
        return path.read_bytes() if inside and path.stat().st_size <= LARGEST_FILE else b""
    except (OSError, ValueError):
        return b""


def _put(file: Path, folder: Path) -> None:
    """Copy a file into the folder, where no half-written one is ever seen."""
    target = folder / file.name
    if target.exists() and target.samefile(file):
        return
    partial = folder / f".{file.name}.partial"
    try:
        shutil.copyfile(file, partial)
        _set_aside(folder, file.name)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _set_aside(folder: Path, source: str) -> None:
    """Move a file, if it is there, to ``.removed``; nothing that stands there is lost."""
    file, target = folder / source, folder / REMOVED / source
    if not os.path.lexists(file):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while os.path.lexists(target):
        number += 1
        target = target.with_name(f"{file.stem} ({number}){file.suffix}")
    file.rename(target)
