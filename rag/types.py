"""The values that flow through the program, and the ports its adapters implement.

Values hold each other (``Hit.chunk``, ``Citation.hit``); whatever can be derived is a property.
Every ``start`` and ``end`` is a position in characters of ``Document.text``, so that
``document.text[start:end]`` is the quoted text. Nothing here does I/O.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
"""Embeddings: float32, ``(n, dimension)`` or ``(dimension,)``, each row of Euclidean length 1."""

Progress = Callable[[str, int, int], None]
"""Called as ``progress(stage, done, total)``; ``stage`` is to be shown: ``"Reading a.pdf"``.

``total`` 0 stands for an unknown one. Work ends early where it raises :class:`CancelledError`."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: its words stand at ``text[start:end]``; ``level`` 1 is the outermost."""

    level: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page, counted from 1, that covers ``text[start:end]``."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Place:
    """A part ``text[start:end]`` of a document by the name that people use: ``slide 3``.

    Where it has a ``row``, it is part of a sheet named ``label``: each of its lines is a row, and
    ``row`` is the number of the first.
    """

    label: str
    start: int
    end: int
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle of a page as it is shown, in shares of its width and height from the upper left.

    All four are from 0 to 1.
    """

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Location:
    """Where ``text[start:end]`` of a document stands: on a page, a slide, in rows of a sheet.

    ``name`` is what people call it. ``page`` is the number of its page, if it has one. ``marks``
    are where on that page the words stand: empty where this is not known, None where the page
    cannot be shown as it looks.
    """

    start: int
    end: int
    name: str
    page: int | None = None
    marks: tuple[Mark, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the location as JSON-ready values."""
        marks = None
        if self.marks is not None:
            marks = [[round(s, 5) for s in (m.left, m.top, m.right, m.bottom)] for m in self.marks]
        return {
            "start": self.start,
            "end": self.end,
            "name": self.name,
            "page": self.page,
            "marks": marks,
        }


