"""The list of documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from rag.web.render.names import Name, name, shown_title
from rag.web.render.page_templates import fill

MAX_LISTED = 200
"""The most documents listed at once; the filter finds the others."""


@dataclass(frozen=True, slots=True)
class _Listed:
    source: str
    name: Name
    is_asking: bool

    @property
    def label(self) -> str:
        title = self.name.title
        return f"Open {title} ({self.source})" if title else f"Open {self.source}"


def documents(titles: Mapping[str, str], query: str = "", asking: str | None = None) -> Markup:
    """The list of documents, given by source with their titles, those that ``query`` is part of.

    ``asking`` is about to be removed.
    """
    wanted = query.casefold().strip()
    found = [
        (source, title)
        for source, title in titles.items()
        if wanted in source.casefold() or wanted in shown_title(title).casefold()
    ]
    return fill(
        "documents.html",
        documents=[_Listed(s, name(s, title), s == asking) for s, title in found[:MAX_LISTED]],
        hidden=max(0, len(found) - MAX_LISTED),
        are_none=not titles,
    )
