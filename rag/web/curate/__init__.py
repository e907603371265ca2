"""The page's parts that make question sets: review of drafts, and feedback on an answer.

Importing this package imports Gradio. Files are those of the index's folder only: whoever reaches
the page must not be able to name others.
"""

from rag.web.curate.feedback import FeedbackForm
from rag.web.curate.review import DraftReview

__all__ = ["DraftReview", "FeedbackForm"]
