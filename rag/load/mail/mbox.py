"""Mailboxes in one file (mbox) as folders of mails, named by number and subject."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from rag.load.archives.members import Budget, Member, Part
from rag.load.mail import mime
from rag.load.mail.mail import file_name

# A line "From " and a date begins a mail, if a blank line is above and a header below.
_BEGIN = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\n]*\d[^\n]*\n(?=[!-9;-~]+:)")
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)


def is_mailbox(data: bytes) -> bool:
    """Whether ``data`` begins as a mailbox does."""
    return _BEGIN.match(data) is not None


def unpack(data: bytes, source: str, budget: Budget) -> Iterator[Part]:
    """The mails; what does not begin like a mailbox is one mail."""
    found = [(begin.start(), begin.end()) for begin in _BEGIN.finditer(data)] or [(0, 0)]
    found.append((len(data), len(data)))
    for number, ((_, start), (end, _)) in enumerate(pairwise(found), 1):
        subject = mime.parse(data, start, end).header("Subject")
        yield Member(f"{number} {file_name(subject)}.eml", partial(_mail, data, start, end, budget))


def _mail(data: bytes, start: int, end: int, budget: Budget) -> bytes:
    budget.take(end - start)
    return _ESCAPED.sub(rb"\1", data[start:end])
