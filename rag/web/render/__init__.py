"""Answers, sources and the list of documents as HTML for the chat page.

Pure functions from values to HTML, which the templates of ``rag/web/templates`` make. Whatever
comes from a document, a model or a user is escaped there, so markup in it is shown and never runs.
"""

from rag.web.render.answer_text import answer_text
from rag.web.render.answers import ANSWERERS, confidence_words
from rag.web.render.conversation import Turn, heading, transcript, welcome
from rag.web.render.library import MAX_LISTED, documents
from rag.web.render.names import place, shown_title
from rag.web.render.notices import alert, status
from rag.web.render.review import draft_facts, draft_place
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
    "draft_facts",
    "draft_place",
    "empty_panel",
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
