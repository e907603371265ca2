"""What is done to the documents: how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.web.render.markup import button, escape

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


def running(work: Running, waiting: int = 0) -> str:
    """Work that goes on, with the number of those that are ``waiting`` for its end."""
    share = work.done / work.total if work.total else None
    value = f' value="{work.done}" max="{work.total}"' if work.total else ""
    facts = []
    if share is not None:
        facts.append(f"{share:.0%}")
    if work.seconds_left is not None and not work.stopping:
        facts.append(time_left(work.seconds_left))
    if waiting:
        facts.append("1 more change waits" if waiting == 1 else f"{waiting:,} more changes wait")
    cancel = ""
    if work.number is not None and not work.stopping:
        cancel = button(
            "quiet", "cancel_work", {"number": work.number}, "Cancel", f"Cancel: {work.title}"
        )
    stage = "Stopping after what is being read…" if work.stopping else f"{work.stage}…"
    return (
        f'<section class="status working" aria-label="{escape(work.title)}">'
        f'<header><p class="title">{escape(work.title)}</p>{cancel}</header>'
        f'<progress aria-label="{escape(work.title)}"{value}></progress>'
        f'<p class="stage" dir="auto" title="{escape(work.stage)}">{escape(stage)}</p>'
        f'<p class="facts">{" · ".join(facts)}</p></section>'
    )


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


def outcome(work: Outcome) -> str:
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
    said = "".join(f'<p dir="auto">{escape(line)}</p>' for line in lines)
    wrong = f'<div class="error" role="alert">{escape(work.error)}</div>' if work.error else ""
    dismiss = button("dismiss", "dismiss", {"number": work.number}, "×", "Dismiss this message")
    return (
        f'<section class="status outcome" role="status"><div>{said}{wrong}'
        f"{_failures(work.failed)}</div>{dismiss}</section>"
    )


def _failures(failed: Sequence[tuple[str, str]]) -> str:
    if not failed:
        return ""
    items = "".join(
        f'<li dir="auto"><b>{escape(source)}</b>: {escape(reason)}</li>'
        for source, reason in failed[:MAX_FAILURES]
    )
    hidden = len(failed) - MAX_FAILURES
    more = f"<li>and {hidden:,} more; <code>rag status</code> lists them all</li>"
    count = "1 file" if len(failed) == 1 else f"{len(failed):,} files"
    return (
        f'<div class="error failures" tabindex="0"><p>{count} could not be read:</p>'
        f"<ul>{items}{more * (hidden > 0)}</ul></div>"
    )


def _names(sources: Sequence[str]) -> str:
    if len(sources) <= MAX_NAMED:
        return ", ".join(sources)
    return f"{', '.join(sources[:2])} and {len(sources) - 2:,} more"


SECONDS_BETWEEN_LOOKS = {"busy": 1, "following": 3}
"""How often a page looks again that is seen: at work that goes on, and for what may begin."""


def work_status(parts: Sequence[str], *, is_busy: bool, is_following: bool) -> str:
    """All ``parts`` to be shown, and how soon the page is to look again, if it is to at all."""
    kind = "busy" if is_busy else "following" if is_following else ""
    again = f' data-look="{SECONDS_BETWEEN_LOOKS[kind]}"' if kind else ""
    return f'<div class="works"{again}>{"".join(parts)}</div>'
