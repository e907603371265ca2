"""What stands between a client and the server: who may ask, from where, for what and how much.

:class:`Guard` wraps the whole application, so that one mechanism covers the page, Gradio's own
routes and the API. ``docs/security.md`` says what it promises.
"""

from rag.web.guard.access import Access
from rag.web.guard.connections import BACKLOG, RepeatFilter, TimedProtocol, max_connections
from rag.web.guard.hosts import LOOPBACK, Hosts, Proxies, is_loopback
from rag.web.guard.middleware import Guard
from rag.web.guard.uploads import UploadLimits

__all__ = [
    "BACKLOG",
    "LOOPBACK",
    "Access",
    "Guard",
    "Hosts",
    "Proxies",
    "RepeatFilter",
    "TimedProtocol",
    "UploadLimits",
    "is_loopback",
    "max_connections",
]
