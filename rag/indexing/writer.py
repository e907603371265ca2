"""What was loaded of files -> rows of the store: chunked, embedded and written.

Whatever goes wrong with one document is the failure of that document alone. It is reported with a
reason, and not tried again until its file or the loaders change.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from rag.errors import CancelledError, ModelError, RagError
from rag.store.document_codec import content_sha256
from rag.store.port import Content, Entry, FileRecord, IndexStore
from rag.text.index_text import index_text
from rag.types import Chunk, Document, Embedder, Vectors

logger = logging.getLogger(__name__)

CHUNKS_PER_GROUP = 512
"""Chunks whose vectors are kept together; those of like lengths are embedded together."""

CHUNKS_PER_BATCH = 16
"""Chunks embedded between two calls that may end the work: less than a second of two cores with
the bundled model."""

Check = Callable[[], None]
"""Called again and again; raises :class:`CancelledError` where the work is to end."""

Chunker = Callable[[Document, Check], Iterator[Chunk]]

Taken = tuple[FileRecord, Sequence[Document]]
"""A file, and the documents that were loaded of it."""

_HARMLESS = "A short text."
"""What every embedder can embed that works at all."""


_NO_FAULT_OF_A_DOCUMENT = (RagError, CancelledError, MemoryError)
"""A missing model, a full disk, too little memory, and the end of the work."""


class _FailedError(Exception):
    """A document cannot be indexed; the message is the reason."""


@contextmanager
def _blaming(source: str) -> Iterator[None]:
    """Turn what goes wrong with one document into its failure, and log where it did."""
    try:
        yield
    except _NO_FAULT_OF_A_DOCUMENT:
        raise
    except Exception as error:
        logger.exception("%s cannot be indexed", source)
        raise _FailedError(
            f"cannot be indexed: {type(error).__name__}, a fault of this program; its log has the "
            "details"
        ) from error


def refused_by(loaders: str, max_chunks: int | None) -> str:
    """The loaders of a file refused for its chunks: under another limit it is read anew."""
    return f"{loaders} up to {max_chunks} chunks"


@dataclass(frozen=True, slots=True)
class Indexer:
    """Writes files into ``store``; ``chunk`` gives a document's chunks.

    A file of more than ``max_chunks``, all of its documents together, is refused. ``tell`` is
    called with the number of chunks that are embedded, and of those that are to be. It may raise
    :class:`CancelledError`: then nothing of the group is written, but the vectors are kept.
    ``make_way`` is called where others may change the index, but no document of it, or it raises.
    """

    store: IndexStore
    embedder: Embedder
    chunk: Chunker
    max_chunks: int | None = None
    tell: Callable[[int, int], None] = lambda done, total: None
    make_way: Check = lambda: None

    def write(self, group: Sequence[Taken]) -> None:
        """Store files with their documents; what is not stored yet is chunked and embedded."""
        if not group:
            return
        contents: dict[str, Content] = {}
        entries = [self._entry(file, documents, contents) for file, documents in group]
        failed = self._embed(contents.values())
        lost = {
            content.sha256: failed[digest]
            for content in contents.values()
            for digest in content.text_sha256s
            if digest in failed
        }
        kept = [content for sha256, content in contents.items() if sha256 not in lost]
        self.store.write(
            [_without(entry, lost) for entry in entries], kept, check=partial(self.tell, 1, 1)
        )

    def _entry(
        self, file: FileRecord, documents: Sequence[Document], contents: dict[str, Content]
    ) -> Entry:
        """The file's row; what is not stored yet of its documents is added to ``contents``."""
        new: dict[str, Content] = {}
        named: list[tuple[str, str]] = []
        failures, counted = list(file.failures), _Count()
        for document in documents:
            try:
                with _blaming(document.source):
                    sha256 = content_sha256(document)
                    content = contents.get(sha256) or new.get(sha256)
                    stored = None if content else self.store.chunk_count(sha256)
                    if content is None and stored is None:
                        content = new[sha256] = self._content(document, sha256)
                    counted.add(document, sha256, content, stored or 0)
            except _FailedError as error:
                failures.append((document.source, str(error)))
                continue
            named.append((document.source, sha256))
            if self.max_chunks is not None and counted.chunks > self.max_chunks:
                return self._refused(file, counted.estimate(documents))
        contents |= new
        return Entry(replace(file, failures=tuple(failures)), named)

    def _content(self, document: Document, sha256: str) -> Content:
        """The document's chunks, at most one more than a file may have."""
        most = None if self.max_chunks is None else self.max_chunks + 1
        chunks = list(islice(self.chunk(document, partial(self.tell, 0, 1)), most))
        texts = [index_text(chunk) for chunk in chunks]
        digests = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        return Content(document, sha256, [(c.start, c.end) for c in chunks], texts, digests)

    def _refused(self, file: FileRecord, chunks: int) -> Entry:
        """The row of a file that has too many chunks: none of it is indexed."""
        reason = (
            f"would be about {chunks:,} passages, and a file may have {self.max_chunks:,}: split "
            "it, or allow more with RAG_MAX_CHUNKS_PER_FILE"
        )
        loader = refused_by(file.loader, self.max_chunks)
        return Entry(replace(file, loader=loader, failures=((file.source, reason),)), [])

    def _embed(self, contents: Iterable[Content]) -> dict[str, str]:
        """Keep a vector for every index text; returns the reasons of those that can have none."""
        texts = {
            digest: (content.document.source, text)
            for content in contents
            for digest, text in zip(content.text_sha256s, content.index_texts, strict=True)
        }
        failed: dict[str, str] = {}
        # Asked anew for each group: others may have kept some meanwhile, or dropped what was kept.
        while missing := sorted(self.store.missing_vectors(texts.keys() - failed.keys())):
            done = len(texts) - len(missing)
            group = missing[:CHUNKS_PER_GROUP]
            group.sort(key=lambda digest: len(texts[digest][1]))
            vectors: dict[str, Vectors] = {}
            try:
                for begin in range(0, len(group), CHUNKS_PER_BATCH):
                    self.tell(done + begin, len(texts))
                    batch = {d: texts[d] for d in group[begin : begin + CHUNKS_PER_BATCH]}
                    vectors |= self._vectors(batch, failed)
            finally:  # also where the work is to end: it goes on from here the next time
                self.store.keep_vectors(vectors)
            if len(missing) > CHUNKS_PER_GROUP:
                self.make_way()
        self.tell(1, 1)
        return failed

    def _vectors(
        self, batch: Mapping[str, tuple[str, str]], failed: dict[str, str]
    ) -> dict[str, Vectors]:
        """The vectors of ``(source, text)`` by digest; ``failed`` gets reasons of what has none."""
        if len(batch) > 1:
            texts = [text for _, text in batch.values()]
            try:
                return dict(zip(batch, self.embedder.embed_documents(texts), strict=True))
            except _NO_FAULT_OF_A_DOCUMENT:
                raise
            except Exception:  # of which text it is, is found by embedding each alone
                found: dict[str, Vectors] = {}
                for digest in batch:
                    found |= self._vectors({digest: batch[digest]}, failed)
                return found
        [(digest, (source, text))] = batch.items()
        try:
            with _blaming(source):
                return {digest: self.embedder.embed_documents([text])[0]}
        except _FailedError as error:
            self._require_embedder()
            failed[digest] = str(error)
            return {}

    def _require_embedder(self) -> None:
        """Raise :class:`ModelError` where no text at all can be embedded: no file is to blame."""
        try:
            with _blaming("any text"):
                self.embedder.embed_documents([_HARMLESS])
        except _FailedError as error:
            raise ModelError(
                f"the embedder {self.embedder.name!r} fails whatever the text ({error.__cause__}): "
                "install it again, or choose another with RAG_EMBEDDER"
            ) from error