@dataclass(frozen=True, slots=True)
class PageImage:
    """Page ``number`` as a PNG of ``width`` by ``height`` pixels, in which ``marks`` are marked."""

    png: bytes
    width: int
    height: int
    number: int
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One document's canonical text: line ends are ``\\n``, and all offsets refer to it.

    ``source`` is the path relative to the synced folder, with ``/``. ``title`` comes from the
    content, never from the file's name, so that renaming a file changes nothing else.
    ``pages`` is empty for formats without pages; ``headings`` are in reading order. ``places``
    name parts where a page number would not tell people enough; they are in order and apart.
    """

    source: str
    text: str
    title: str = ""
    pages: tuple[Page, ...] = ()
    headings: tuple[Heading, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the canonical text as UTF-8."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()

    def page_at(self, position: int) -> int | None:
        """Return the number of the page that holds the character at ``position``.

        None without pages.
        """
        index = bisect_right(self.pages, position, key=lambda page: page.start) - 1
        page = self.pages[index] if index >= 0 else None
        return page.number if page and position < page.end else None

    def place_at(self, start: int, end: int | None = None) -> str:
        """Where ``text[start:end]`` stands, for people: ``page 3``, ``Sales, row 17``, or ""."""
        end = start + 1 if end is None else end
        first = self._place_before(start)
        if first < 0 or self.places[first].end <= start:
            page = self.page_at(start)
            return "" if page is None else f"page {page}"
        label = self.places[first].label
        reached = self.places[first : self._place_before(end - 1) + 1]
        parts = [part for part in reached if part.label == label and part.row is not None]
        if not parts:
            return label
        top = self._row(parts[0], max(start, parts[0].start))
        bottom = self._row(parts[-1], min(end, parts[-1].end) - 1)
        rows = f"row {top}" if top == bottom else f"rows {top}–{bottom}"
        return f"{label}, {rows}" if label else rows

    def locate(self, start: int, end: int) -> tuple[Location, ...]:
        """Tell where ``text[start:end]`` stands: page by page, or by its name.

        Empty if only that tells.

        What no word stands in is nowhere.
        """
        spans = [(max(start, p.start), min(end, p.end), p.number) for p in self._pages(start, end)]
        parts = [part for part in spans if self.text[part[0] : part[1]].strip()]
        if self.pages:
            return tuple(Location(a, b, self.place_at(a, b), number) for a, b, number in parts)
        name = self.place_at(start, end) if self.text[start:end].strip() else ""
        return (Location(start, end, name),) if name else ()

    def _pages(self, start: int, end: int) -> tuple[Page, ...]:
        """The pages that reach into ``text[start:end]``."""
        first = max(bisect_right(self.pages, start, key=lambda page: page.start) - 1, 0)
        return self.pages[first : bisect_right(self.pages, end, key=lambda page: page.start)]

    def _place_before(self, position: int) -> int:
        """Index of the last place that starts at ``position`` or before; -1 if none does."""
        return bisect_right(self.places, position, key=lambda place: place.start) - 1

    def _row(self, place: Place, position: int) -> int:
        return (place.row or 0) + self.text.count("\n", place.start, position)

    def headings_above(self, position: int) -> tuple[Heading, ...]:
        """Return the headings that ``position`` stands in or under, outermost first."""
        above: list[Heading] = []
        last = bisect_right(self.headings, position, key=lambda heading: heading.start)
        for index in range(last - 1, -1, -1):
            heading = self.headings[index]
            if not above or heading.level < above[-1].level:
                above.append(heading)
            if heading.level == 1:
                break
        return tuple(reversed(above))


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage ``document.text[start:end]`` that is indexed and found as one."""

    document: Document
    start: int
    end: int

    @property
    def source(self) -> str:
        return self.document.source

    @property
    def text(self) -> str:
        return self.document.text[self.start : self.end]

    @property
    def headings(self) -> tuple[str, ...]:
        """The words of the headings the chunk stands under, outermost first."""
        above = self.document.headings_above(self.start)
        return tuple(self.document.text[h.start : h.end] for h in above)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that a store found: ``dense`` and ``lexical`` as in :class:`Hit`, not yet fused."""

    chunk: Chunk
    dense: float
    lexical: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that retrieval found for a question.

    ``score`` orders the hits, in 0..1. It is made of ``dense`` (cosine similarity, -1..1) and
    ``lexical`` (BM25, at least 0 and unbounded; 0 where no word matched). Higher is better.
    """

    chunk: Chunk
    score: float
    dense: float
    lexical: float

    @property
    def source(self) -> str:
        return self.chunk.source

    @property
    def start(self) -> int:
        return self.chunk.start

    @property
    def end(self) -> int:
        return self.chunk.end

    @property
    def text(self) -> str:
        return self.chunk.text

    def to_dict(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "score": round(self.score, 6),
        }


