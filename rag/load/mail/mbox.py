"""Mailboxes in one file (mbox) as folders of mails, named by number and subject."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from rag.load.archives.members import Budget, Member, Part
from rag.load.detect.containers import MAIL_BEGIN
from rag.load.mail import mime
from rag.load.mail.mail import file_name

_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)


def unpack(data: bytes, source: str, budget: Budget) -> Iterator[Part]:
    """The mails; what does not begin like a mailbox is one mail."""
    found = [(begin.start(), begin.end()) for begin in MAIL_BEGIN.finditer(data)] or [(0, 0)]
    found.append((len(data), len(data)))
    for number, ((_, start), (end, _)) in enumerate(pairwise(found), 1):
        subject = mime.header(mime.parse_headers(data[start:end]), "Subject")
        yield Member(f"{number} {file_name(subject)}.eml", partial(_mail, data, start, end, budget))


def _mail(data: bytes, start: int, end: int, budget: Budget) -> bytes:
    budget.take(end - start)
    return _ESCAPED.sub(rb"\1", data[start:end])
