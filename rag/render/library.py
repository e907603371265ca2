"""The list of documents, and what a change to them does and did."""

from __future__ import annotations

from collections.abc import Sequence

from rag.render.markup import button, escape

MAX_LISTED = 200
"""The most documents listed at once; the filter finds the others."""


def documents(sources: Sequence[str], query: str = "", asking: str | None = None) -> str:
    """The list of documents whose name contains ``query``; ``asking`` is about to be removed."""
    found = [source for source in sources if query.casefold() in source.casefold()]
    items = "".join(_document(source, asking == source) for source in found[:MAX_LISTED])
    hidden = len(found) - MAX_LISTED
    more = f'<p class="quiet-text">and {hidden:,} more: filter to find them.</p>' * (hidden > 0)
    none = "No document's name contains that." if sources else "No documents yet."
    body = f'<ul class="documents">{items}</ul>{more}' if found else f"<p>{none}</p>"
    return f'<div class="document-list">{body}</div>'


def _document(source: str, asking: bool) -> str:
    name = escape(source)
    if asking:
        return (
            f'<li class="asking" role="alertdialog" aria-label="Remove {name}?">'
            f"<p>Remove <b>{name}</b>? The file is moved to <code>.removed/</code> in the folder, "
            "and answers no longer use it.</p>"
            f"{button('danger', 'remove', {'source': source}, 'Remove')} "
            f"{button('quiet', 'keep', {}, 'Keep')}</li>"
        )
    opening = button("name", "show", {"source": source}, name, f"Open {source}")
    removing = button("quiet", "ask_remove", {"source": source}, "Remove", f"Remove {source}")
    return f"<li>{opening}{removing}</li>"


def progress(stage: str, done: int, total: int) -> str:
    """A progress bar; of unknown length while ``total`` is 0."""
    value = f' value="{done}" max="{total}"' if total else ""
    count = f" {done:,} of {total:,}" if total else ""
    label = escape(stage)
    return (
        f'<div class="status" role="status">{label}{count}…'
        f'<progress aria-label="{label}"{value}></progress></div>'
    )


def status(lines: Sequence[str], failed: Sequence[tuple[str, str]] = ()) -> str:
    """What a change did: ``lines`` to read, and the files that ``failed`` with their reasons."""
    said = "".join(f"<p>{escape(line)}</p>" for line in lines)
    items = "".join(f"<li><b>{escape(s)}</b>: {escape(reason)}</li>" for s, reason in failed)
    bad = f'<div class="error"><p>Could not be read:</p><ul>{items}</ul></div>' if items else ""
    return f'<div class="status" role="status">{said}{bad}</div>' if said or bad else ""
