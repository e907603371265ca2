"""Archives and mailboxes, told by their bytes."""

from __future__ import annotations

import re

MAX_MEMBERS = 10_000
"""Files inside one file, at all depths together."""

MAX_ENTRIES = 10 * MAX_MEMBERS
"""Entries of one archive, with folders and links, beyond which it is not even listed."""

_MAGIC = b"ustar"
_MAGIC_AT = 257
_ENTRY = b"PK\x01\x02"  # begins each entry of the directory
# A line "From " and a date begins a mail, if a blank line is above and a header below.
MAIL_BEGIN = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\n]*\d[^\n]*\n(?=[!-9;-~]+:)")


def is_tar(data: bytes) -> bool:
    """Tell whether ``data`` is a TAR archive of the last four decades."""
    return data[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC


def has_too_many_entries(data: bytes) -> bool:
    """Tell whether listing the archive could fill the memory; whatever it says about their number.

    Archives that are stored in the archive count too.
    """
    return data.count(_ENTRY) > MAX_ENTRIES


def is_mailbox(data: bytes) -> bool:
    """Tell whether ``data`` begins as a mailbox does."""
    return MAIL_BEGIN.match(data) is not None
