"""Turns: others who want to change the index get theirs between two groups of a long sync.

Whoever had the right meanwhile may have changed anything. A sync whose turn comes again goes on
only where no document was written; otherwise it ends what it does and finds out anew what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rag.errors import KnowledgeBaseError
from rag.indexing.folders import Folders
from rag.indexing.write_lock import Writing
from rag.store.port import IndexStore


class OvertakenError(Exception):
    """Another has written documents: what was listed and known may no longer hold."""


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of one sync of ``folders``. Without ``writing`` nobody else can want one.

    ``tell`` is told, again and again, that the sync waits for its turn, and for whom; it may
    raise to end the wait.
    """

    store: IndexStore
    folders: Folders
    writing: Writing | None
    tell: Callable[[str], None]

    @property
    def is_wanted(self) -> bool:
        """Whether another waits for a turn."""
        return self.writing is not None and self.writing.is_wanted

    @property
    def is_wanted_back(self) -> bool:
        """Whether a sync that has made way waits to go on."""
        return self.writing is not None and self.writing.is_wanted_back

    def make_way(self) -> None:
        """Let one who waits change the index, if any does.

        Raises :class:`OvertakenError` where documents were written meanwhile, and
        :class:`KnowledgeBaseError` where the index follows other folders since.
        """
        if self.writing is None or not self.writing.is_wanted:
            return
        state = self.store.state()
        self.writing.make_way(self.tell)
        followed = [path for path, _, _ in self.store.followed()]
        if followed and followed != list(map(str, self.folders.paths)):
            raise KnowledgeBaseError(
                "the index follows other folders since, by another 'rag index': this sync ends, "
                "and what it did is left to the other"
            )
        if self.store.state() != state:
            raise OvertakenError
