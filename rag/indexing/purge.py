"""After a sync: what else holds words of the documents follows them.

That is the questions kept in the folder of the index, and the indexes that sweeps keep beside it.
What is looked at is what they hold, not what this sync did, so that nothing stays behind where an
earlier one was interrupted.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

from rag.errors import KnowledgeBaseError, OutputError, QuestionSetError
from rag.indexing.write_lock import only_writer
from rag.question_sets.kept import follow
from rag.store.backend import Backend
from rag.store.port import IndexStore

logger = logging.getLogger(__name__)

_PATIENCE = 1.0
"""Seconds to wait for a sweep that is using its index."""


def sweep_cache(index: Path) -> Path:
    """Tell where sweeps keep their indexes: hidden, so that no sync takes it for documents."""
    index = index.resolve()
    return index.with_name(f".{index.name}-sweep")


def purge(index: Path, store: IndexStore, backend: Backend) -> None:
    """Drop from beside the ``store``, in the folder ``index``, what its documents do not say.

    The indexes of sweeps are held where ``backend`` says, as the store is.
    """
    for partial in index.glob(".*.jsonl.partial"):  # of a process that was killed
        partial.unlink(missing_ok=True)
    for path in sorted(index.glob("*.jsonl")):
        try:
            dropped = follow(path, lambda source: store.document(source).text)
        except (QuestionSetError, OutputError) as error:
            logger.warning("what %s quotes could not be compared with the documents: %s",
                           path, error)  # fmt: skip
            continue
        if dropped:
            logger.warning(
                "%s: %d questions dropped, for the documents do not hold their passages any more",
                path, dropped,
            )  # fmt: skip
    cache = sweep_cache(index)
    digests = {s: file.sha256 for s, file in store.files().items()} if cache.is_dir() else {}
    for path in sorted(cache.iterdir()) if cache.is_dir() else ():
        if backend.exists(path):
            _forget_indexed(path, digests, backend)


def _forget_indexed(path: Path, digests: Mapping[str, str], backend: Backend) -> None:
    """Delete the files of an index that are not those of ``digests``, or the index."""
    try:
        with only_writer(path, patience=_PATIENCE), backend.open(path, {}) as store:
            held = store.files().items()
            gone = [source for source, file in held if digests.get(source) != file.sha256]
            if gone:
                store.write([], removed=gone)
            store.compact()
    except KnowledgeBaseError as error:
        logger.info("%s is dropped, and made anew by the next sweep: %s", path, error)
        shutil.rmtree(path, ignore_errors=True)
