"""The ports that a second store fills: for indexing, and for the knowledge base, beside asking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from rag.types import Document, Store, Vectors


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file as it was loaded, and what tells whether it has to be loaded again.

    ``sha256`` is of its bytes, ``loader`` the fingerprint of the loaders. ``signature`` stands for
    its bytes while it stays the same; None if it cannot be trusted to. ``failures`` has the source
    and the reason of the file, or of each member of it, that could not be read.
    """

    source: str
    sha256: str
    loader: str
    signature: str | None = None
    failures: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What a document holds, ready to be stored: its chunks, and what is indexed for each.

    ``sha256`` is that of :func:`rag.store.document_codec.content_sha256`, ``spans`` are the chunks'
    places in the text, ``text_sha256s`` the digests of their index texts: the vectors' keys.
    """

    document: Document
    sha256: str
    spans: Sequence[tuple[int, int]]
    index_texts: Sequence[str]
    text_sha256s: Sequence[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file to write, with the source and the content's digest of each of its documents."""

    file: FileRecord
    documents: Sequence[tuple[str, str]]


class IndexStore(Store, Protocol):
    """A store that documents can be written to.

    Each method that changes something does so in one step: readers see it whole or not at all.
    """

    # Reading

    def files(self) -> dict[str, FileRecord]:
        """Return every file that was loaded, or that failed to, by its source."""

    def files_of(self, sha256: str) -> list[FileRecord]:
        """Return the files of these bytes, by source."""

    def file_of(self, source: str) -> str:
        """Return the source of a document's file. Raises :class:`rag.errors.NotFoundError`."""

    def file_digest(self, file_source: str) -> str | None:
        """Return the hex SHA-256 of a file's bytes; None for one that was never loaded."""

    def documents_of(self, file_source: str) -> list[Document]:
        """Return the documents of a file, by source."""

    def content_digests(self) -> dict[str, str]:
        """Return the source of each document, with the digest of all that it holds."""

    def chunk_count(self, content_sha256: str) -> int | None:
        """Return the number of chunks of a content; None if it is not stored."""

    def missing_vectors(self, text_sha256s: Iterable[str]) -> set[str]:
        """Return those of the digests of index texts that have no vector yet."""

    def state(self) -> object:
        """Return what is the same as long as no document is written, whoever writes."""

    def followed(self) -> list[tuple[str, int | None, int]]:
        """Return the folders as :meth:`follow` noted them."""

    # Writing

    def write(
        self,
        entries: Sequence[Entry],
        contents: Iterable[Content] = (),
        removed: Iterable[str] = (),
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Put files in place of those of the same source, and remove others.

        ``contents`` has those that are not stored yet; every index text of theirs must have its
        vector. ``check`` is called meanwhile; where it raises, nothing is written.
        """

    def keep_vectors(self, vectors: Mapping[str, Vectors]) -> None:
        """Keep vectors, of shape ``(dimension,)`` and length 1, by the digest of their text.

        No search finds them until a document that has the text is written.
        """

    def sign(self, signatures: Mapping[str, str | None]) -> None:
        """Note other signatures of files whose bytes are the same."""

    def follow(self, folders: Sequence[tuple[str, int | None, int]]) -> None:
        """Note the folders that the index equals: path, device, and number of files of each."""

    def set_note(self, key: str, value: str) -> None:
        """Keep a small text beside the index."""

    def compact(self, *, keep_vectors: bool = False) -> None:
        """After a sync: overwrite on disk what was deleted since the last one.

        With ``keep_vectors`` those stay that no document has yet, for a sync that goes on.
        """


class KnowledgeStore(IndexStore, Protocol):
    """A store as a knowledge base has it open: it tells of itself, keeps notes, and is closed."""

    @property
    def is_read_only(self) -> bool:
        """Whether the index can be asked, but not changed, by this process."""

    def titles(self) -> dict[str, str]:
        """Return the source of each document, sorted, with its title."""

    def names(self, source: str) -> list[str]:
        """Return the sources of all copies of a document, sorted; empty if it is gone."""

    def file_digests(self) -> dict[str, str]:
        """Return the source of each document, with the SHA-256 of the file it is of."""

    def counts(self) -> dict[str, int]:
        """Return the number of documents, chunks and vectors."""

    def sizes(self) -> dict[str, int]:
        """Return the bytes on disk, by what they hold."""

    def is_empty(self) -> bool:
        """Whether there is nothing to search."""

    def note(self, key: str) -> str | None:
        """Return what :meth:`set_note` kept under ``key``."""

    def require_readable(self) -> None:
        """Raise :class:`rag.errors.KnowledgeBaseError` if the index cannot be read."""

    def forget(self) -> None:
        """Keep nothing of the index in memory: it is read anew."""

    def close(self) -> None:
        """Close the index; the store cannot be used afterwards."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...
