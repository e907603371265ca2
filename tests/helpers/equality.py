"""What "a synced index equals a fresh build" means."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from samples import local_store

from rag import KnowledgeBase

QUESTIONS = ("apples on trees", "four wheels", "sweet water", "苹果是什么颜色", "unknown words")


def assert_equal(
    synced: KnowledgeBase, fresh: KnowledgeBase, questions: Sequence[str] = QUESTIONS
) -> None:
    """The same documents under the same names, the same chunks, the same hits and scores."""
    assert synced.sources() == fresh.sources()
    assert synced._open().counts() == fresh._open().counts()
    for source in fresh.sources():
        assert synced.document(source) == fresh.document(source)
        assert synced.names(source) == fresh.names(source)
        assert local_store(synced).chunks(source) == local_store(fresh).chunks(source)
    for question in questions:
        for k in (1, 3, 50):
            found, expected = synced.search(question, k), fresh.search(question, k)
            assert [(h.source, h.start, h.end) for h in found] == [
                (h.source, h.start, h.end) for h in expected
            ]
            for one, other in zip(found, expected, strict=True):
                for score in ("score", "dense", "lexical"):
                    assert getattr(one, score) == pytest.approx(getattr(other, score), abs=1e-6)
