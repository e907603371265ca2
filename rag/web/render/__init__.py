"""Answers, sources and the list of documents as HTML for the chat page.

Pure functions from values to HTML. Whatever comes from a document, a model or a user is escaped
(``markup``), so markup in it is shown and never runs; the only links are the ones built here.
"""

from rag.web.render.conversation import (
    ANSWERERS,
    Turn,
    answer_text,
    confidence_words,
    heading,
    transcript,
    welcome,
)
from rag.web.render.library import MAX_LISTED, documents, status
from rag.web.render.markup import alert, escape, place, shown_title
from rag.web.render.source import (
    EXCERPT_CHARS,
    MAX_SHOWN_CHARS,
    View,
    empty_panel,
    excerpt,
    missing_panel,
    source_panel,
)
from rag.web.render.work import (
    MAX_FAILURES,
    Outcome,
    Running,
    outcome,
    running,
    time_left,
    work_status,
)

__all__ = [
    "ANSWERERS",
    "EXCERPT_CHARS",
    "MAX_FAILURES",
    "MAX_LISTED",
    "MAX_SHOWN_CHARS",
    "Outcome",
    "Running",
    "Turn",
    "View",
    "alert",
    "answer_text",
    "confidence_words",
    "documents",
    "empty_panel",
    "escape",
    "excerpt",
    "heading",
    "missing_panel",
    "outcome",
    "place",
    "running",
    "shown_title",
    "source_panel",
    "status",
    "time_left",
    "transcript",
    "welcome",
    "work_status",
]
