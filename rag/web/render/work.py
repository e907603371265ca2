"""What is done to the documents: how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from rag.web.render.page_templates import fill

MAX_NAMED = 3
"""Documents that a report names of each kind; more are counted."""

MAX_FAILURES = 200
"""Failures that a report lists."""


@dataclass(frozen=True, slots=True)
class Running:
    """Work that goes on: ``done`` of ``total``, which is 0 while it is not known.

    ``number`` tells it from other work; None for work that nobody can cancel. ``seconds_left`` is
    an estimate, and None while there is none.
    """

    title: str
    number: int | None = None
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    stopping: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of work that has ended: sources by what happened to them, or an ``error``.

    ``failed`` has sources with the reason why each could not be read. ``stopped`` means that it
    was cancelled; ``left`` files are still to be indexed then.
    """

    number: int
    added: Sequence[str] = ()
    updated: Sequence[str] = ()
    removed: Sequence[str] = ()
    failed: Sequence[tuple[str, str]] = ()
    error: str = ""
    stopped: bool = False
    left: int = 0


def running(work: Running, waiting: int = 0) -> Markup:
    """Work that goes on, with the number of those that are ``waiting`` for its end."""
    facts = []
    if work.total:
        facts.append(f"{work.done / work.total:.0%}")
    if work.seconds_left is not None and not work.stopping:
        facts.append(time_left(work.seconds_left))
    if waiting:
        facts.append("1 more change waits" if waiting == 1 else f"{waiting:,} more changes wait")
    can_cancel = work.number is not None and not work.stopping
    return fill("running.html", work=work, can_cancel=can_cancel, facts=" · ".join(facts))


def time_left(seconds: float) -> str:
    """An estimate in words, as coarse as it is."""
    minutes = round(seconds / 60)
    if seconds < 50:
        return "less than a minute left"
    if minutes <= 1:
        return "about a minute left"
    if minutes < 90:
        return f"about {minutes} minutes left"
    return f"about {round(minutes / 60)} hours left"


def outcome(work: Outcome) -> Markup:
    """What work did; it stays until it is dismissed."""
    named = (("Added", work.added), ("Updated", work.updated), ("Removed", work.removed))
    lines = [f"{word} {_names(sources)}." for word, sources in named if sources]
    if work.stopped:
        files = "1 file is" if work.left == 1 else f"{work.left:,} files are"
        lines.insert(0, "Stopped.")
        if work.left:
            lines.append(f"{files} not indexed yet: look for changes in the folder to go on.")
    elif not (lines or work.failed or work.error):
        lines.append("Nothing has changed.")
    return fill(
        "outcome.html",
        work=work,
        lines=lines,
        failures=work.failed[:MAX_FAILURES],
        hidden=max(0, len(work.failed) - MAX_FAILURES),
    )


def _names(sources: Sequence[str]) -> str:
    if len(sources) <= MAX_NAMED:
        return ", ".join(sources)
    return f"{', '.join(sources[:2])} and {len(sources) - 2:,} more"


SECONDS_BETWEEN_LOOKS = {"busy": 1, "following": 3}
"""How often a page looks again that is seen: at work that goes on, and for what may begin."""


def work_status(parts: Sequence[Markup], *, is_busy: bool, is_following: bool) -> Markup:
    """All ``parts`` to be shown, and how soon the page is to look again, if it is to at all."""
    kind = "busy" if is_busy else "following" if is_following else ""
    return fill("work_status.html", parts=parts, seconds=SECONDS_BETWEEN_LOOKS.get(kind))
