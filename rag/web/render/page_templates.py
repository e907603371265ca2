"""The templates of ``rag/web/templates``: what the page shows is made there."""

from __future__ import annotations

from rag.templates import Templates

TEMPLATES = Templates("rag.web", percent="{:.2%}".format)

fill = TEMPLATES.fill
