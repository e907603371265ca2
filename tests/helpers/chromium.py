"""What the browser tests share: how Chromium is started, and the types of their fixtures."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag import KnowledgeBase

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking "
    "--disable-component-update --disable-sync --no-first-run"
).split()
WAIT_MS = 60_000
"""The first answer loads the model."""


@dataclass
class Served:
    """A page in service, what it answers from and where its documents are."""

    kb: KnowledgeBase
    url: str
    folder: Path


Serve = Callable[..., Served]
Visit = Callable[..., "Page"]
