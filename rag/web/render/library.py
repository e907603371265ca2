"""The list of documents, and what a change to them does and did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.web.render.markup import button, escape, name, shown_title

MAX_LISTED = 200
"""The most documents listed at once; the filter finds the others."""


def documents(titles: Mapping[str, str], query: str = "", asking: str | None = None) -> str:
    """The list of documents, given by source with their titles, those that ``query`` is part of.

    ``asking`` is about to be removed.
    """
    wanted = query.casefold().strip()
    found = [
        (source, title)
        for source, title in titles.items()
        if wanted in source.casefold() or wanted in shown_title(title).casefold()
    ]
    items = "".join(_document(*item, asking == item[0]) for item in found[:MAX_LISTED])
    hidden = len(found) - MAX_LISTED
    more = f'<p class="quiet-text">and {hidden:,} more: filter to find them.</p>' * (hidden > 0)
    none = "No document's title or name contains that." if titles else "No documents yet."
    body = f'<ul class="documents">{items}</ul>{more}' if found else f"<p>{none}</p>"
    return f'<div class="document-list">{body}</div>'


def _document(source: str, title: str, asking: bool) -> str:
    if asking:
        file = escape(source)
        return (
            f'<li class="asking" role="alertdialog" aria-label="Remove {file}?">'
            f"<p>Remove <b>{file}</b>? The file is moved to <code>.removed/</code> in the folder, "
            "and answers no longer use it.</p>"
            f"{button('danger', 'remove', {'source': source}, 'Remove')} "
            f"{button('quiet', 'keep', {}, 'Keep')}</li>"
        )
    shown = shown_title(title)
    label = f"Open {shown} ({source})" if shown else f"Open {source}"
    opening = button("name", "show", {"source": source}, name(source, title), label)
    removing = button("quiet", "ask_remove", {"source": source}, "Remove", f"Remove {source}")
    return f"<li>{opening}{removing}</li>"


def status(lines: Sequence[str]) -> str:
    """Something to tell, in ``lines``; nothing where there are none."""
    said = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<div class="status" role="status">{said}</div>' if said else ""
