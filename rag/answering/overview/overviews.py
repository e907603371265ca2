"""Overviews of documents: of one, of several, of all, or of what they say on a topic."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from cachetools import LRUCache

from rag.answering.overview.centrality import choose
from rag.answering.overview.quoting import MAX_EMBEDDED, Quote, quotes, quotes_on
from rag.store.port import KnowledgeStore
from rag.types import (
    Chunk,
    Citation,
    Document,
    Embedder,
    Hit,
    Overview,
    OverviewGroup,
    Vectors,
)

MAX_DOCUMENTS = 12
"""Documents that an overview of many quotes; it says how many it leaves out."""

FEW_DOCUMENTS = 4
"""Up to so many have two sentences each, where more have one."""

MAX_ON_TOPIC = 5
"""Sentences on a topic."""

EMBEDDED_OF_MANY = 8
"""Sentences embedded of each document where there are several."""

_KEPT_DOCUMENTS = 2000

Check = Callable[[], None]
"""Called between two documents; what it raises ends the work."""


@dataclass(frozen=True, slots=True)
class _Means:
    """The documents' vectors in one state of the store."""

    state: object
    sources: list[str]
    vectors: Vectors


class Overviews:
    """Makes overviews from a store, with the embedder that its vectors are of.

    What is kept for the next time are places of sentences, by the digest of the document's text
    and what it is cut into: no words. Safe to use from several threads.
    """

    def __init__(self, store: KnowledgeStore, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder
        self._kept: LRUCache[object, tuple[Quote, ...]] = LRUCache(_KEPT_DOCUMENTS)
        self._means: _Means | None = None
        self._lock = threading.Lock()

    def of(self, sources: Sequence[str], check: Check = lambda: None) -> Overview:
        """Make one of the documents ``sources``; of all where there are none.

        One document's sentences are grouped by its headings, those of several by document, the
        most central document first. Raises :class:`rag.errors.NotFoundError`.
        """
        wanted = list(dict.fromkeys(sources)) or self._means_now().sources
        if len(wanted) == 1:
            document = self._store.document(wanted[0])
            return Overview(tuple(_by_heading(document, self._quotes(document))), 1)
        count = 2 if len(wanted) <= FEW_DOCUMENTS else 1
        groups: list[OverviewGroup] = []
        for source in self._most_central(wanted):
            check()
            document = self._store.document(source)
            if found := self._quotes(document, count):
                first = sum(len(group.citations) for group in groups) + 1
                citations = _cited(document, found, first)
                groups.append(OverviewGroup(document.title or source, tuple(citations)))
        return Overview(tuple(groups), len(wanted))

    def on_topic(self, topic: str, hits: Sequence[Hit]) -> Overview:
        """Make one of what the passages ``hits``, best first, say on a topic, by document."""
        passages = [(hit.chunk.document, (hit.start, hit.end)) for hit in hits]
        found = quotes_on(passages, topic, self._embed, MAX_ON_TOPIC)
        by_source: dict[str, list[tuple[Hit, Quote]]] = {}
        for index, quote in found:
            by_source.setdefault(hits[index].source, []).append((hits[index], quote))
        groups: list[OverviewGroup] = []
        number = 1
        for source, pairs in by_source.items():
            citations = []
            for hit, quote in sorted(pairs, key=lambda pair: pair[1].start):
                citations.append(Citation(number, hit, quote.start, quote.end))
                number += 1
            title = pairs[0][0].chunk.document.title or source
            groups.append(OverviewGroup(title, tuple(citations)))
        return Overview(tuple(groups), len(groups), topic)

    def _quotes(self, document: Document, count: int | None = None) -> tuple[Quote, ...]:
        chunks, vectors = self._store.chunk_vectors(document.source)
        key = (document.sha256, document.headings, tuple(chunks), count)
        with self._lock:
            kept = self._kept.get(key)
        if kept is None:
            embedded = MAX_EMBEDDED if count is None else EMBEDDED_OF_MANY
            kept = tuple(
                quotes(document, chunks, vectors, self._embed, count=count, max_embedded=embedded)
            )
            with self._lock:
                self._kept[key] = kept
        return kept

    def _most_central(self, wanted: Sequence[str]) -> list[str]:
        """Up to :data:`MAX_DOCUMENTS` that stand for all and are unlike each other."""
        means = self._means_now()
        row_of = {source: row for row, source in enumerate(means.sources)}
        known = [source for source in wanted if source in row_of]
        others = [source for source in wanted if source not in row_of]  # copies, or gone
        rows = means.vectors[[row_of[source] for source in known]]
        if not len(rows):
            return others[:MAX_DOCUMENTS]
        scores = np.asarray(rows @ rows.mean(axis=0), dtype=np.float64)
        chosen = [known[row] for row in choose(scores, rows, MAX_DOCUMENTS)]
        return [*chosen, *others][:MAX_DOCUMENTS]

    def _means_now(self) -> _Means:
        state = self._store.state()
        means = self._means
        if means is None or means.state != state:
            means = self._means = _Means(state, *self._store.document_vectors())
        return means

    def _embed(self, texts: Sequence[str]) -> Vectors:
        # One at a time, as questions are: that needs no torch, and likeness is symmetric there.
        return np.stack([self._embedder.embed_query(text) for text in texts])


def _cited(document: Document, found: Sequence[Quote], first: int = 1) -> list[Citation]:
    return [
        Citation(number, _hit(document, quote), quote.start, quote.end)
        for number, quote in enumerate(found, first)
    ]


def _hit(document: Document, quote: Quote) -> Hit:
    return Hit(Chunk(document, quote.chunk_start, quote.chunk_end), 1.0, 0.0, 0.0)


def _by_heading(document: Document, found: Sequence[Quote]) -> Iterator[OverviewGroup]:
    """The sentences, which are in reading order, under the heading of their part."""
    level = _dividing_level(document)
    group = OverviewGroup("", ())
    for citation in _cited(document, found):
        above = [h for h in document.headings_above(citation.start) if h.level <= level]
        title = document.text[above[-1].start : above[-1].end] if above else ""
        if title != group.title and group.citations:
            yield group
            group = OverviewGroup("", ())
        group = replace(group, title=title, citations=(*group.citations, citation))
    if group.citations:
        yield group


def _dividing_level(document: Document) -> int:
    """The outermost level of headings that has two or more; 0 where none has."""
    levels = [heading.level for heading in document.headings]
    return min((level for level in set(levels) if levels.count(level) > 1), default=0)
