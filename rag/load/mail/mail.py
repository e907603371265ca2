"""Mails (EML) -> headers and body as one document, attachments and attached mails as others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email.message import Message
from functools import partial

from rag.errors import LoadError
from rag.load.archives.members import Budget, Content, Member
from rag.load.archives.members import Part as Found
from rag.load.archives.names import base_name
from rag.load.builder import TextBuilder, clean
from rag.load.dates import iso_date
from rag.load.detect.containers import MAX_MEMBERS
from rag.load.detect.encoding import decode
from rag.load.mail import mime
from rag.types import Document

_MAX_PARTS = MAX_MEMBERS
_TOO_MANY_PARTS = f"is not read: the mail has more than {_MAX_PARTS:,} parts"
_ENVELOPE = re.compile(rb"(?:From |>From )[^\n]*\n")
_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_SUFFIXES = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "application/pdf": ".pdf",
}
_SIGNATURES = ("application/pgp-signature", "application/pkcs7-signature",
               "application/x-pkcs7-signature", "application/pgp-keys")  # fmt: skip
_MAILS = ("message/rfc822", "message/global")
_ENCRYPTED = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_DECORATION = ("image/", "audio/", "video/", "font/", "text/css", "text/javascript")
_OUTWEIGHS = 3  # so many times the words of the plain text, and the HTML is the real body


def unpack(data: bytes, source: str, budget: Budget) -> Iterator[Found]:
    """The mail itself, then what is attached to it."""
    envelope = _ENVELOPE.match(data)
    yield from _unpack(mime.parse(data[envelope.end() :] if envelope else data), budget)


def _unpack(mail: Message, budget: Budget) -> Iterator[Found]:
    reading = _Reading(budget, iter(range(_MAX_PARTS)))
    reading.part(mail)
    headers = [(name, mime.header(mail, name)) for name in _HEADERS]
    names = [member.name for member in reading.members]
    yield letter(headers, reading.bodies, names)
    yield from reading.members


def letter(
    headers: Sequence[tuple[str, str]],
    bodies: Sequence[Document],
    attachments: Sequence[str],
) -> Document:
    """A mail as a document: a line for each header, what is attached, and the body."""
    lines = [
        f"{name}: {iso_date(value) if name == 'Date' else value}"
        for name, value in headers
        if value
    ]
    if attachments:
        lines.append(f"Attachments: {', '.join(attachments)}")
    builder = TextBuilder()
    builder.add("\n".join(lines))
    for body in bodies:
        builder.gap(2)
        builder.include(body)
    subject = dict(headers).get("Subject", "")
    return Document("", builder.text(), subject, headings=tuple(builder.headings))


def file_name(subject: str) -> str:
    """A subject as the name of a file, without suffix."""
    return base_name(re.sub(r"[/\\]", "-", subject)) or "message"


class _Reading:
    """Collects the bodies and the attachments of one mail."""

    def __init__(self, budget: Budget, parts: Iterator[int]) -> None:
        self.bodies: list[Document] = []
        self.members: list[Member] = []
        self.ended = False  # whether ``parts``, the parts that may be read, are used up
        self._budget = budget
        self._parts = parts

    def part(self, part: Message, *, beside: bool = False) -> None:
        """Read a part; ``beside`` is set for what only decorates the part before it."""
        if next(self._parts, None) is None:
            if not self.ended:
                self.members.append(Member("(the rest)", partial(_refuse, _TOO_MANY_PARTS)))
            self.ended = True
            return
        kind, disposition = part.get_content_type(), part.get_content_disposition()
        if kind.startswith("multipart/"):
            if part.is_multipart():
                self._multipart(part, kind)
                return
            kind = "text/plain"  # without a border it is what it looks like
        if kind in _SIGNATURES or (beside and kind.startswith(_DECORATION)):
            return
        if kind.startswith("image/") and disposition != "attachment" and (
            disposition == "inline" or part.get("Content-ID")
        ):  # fmt: skip
            return
        is_body = disposition != "attachment" and not mime.file_name(part)
        if is_body and kind in ("text/plain", "text/html"):
            try:
                self.bodies.append(_body(part, kind))
            except LoadError as error:
                self.members.append(Member("body", partial(_refuse, str(error))))
            return
        name = self._name(part, kind)
        self.members.append(Member(name, partial(_attachment, part, kind, self._budget)))

    def _multipart(self, part: Message, kind: str) -> None:
        """Read the parts of a part."""
        if kind == "multipart/encrypted":
            self.members.append(
                Member("encrypted", partial(_refuse, "is encrypted; save its content decrypted"))
            )
        elif kind == "multipart/alternative":
            self._alternatives(part)
        else:
            for index, child in enumerate(mime.children(part)):
                self.part(child, beside=kind == "multipart/related" and index > 0)
                if self.ended:
                    break

    def _alternatives(self, part: Message) -> None:
        """The same text in several forms: the first, plain one, unless it only says to look on."""
        forms = []
        for child in mime.children(part):
            form = _Reading(self._budget, self._parts)
            form.part(child)
            self.members.extend(form.members)
            forms.append(form.bodies)
            self.ended = form.ended
            if self.ended:
                break
        words = [sum(len(body.text.split()) for body in bodies) for bodies in forms]
        for bodies, count in zip(forms, words, strict=True):
            if count and count * _OUTWEIGHS >= max(words):
                self.bodies.extend(bodies)
                break

    def _name(self, part: Message, kind: str) -> str:
        if name := base_name(mime.file_name(part)):
            return name
        if kind in _MAILS and part.is_multipart():
            return f"{file_name(mime.header(mime.attached_mail(part), 'Subject'))}.eml"
        suffix = _SUFFIXES.get(kind, ".txt" if kind.startswith(("text/", "message/")) else "")
        return f"part {len(self.members) + 1}{suffix}"


def _body(part: Message, kind: str) -> Document:
    text = decode(mime.content(part), mime.charset(part))
    if kind == "text/plain":
        return Document("", clean(text))
    from rag.load.markup import html

    return html.fragment(text)


def _attachment(part: Message, kind: str, budget: Budget) -> Content:
    if kind in _ENCRYPTED:
        raise LoadError("is encrypted or sealed as a whole (S/MIME); save its content decrypted")
    if kind in _MAILS and part.is_multipart():
        return _unpack(mime.attached_mail(part), budget)
    content = mime.content(part)
    budget.take(len(content))
    return content


def _refuse(reason: str) -> bytes:
    raise LoadError(reason)
