"""Changes of the documents in a thread that no request owns."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import pytest

pytest.importorskip("gradio")

from rag.errors import GeneratorError
from rag.indexing.sync_report import Failure, SyncReport
from rag.types import Progress
from rag.web.page.components import UNEXPECTED
from rag.web.page.jobs import Jobs, TimeLeft

PATIENCE = 60.0


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


def ended(jobs: Jobs, changes: int = 1) -> None:
    until(lambda: jobs.state.changes == changes)


class Slow:
    """Work that tells of a step, and goes on when it is let; it can be cancelled there."""

    def __init__(self, report: SyncReport) -> None:
        self.report = report
        self.go_on = threading.Event()

    def __call__(self, progress: Progress) -> SyncReport:
        progress("Reading a.txt", 1, 4)
        assert self.go_on.wait(PATIENCE)
        progress("Reading b.txt", 2, 4)
        return self.report


def report(*added: str, failed: tuple[str, ...] = ()) -> SyncReport:
    failures = tuple(Failure(source, "is empty") for source in failed)
    old = Failure("old.pdf", "is encrypted")
    return SyncReport(added, (), (), 0, (*failures, old), 0.1, newly_failed=failures)


def test_work_is_shown_while_it_goes_on_and_its_report_after() -> None:
    jobs, work = Jobs(), Slow(report("a", failed=("bad.pdf",)))
    jobs.submit("Adding a", work)
    until(lambda: jobs.state.running is not None and jobs.state.running.done == 1)
    running = jobs.state.running
    assert running is not None
    assert (running.title, running.stage, running.total) == ("Adding a", "Reading a.txt", 4)
    assert (jobs.state.outcomes, jobs.state.changes) == ((), 0)
    work.go_on.set()
    ended(jobs)
    (outcome,) = jobs.state.outcomes
    assert outcome.added == ("a",)
    assert outcome.failed == [("bad.pdf", "is empty")], "what failed before is not of this work"
    assert jobs.state.running is None


def test_work_put_in_meanwhile_waits_and_is_done() -> None:
    jobs, first = Jobs(), Slow(report("a"))
    jobs.submit("Adding a", first)
    jobs.submit("Adding b", lambda progress: report("b"))
    jobs.submit("Adding c", lambda progress: report("c"))
    until(lambda: jobs.state.running is not None)
    assert jobs.state.waiting == 2
    first.go_on.set()
    ended(jobs, 3)
    assert [outcome.added for outcome in jobs.state.outcomes] == [("a",), ("b",), ("c",)]


def test_one_piece_of_work_is_cancelled_and_the_next_is_done() -> None:
    jobs, first = Jobs(), Slow(report("a"))
    jobs.submit("Adding a", first)
    jobs.submit("Adding b", lambda progress: report("b"))
    until(lambda: jobs.state.running is not None and jobs.state.running.done == 1)
    running = jobs.state.running
    assert running is not None
    assert running.number is not None
    jobs.cancel(running.number + 1)
    assert jobs.state.running == running, "another is not meant"
    jobs.cancel(running.number)
    assert jobs.state.running is not None
    assert jobs.state.running.stopping
    first.go_on.set()
    ended(jobs, 2)
    stopped, done = jobs.state.outcomes
    assert stopped.stopped
    assert done.added == ("b",)


def test_reports_of_failures_stay_until_they_are_dismissed() -> None:
    jobs = Jobs()
    jobs.submit("Adding", lambda progress: report("a"))
    ended(jobs)
    jobs.submit("Adding", lambda progress: report(failed=("bad.pdf",)))
    ended(jobs, 2)
    jobs.submit("Adding", lambda progress: report("c"))
    ended(jobs, 3)
    bad, good = jobs.state.outcomes
    assert (bad.failed, good.added) == ([("bad.pdf", "is empty")], ("c",))
    jobs.dismiss(bad.number)
    assert jobs.state.outcomes == (good,)


def test_failed_work_says_why_but_not_what_only_the_log_should_hold(
    caplog: pytest.LogCaptureFixture,
) -> None:
    jobs = Jobs()

    def expected(progress: Progress) -> SyncReport:
        raise GeneratorError("no")

    def unexpected(progress: Progress) -> SyncReport:
        raise ZeroDivisionError("secret detail")

    with caplog.at_level(logging.ERROR):
        jobs.submit("Adding", expected)
        jobs.submit("Adding", unexpected)
        ended(jobs, 2)
    assert [outcome.error for outcome in jobs.state.outcomes] == ["no", UNEXPECTED]
    assert "secret detail" in caplog.text


def test_the_end_of_the_program_waits_a_moment_only() -> None:
    jobs, work = Jobs(), Slow(report("a"))
    jobs.submit("Adding a", work)
    jobs.submit("Adding b", lambda progress: report("b"))
    until(lambda: jobs.state.running is not None and jobs.state.running.done == 1)
    jobs.close(0.05)  # the work does not look up: it is left
    assert jobs.state.changes == 0
    work.go_on.set()
    ended(jobs)
    jobs.submit("Adding c", lambda progress: report("c"))
    jobs.close(PATIENCE)
    assert [outcome.stopped for outcome in jobs.state.outcomes] == [True], "b and c are not begun"


def test_the_time_left_follows_how_fast_it_is_now() -> None:
    now = 0.0
    left = TimeLeft(lambda: now)
    assert left(0.0) is None
    now = 10.0
    assert left(0.1) == pytest.approx(90.0)
    now = 20.0
    assert left(0.2) == pytest.approx(80.0)
    for step in range(1, 13):  # twice as fast from here on
        now = 20.0 + 10.0 * step
        told = left(0.2 + 0.02 * 10 * step / 4)
    assert told == pytest.approx((1 - 0.8) / (0.05 / 10), rel=0.01)
