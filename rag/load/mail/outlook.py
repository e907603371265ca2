"""Outlook messages (MSG) -> as for mails: headers and body, attachments as documents of their own.

python-oxmsg reads the storages; the texts are decoded here, since a wrong code page in a message
would cost all of it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.load.archives.members import Budget, Content, Member, Part
from rag.load.archives.names import base_name
from rag.load.builder import clean
from rag.load.dates import readable
from rag.load.detect.encoding import decode, windows_encoding
from rag.load.mail import mime
from rag.load.mail.mail import file_name, letter
from rag.types import Document

if TYPE_CHECKING:
    from oxmsg.storage import Storage

_DAMAGED = "is damaged or not an Outlook message; open it in Outlook and save it again"
_PROPERTIES = "__properties_version1.0"
_ATTACHED_OBJECT = "__SUBSTG1.0_3701000D"
_HEADER = 32  # bytes before the properties of a message
_ATTACHED_HEADER = 24  # of one that is attached to another
_RECIPIENT_HEADER = _ATTACHMENT_HEADER = 8
_TO, _CC = 1, 2
_BY_VALUE, _IS_MESSAGE = 1, 5
# Property ids of [MS-OXPROPS].
_CODE_PAGE, _INTERNET_CODE_PAGE = 0x3FFD, 0x3FDE
_SUBJECT, _BODY, _HTML, _RTF, _TRANSPORT_HEADERS = 0x0037, 0x1000, 0x1013, 0x1009, 0x007D
_SUBMITTED, _DELIVERED, _CREATED = 0x0039, 0x0E06, 0x3007
_SENDER_NAME, _FROM_NAME = 0x0C1A, 0x0042
_SENDER_ADDRESSES = (0x5D01, 0x5D02, 0x0C1F, 0x0065)  # the Internet's before Exchange's
_DISPLAY_TO, _DISPLAY_CC = 0x0E04, 0x0E03
_RECIPIENT_KIND, _NAME, _ADDRESSES = 0x0C15, 0x3001, (0x39FE, 0x3003)
_DATA, _METHOD, _FILE_NAME, _LONG_FILE_NAME = 0x3701, 0x3705, 0x3704, 0x3707
_MIME_TYPE, _CONTENT_ID, _HIDDEN = 0x370E, 0x3712, 0x7FFE


def unpack(data: bytes, source: str, budget: Budget) -> Iterator[Part]:
    """The message itself, then what is attached to it."""
    yield from _message(_storage(data, budget), _HEADER, budget)


def _storage(data: bytes, budget: Budget) -> Storage:
    """The root storage. The streams of a hostile file may share their bytes: all are counted."""
    from olefile import OleFileIO
    from oxmsg.storage import Storage

    try:
        with OleFileIO(io.BytesIO(data)) as ole:
            sizes = [entry.size for entry in ole.direntries if entry is not None]
            budget.take(sum(sizes))
            budget.give_back(sum(sizes))
            return Storage.from_ole(ole)
    except LoadError:
        raise
    except Exception as error:  # olefile and oxmsg let many kinds through
        raise LoadError(_DAMAGED) from error


class _Object:
    """The properties of a message, a recipient or an attachment."""

    def __init__(self, storage: Storage, header: int, code_page: int | None = None) -> None:
        from oxmsg.properties import Properties

        self.storage = storage
        self._properties = Properties(storage, header)
        self._streams = {stream.name.upper(): stream.bytes_ for stream in storage.streams}
        self.code_page = self.number(_INTERNET_CODE_PAGE) or self.number(_CODE_PAGE) or code_page

    def number(self, property_id: int) -> int | None:
        """A number; None without it, or where the properties are damaged."""
        try:
            value = self._properties.int_prop_value(property_id)
        except Exception:  # oxmsg lets struct.error and its own kinds through
            return None
        return value if isinstance(value, int) else None

    def date(self, *property_ids: int) -> str:
        """The first of the times that is there; "" without one."""
        for property_id in property_ids:
            try:
                moment = self._properties.date_prop_value(property_id)
                if moment is not None:
                    return readable(moment)
            except Exception:  # as above; OverflowError for times beyond the calendar
                continue
        return ""

    def text(self, *property_ids: int) -> str:
        """The first of the texts that is there; "" without one."""
        for property_id in property_ids:
            wide = self._streams.get(f"__SUBSTG1.0_{property_id:04X}001F", b"")
            narrow = self._streams.get(f"__SUBSTG1.0_{property_id:04X}001E", b"")
            text = wide.decode("utf-16-le", "replace") if wide else self._decoded(narrow)
            if text.strip("\0 \r\n"):
                return clean(text)
        return ""

    def line(self, *property_ids: int) -> str:
        """As :meth:`text`, on one line."""
        return " ".join(self.text(*property_ids).split())

    def data(self, property_id: int) -> bytes:
        """Bytes; none without it."""
        return self._streams.get(f"__SUBSTG1.0_{property_id:04X}0102", b"")

    def page(self) -> str:
        """The body in HTML; "" without it."""
        return self.text(_HTML) or self._decoded(self.data(_HTML))

    def _decoded(self, narrow: bytes) -> str:
        try:
            return decode(narrow.rstrip(b"\0"), windows_encoding(self.code_page)) if narrow else ""
        except LoadError:
            return ""


def _message(storage: Storage, header: int, budget: Budget) -> Iterator[Part]:
    message = _Object(storage, header)
    if not any(stream.name.lower() == _PROPERTIES for stream in storage.streams):
        raise LoadError(_DAMAGED)
    members = [
        member
        for inner in storage.iter_attachment_storages()
        if (member := _attachment(_Object(inner, _ATTACHMENT_HEADER, message.code_page), budget))
    ]
    bodies = _bodies(message)
    if not bodies and message.data(_RTF):
        try:
            bodies = [_rich_text(message.data(_RTF), budget)]
        except LoadError as error:
            members.append(Member("body.rtf", partial(_refuse, str(error))))
    yield letter(_headers(message), bodies, [member.name for member in members])
    yield from members


def _bodies(message: _Object) -> list[Document]:
    if text := message.text(_BODY):
        return [Document("", text)]
    if page := message.page():
        from rag.load.markup import html

        return [html.fragment(page)]
    return []


def _rich_text(data: bytes, budget: Budget) -> Document:
    """A body in compressed RTF ([MS-OXRTFCP])."""
    from compressed_rtf import decompress

    from rag.load.office import rtf

    try:
        content = decompress(data)
    except Exception as error:  # its own errors are of no class of their own
        raise LoadError("is damaged; save the message from Outlook as HTML") from error
    budget.take(len(content))
    return rtf.load(content, "")


def _headers(message: _Object) -> list[tuple[str, str]]:
    """As the mail came over the Internet, or as Outlook knows it."""
    received = message.text(_TRANSPORT_HEADERS)
    if received.startswith("Microsoft Mail Internet Headers"):
        received = received.partition("\n")[2]
    mail = mime.parse_headers(f"{received.strip()}\n\n".encode())
    name, address = message.line(_SENDER_NAME, _FROM_NAME), message.line(*_SENDER_ADDRESSES)
    known = {
        "From": _person(name, address),
        "To": _people(message, _TO) or message.line(_DISPLAY_TO),
        "Cc": _people(message, _CC) or message.line(_DISPLAY_CC),
        "Date": message.date(_SUBMITTED, _DELIVERED, _CREATED),
        "Subject": message.line(_SUBJECT),
    }
    headers = [(name, mime.header(mail, name) or value) for name, value in known.items()]
    return [*headers[:-1], ("Subject", known["Subject"] or headers[-1][1])]


def _people(message: _Object, kind: int) -> str:
    """The recipients of one kind."""
    people = []
    for storage in message.storage.iter_recipient_storages():
        recipient = _Object(storage, _RECIPIENT_HEADER, message.code_page)
        if (recipient.number(_RECIPIENT_KIND) or _TO) & 0xF == kind:
            people.append(_person(recipient.line(_NAME), recipient.line(*_ADDRESSES)))
    return ", ".join(filter(None, people))


def _person(name: str, address: str) -> str:
    """Name and address; without the address where it is a path inside Exchange, or the name."""
    name = name.strip("'\"")
    if "@" not in address or address == name:
        return name or address
    return f"{name} <{address}>" if name else address


def _attachment(attachment: _Object, budget: Budget) -> Member | None:
    """None for pictures that decorate the body."""
    name = base_name(attachment.line(_LONG_FILE_NAME, _FILE_NAME, _NAME))
    is_image = attachment.line(_MIME_TYPE).startswith("image/")
    if is_image and (attachment.text(_CONTENT_ID) or attachment.number(_HIDDEN)):
        return None
    for inner in attachment.storage.storages:
        if inner.name.upper() == _ATTACHED_OBJECT:
            if attachment.number(_METHOD) != _IS_MESSAGE:
                reason = "is an object of another program; save it from Outlook as a file"
                return Member(name or "object", partial(_refuse, reason))
            subject = file_name(_Object(inner, _ATTACHED_HEADER).line(_SUBJECT))
            return Member(f"{subject}.msg", partial(_message, inner, _ATTACHED_HEADER, budget))
    return Member(name or "attachment", partial(_content, attachment, name, budget))


def _content(attachment: _Object, name: str, budget: Budget) -> Content:
    if name.lower().endswith(".p7m"):
        raise LoadError("is encrypted or sealed as a whole (S/MIME); save its content decrypted")
    content = attachment.data(_DATA)
    if not content and attachment.number(_METHOD) not in (None, _BY_VALUE):
        raise LoadError("is only linked to, and not in the message; add it to the folder")
    budget.take(len(content))
    return content


def _refuse(reason: str) -> bytes:
    raise LoadError(reason)
