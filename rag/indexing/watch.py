"""Keeps a knowledge base synced with its folders until it is stopped.

A watcher of the file system tells when to look; what to do is found by a sync, so that nothing is
missed where events get lost. A look that finds nothing new costs a listing of the folders.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from rag.errors import CancelledError, KnowledgeBaseError, RagError
from rag.indexing.file_bytes import signature
from rag.indexing.ignore import IGNORE_FILE
from rag.indexing.scan import FoundFile
from rag.indexing.sync_report import SyncReport
from rag.load.system_files import is_system_name
from rag.types import Progress

logger = logging.getLogger(__name__)

DEBOUNCE_SECONDS = 1.0
"""Seconds that a folder must be at rest before it is looked at, and a file before it is read."""

MAX_WAIT_SECONDS = 5.0
"""Seconds after a change at which a folder is looked at though it is not at rest."""

POLL_SECONDS = 60.0
"""Seconds between looks without any event: network drives tell nothing, and events get lost."""

RETRY_SECONDS = 5.0
"""Seconds until the next look after an error, and between looks where events are not to be had."""

_TICK = 0.5

Told = Callable[[SyncReport], None]
Failed = Callable[[str], None]


class Quiet:
    """Tells of a file whether it is still being written: its signature was not the same for
    :data:`DEBOUNCE_SECONDS`. A file that is seen first, and was last changed before, is at rest."""

    def __init__(self, seconds: float = DEBOUNCE_SECONDS) -> None:
        self._seconds = seconds
        self._seen: dict[Path, tuple[str, float]] = {}

    def __call__(self, file: FoundFile) -> bool:
        """Whether to wait."""
        now, new = time.monotonic(), signature(file.status)
        known, since = self._seen.get(file.path, ("", now))
        if known == new:
            return now - since < self._seconds
        age = time.time() - file.status.st_mtime
        if not known and age > self._seconds:
            return False
        self._seen[file.path] = new, now
        return True

    def forget(self) -> None:
        """Forget all files: to be called once none waits."""
        self._seen.clear()


class Synced(Protocol):
    """What a watcher needs of a knowledge base."""

    @property
    def path(self) -> Path:
        """Where the index is."""
        ...

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of the last sync."""
        ...

    def sync(
        self,
        folder: None,
        progress: Progress,
        *,
        is_settling: Callable[[FoundFile], bool],
    ) -> SyncReport:
        """Make the index equal to its folders; leave files of which ``is_settling`` is true."""
        ...


