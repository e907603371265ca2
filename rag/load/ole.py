"""The container of legacy Office files (OLE2, "compound file"), by olefile."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.load.builder import sensible_title
from rag.load.detect.encoding import windows_encoding

if TYPE_CHECKING:
    import olefile

_SECTION = 44  # where the offset of the first section stands
_MAX_PROPERTIES = 1000
_CODEPAGE, _TITLE = 1, 2  # identifiers of properties
_BYTE_STRING, _WIDE_STRING = 30, 31  # their types
_UTF_16 = 1200  # a code page
_PROTECTED = ("\x06DataSpaces", "\tDRMContent", "EncryptedPackage")


def open_ole(data: bytes, what: str) -> olefile.OleFileIO:
    """Return the container. Raises :class:`LoadError` for one that is damaged or locked."""
    import olefile

    try:
        container = olefile.OleFileIO(data)
    except Exception as error:  # olefile raises its own errors, struct.error, IndexError ...
        raise LoadError(
            f"is damaged or not {what}; open it in its own program and save it again"
        ) from error
    if any(container.exists(name) for name in _PROTECTED):
        raise LoadError("is encrypted or protected (DRM); remove its protection and save it again")
    return container


def title_of(container: olefile.OleFileIO) -> str:
    """Return the title from the file's properties; "" where they have none, or a made-up one."""
    try:
        return title_in(container.openstream("\x05SummaryInformation").read())
    except Exception:  # there is none, or it is damaged: no reason to lose the document
        return ""


def title_in(properties: bytes) -> str:
    """Return the title in the stream of a property set ([MS-OLEPS] 2.20 and 2.21).

    "" if there is none.

    Only the properties needed are read: a damaged one may claim thousands of millions of values.
    Raises ``struct.error`` where the stream ends too early.
    """
    if not properties:
        return ""
    [section] = struct.unpack_from("<I", properties, _SECTION)
    [count] = struct.unpack_from("<I", properties, section + 4)
    places = dict(
        struct.unpack_from("<2I", properties, section + 8 + 8 * i)
        for i in range(min(count, _MAX_PROPERTIES))
    )
    if _TITLE not in places:
        return ""
    start = section + places[_TITLE]
    kind, size = struct.unpack_from("<2I", properties, start)
    if kind == _WIDE_STRING:
        text = properties[start + 8 : start + 8 + 2 * size].decode("utf-16-le", "replace")
    elif kind == _BYTE_STRING:
        codepage = 1252
        if _CODEPAGE in places:
            [codepage] = struct.unpack_from("<H", properties, section + places[_CODEPAGE] + 4)
        wide = codepage == _UTF_16
        encoding = "utf-16-le" if wide else windows_encoding(codepage) or "cp1252"
        text = properties[start + 8 : start + 8 + size].decode(encoding, "replace")
    else:
        return ""
    return sensible_title(text.rstrip("\0"))