@dataclass(frozen=True, slots=True)
class Span:
    """Words of a hit's document that may answer: ``text[start:end]``.

    ``probability`` is the calibrated probability that they do.
    """

    hit: Hit
    start: int
    end: int
    probability: float

    @property
    def text(self) -> str:
        return self.hit.chunk.document.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Citation:
    """A marker ``[number]`` of an answer and the exact words it stands for."""

    number: int
    hit: Hit
    start: int
    end: int

    @property
    def source(self) -> str:
        return self.hit.source

    @property
    def quote(self) -> str:
        return self.hit.chunk.document.text[self.start : self.end]

    @property
    def page(self) -> int | None:
        return self.hit.chunk.document.page_at(self.start)

    @property
    def place(self) -> str:
        """Where the quote stands, for people; "" where only its position tells."""
        return self.hit.chunk.document.place_at(self.start, self.end)

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the document's canonical text as UTF-8."""
        return self.hit.chunk.document.sha256

    def to_dict(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "source": self.source,
            "start": self.start,
            "end": self.end,
            "quote": self.quote,
            "page": self.page,
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True)
class PossibleAnswer:
    """The best candidate of a refusal: a sentence, cited, and the words in it that may answer."""

    citation: Citation
    span: Span

    @property
    def probability(self) -> float:
        """Calibrated probability that the words answer the question."""
        return self.span.probability

    def to_dict(self) -> dict[str, Any]:
        return {
            **self.citation.to_dict(),
            "span": {"start": self.span.start, "end": self.span.end, "text": self.span.text},
            "probability": round(self.probability, 4),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, or a refusal with its reason.

    ``text`` carries markers such as ``[1]``; ``short`` is the shortest exact answer, a verbatim
    piece of a cited document. ``confidence`` is the calibrated probability that the answer is
    right, given for a refusal too. ``reason`` is a key of ``REASONS`` in
    :mod:`rag.answering.refusal_texts`. ``seconds`` has ``retrieve``, ``read`` and ``total``.
    ``dropped_markers`` counts the markers of an LLM that pointed at no given passage or at one that
    does not support the sentence, and its sentences that were removed because nothing supports
    them. ``perhaps`` is the best candidate of a refusal.
    """

    question: str
    text: str
    short: str | None = None
    refused: bool = False
    reason: str | None = None
    confidence: float = 0.0
    answerer: str = ""
    citations: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...] = ()
    seconds: Mapping[str, float] | None = None
    dropped_markers: int = 0
    perhaps: PossibleAnswer | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON-ready values."""
        seconds = self.seconds or {}
        return {
            "question": self.question,
            "text": self.text,
            "short": self.short,
            "refused": self.refused,
            "reason": self.reason,
            "confidence": round(self.confidence, 4),
            "answerer": self.answerer,
            "citations": [citation.to_dict() for citation in self.citations],
            "hits": [hit.to_dict() for hit in self.hits],
            "seconds": {k: round(seconds.get(k, 0.0), 4) for k in ("retrieve", "read", "total")},
            "perhaps": self.perhaps.to_dict() if self.perhaps else None,
        }


class Embedder(Protocol):
    """Turns text into vectors. Adapters return rows of length 1 (``rag.embed.normalize``)."""

    @property
    def name(self) -> str:
        """Identity recorded in the index: vectors of two names never mix."""

    @property
    def dimension(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """The longest input that is read whole, in this embedder's own tokens."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the length of each text in this embedder's own tokens, without special tokens."""

    def embed_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Return vectors of shape ``(len(texts), dimension)``, in the order of ``texts``."""

    def embed_query(self, text: str) -> Vectors:
        """Return the vector of one question, of shape ``(dimension,)``."""


class Store(Protocol):
    """Holds documents, chunks and vectors, and searches them."""

    def search(self, question: str, vector: Vectors, n: int) -> list[Candidate]:
        """Return the ``n`` best chunks by vector and the ``n`` best by words, each chunk once.

        Both scores are exact for every candidate, whichever side found it. Deleted documents
        are never among them. Order: by source, then by position.
        """

    def document(self, source: str) -> Document:
        """Raises :class:`rag.errors.NotFoundError`."""

    def sources(self) -> list[str]: ...

    def mentions(self, words: str) -> bool:
        """Tell whether any of the ``words`` stands in any document, in some ending."""


class Reader(Protocol):
    """Finds the words that answer a question."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """Changes whenever the probabilities may: a calibration goes with one version."""

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        """Return spans that may answer, most probable first.

        Empty when there is nothing to read.
        """

    def threshold(self, precision: float) -> float:
        """Return the probability to answer from, so that this share of the answers is right."""


class Generator(Protocol):
    """A language model that writes an answer from numbered passages."""

    @property
    def name(self) -> str: ...

    def generate(self, question: str, passages: Sequence[str]) -> Iterator[str]:
        """Return the pieces of the answer as they come.

        Raises :class:`rag.errors.GeneratorError`.
        """