class Watcher:
    """Syncs ``kb`` whenever something changes in its folders.

    ``on_report`` is called after each sync that changed a document or found other failures than
    the one before; after the first one too if it failed, unless its report was ``told`` already.
    ``on_error`` is called with the message of an error, once until it is over or another comes.
    :meth:`run` blocks; :meth:`start` and :meth:`stop` do it in a thread.
    """

    def __init__(
        self,
        kb: Synced,
        on_report: Told = lambda report: None,
        on_error: Failed = lambda message: None,
        *,
        told: bool = False,
        quiet: float = DEBOUNCE_SECONDS,
    ) -> None:
        self._kb = kb
        self._on_report = on_report
        self._on_error = on_error
        self._told = told
        self._settled = quiet
        self._quiet = Quiet(quiet)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._ending: threading.Thread | None = None
        self._last: SyncReport | None = None
        self.error = ""
        """The message of the error that keeps the folders from being followed; "" if none does."""
        self.progress: tuple[str, int, int] | None = None
        """What a sync that reads or embeds files told last: stage, done and total."""
        self.changes = 0
        """How often :attr:`error` or a document has changed."""

    @property
    def running(self) -> bool:
        """Whether :meth:`start` was called, and not :meth:`stop` since."""
        return self._thread is not None

    def start(self) -> None:
        """Follow the folders in a thread of its own."""
        if self._thread is None:
            if self._ending is not None:  # two must not follow the folders
                self._ending.join()
            self._stop.clear()
            self._thread = threading.Thread(target=self.run, name="watcher", daemon=True)
            self._thread.start()

    def stop(self, wait: float | None = None) -> None:
        """End what :meth:`start` began; a sync that is going on ends after its current file.

        Waits for it, at most ``wait`` seconds if that is given.
        """
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            self._ending = thread
            thread.join(wait)

    def run(self) -> None:
        """Follow the folders until :meth:`stop` is called, or the process is interrupted."""
        due = time.monotonic()
        eventless: dict[Path, tuple[int, int]] = {}
        while not self._stop.is_set():
            roots = self._roots()
            if roots == eventless:
                due = self._poll(min(due, time.monotonic() + RETRY_SECONDS))
                continue
            try:
                self._follow(roots)
            except (OSError, RuntimeError) as error:  # out of watches, or a drive without events
                if self._roots() == roots:
                    eventless = roots
                    logger.warning(
                        "No events (%s): looking every %.0f s instead", error, RETRY_SECONDS
                    )
            due = time.monotonic()

    def _follow(self, roots: dict[Path, tuple[int, int]]) -> None:
        """Look when events tell to, while the folders are the ones that are watched."""
        from watchfiles import watch

        # The first look is made once events are collected: what changes before it is seen by it.
        due: float = 0.0
        first: float | None = None
        for changes in watch(
            *roots,
            watch_filter=lambda _, path: self._matters(Path(path), roots),
            rust_timeout=int(_TICK * 1000),
            yield_on_timeout=True,
            stop_event=self._stop,
            ignore_permission_denied=True,
        ):
            now = time.monotonic()
            if changes:
                first = now if first is None else first
                due = min(first + MAX_WAIT_SECONDS, now + self._settled)
            if now >= due:
                due, first = self._look(), None
            if self._roots() != roots:
                return

    def _poll(self, due: float) -> float:
        """Wait without events, and look."""
        if self._stop.wait(min(max(due - time.monotonic(), 0.0), RETRY_SECONDS)):
            return due
        return self._look() if time.monotonic() >= due else due

    def _look(self) -> float:
        """Sync, and tell what is new. Returns the time of the next look, should no event come."""
        try:
            report = self._kb.sync(None, self._say, is_settling=self._quiet)
        except CancelledError:  # while it waited for another
            return time.monotonic() + RETRY_SECONDS
        except RagError as error:
            self._tell_error(str(error))
            return time.monotonic() + RETRY_SECONDS
        except Exception:
            logger.exception("Following the folders failed")
            self._tell_error("following the folders failed: the log has the details")
            return time.monotonic() + RETRY_SECONDS
        finally:
            self.progress = None
        last, self._last = self._last, report
        over, self.error = bool(self.error), ""
        other = report.failed != last.failed if last else report.failed and not self._told
        if report.changed or other or over:
            self.changes += 1
            self._on_report(report)
        if report.waiting:
            return time.monotonic() + self._settled
        self._quiet.forget()
        return time.monotonic() + POLL_SECONDS

    def _tell_error(self, message: str) -> None:
        if message != self.error:
            self.error = message
            self.changes += 1
            self._on_error(message)

    def _say(self, stage: str, done: int, total: int) -> None:
        if self._stop.is_set():
            raise CancelledError
        self.progress = stage, done, total

    def _roots(self) -> dict[Path, tuple[int, int]]:
        """The folders that are there, with what tells each from another of its name."""
        found = {}
        try:
            for folder in self._kb.folders:
                status = folder.stat()
                found[folder.resolve()] = status.st_dev, status.st_ino
        except (OSError, KnowledgeBaseError):
            return {}
        return found

    def _matters(self, path: Path, roots: dict[Path, tuple[int, int]]) -> bool:
        """Whether a change of ``path`` can change what is indexed."""
        if path.is_relative_to(self._kb.path.resolve()):
            return False
        for root in roots:
            if path.is_relative_to(root):
                *above, name = path.relative_to(root).parts or ("",)
                hidden = any(map(is_system_name, above)) or is_system_name(name)
                return not hidden or name == IGNORE_FILE
        return False
