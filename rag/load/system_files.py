"""Files that are no documents: hidden ones, and what editors and operating systems drop."""

from __future__ import annotations

import os
import stat

_SYSTEM = {
    "thumbs.db", "desktop.ini", "icon\r", "$recycle.bin", "system volume information",
    "lost+found", "__macosx",
}  # fmt: skip
"""What operating systems drop, in lower case."""

_HIDDEN_ON_WINDOWS = 0x2 | 0x4  # FILE_ATTRIBUTE_HIDDEN, FILE_ATTRIBUTE_SYSTEM


def is_system_name(name: str) -> bool:
    """Whether a file or folder of that name is hidden, an editor's backup or the system's own."""
    # "~$a.docx" is Office's lock file beside an open document, "a.txt~" and "#a.txt#" backups.
    return (
        name.startswith((".", "~$"))
        or name.endswith("~")
        or (name.startswith("#") and name.endswith("#"))
        or name.lower() in _SYSTEM
    )


def is_hidden(status: os.stat_result) -> bool:
    """Tell whether the file system says that a file is hidden."""
    windows = getattr(status, "st_file_attributes", 0) & _HIDDEN_ON_WINDOWS
    macos = getattr(status, "st_flags", 0) & getattr(stat, "UF_HIDDEN", 0)
    return bool(windows or macos)
