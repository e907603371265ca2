"""Ask a folder of documents; get cited answers, or a plain refusal.

>>> from rag import KnowledgeBase
"""

from rag.errors import RagError
from rag.indexing.sync_report import SyncReport
from rag.knowledge_base import KnowledgeBase
from rag.settings import Settings
from rag.types import Answer, Citation, Document, Hit, Overview

__all__ = [
    "Answer",
    "Citation",
    "Document",
    "Hit",
    "KnowledgeBase",
    "Overview",
    "RagError",
    "Settings",
    "SyncReport",
]
__version__ = "0.2.0"