class _Count:
    """Counts the chunks of a file, each content once, whatever its names."""

    def __init__(self) -> None:
        self.chunks = 0
        self._characters = 0
        self._seen: set[str] = set()

    def add(self, document: Document, sha256: str, content: Content | None, stored: int) -> None:
        """A document whose chunks are those of ``content``, or are ``stored`` already."""
        if sha256 in self._seen:
            return
        self._seen.add(sha256)
        self.chunks += len(content.spans) if content else stored
        ends = content.spans[-1][1] if content and content.spans else len(document.text)
        self._characters += ends

    def estimate(self, documents: Sequence[Document]) -> int:
        """About how many chunks the file would have, if the rest of it is like what was seen."""
        length = sum(len(document.text) for document in documents)
        chunks = round(self.chunks * max(1.0, length / max(1, self._characters)))
        return max(self.chunks, round(chunks, 2 - len(str(chunks))))


def _without(entry: Entry, lost: Mapping[str, str]) -> Entry:
    """The file's row without the contents that are ``lost``, with the reasons."""
    if not any(sha256 in lost for _, sha256 in entry.documents):
        return entry
    failures = ((source, lost[sha256]) for source, sha256 in entry.documents if sha256 in lost)
    held = [(source, sha256) for source, sha256 in entry.documents if sha256 not in lost]
    file = replace(entry.file, failures=(*entry.file.failures, *failures))
    return Entry(file, held)
