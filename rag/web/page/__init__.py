"""The chat page: its parts, what they do, and how they are wired.

Importing this package imports Gradio. It holds no retrieval logic: it asks
:class:`rag.KnowledgeBase` and shows what comes, through ``rag.web.render``. A part builds its
components and has the handlers that change them; all that changes is in the session's state.
"""

from rag.web.page.page import EXAMPLES, Page

__all__ = ["EXAMPLES", "Page"]
