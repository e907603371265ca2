"""What a sync did, by the documents that there were before and are now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rag.store.port import FileRecord


@dataclass(frozen=True, slots=True)
class Failure:
    """A file, or a member of one, that is not in the index, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What was done since a sync began, by source. A renamed file is deleted and added.

    ``unchanged`` counts documents. ``failed`` has all that is not in the index, and
    ``newly_failed`` what this sync tried to read of it. ``waiting`` are files that were still
    being written, so that they were left as they were. ``left`` is the number of files that are
    still to be read, for the sync was cancelled; nothing was deleted then.
    """

    added: tuple[str, ...]
    updated: tuple[str, ...]
    deleted: tuple[str, ...]
    unchanged: int
    failed: tuple[Failure, ...]
    seconds: float
    waiting: tuple[str, ...] = ()
    newly_failed: tuple[Failure, ...] = ()
    left: int = 0

    @property
    def changed(self) -> bool:
        """Whether any document is another than before."""
        return bool(self.added or self.updated or self.deleted)

    @classmethod
    def of(
        cls,
        before: Mapping[str, str],
        after: Mapping[str, str],
        *,
        failed: Iterable[Failure],
        newly_failed: Iterable[Failure],
        waiting: Iterable[str],
        left: int,
        seconds: float,
    ) -> SyncReport:
        """The report, from the digests of all documents, by source, before and after."""
        failed = _sorted(failed)
        lost = {failure.source for failure in failed}
        return cls(
            added=tuple(sorted(after.keys() - before.keys())),
            updated=tuple(sorted(s for s in after.keys() & before.keys() if after[s] != before[s])),
            deleted=tuple(sorted(before.keys() - after.keys() - lost)),
            unchanged=sum(before.get(source) == digest for source, digest in after.items()),
            failed=failed,
            seconds=seconds,
            waiting=tuple(waiting),
            newly_failed=_sorted(newly_failed),
            left=left,
        )

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-ready values."""
        return {
            "added": list(self.added),
            "updated": list(self.updated),
            "deleted": list(self.deleted),
            "unchanged": self.unchanged,
            "failed": [{"source": f.source, "reason": f.reason} for f in self.failed],
            "seconds": round(self.seconds, 3),
        }


def failures_of(files: Iterable[FileRecord]) -> list[Failure]:
    """What of these files is not in the index."""
    return [Failure(source, reason) for file in files for source, reason in file.failures]


def _sorted(failures: Iterable[Failure]) -> tuple[Failure, ...]:
    return tuple(sorted(failures, key=lambda failure: failure.source))
