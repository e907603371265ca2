"""The container of legacy Office files (OLE2, "compound file"), by olefile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.load.builder import sensible_title

if TYPE_CHECKING:
    import olefile

_LARGEST_STREAM = 200_000_000
_PROTECTED = ("\x06DataSpaces", "\tDRMContent", "EncryptedPackage")


def open_ole(data: bytes, what: str) -> olefile.OleFileIO:
    """The container. Raises :class:`LoadError` for one that is damaged or locked."""
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


def read_stream(container: olefile.OleFileIO, name: str) -> bytes:
    """The bytes of a stream, whatever the case of its name; b"" if there is none."""
    if not container.exists(name):
        return b""
    if container.get_size(name) > _LARGEST_STREAM:
        raise LoadError("has more than 200 MB of text and drawings; split it")
    return bytes(container.openstream(name).read())


def title_of(container: olefile.OleFileIO) -> str:
    """The title from the file's properties; "" where they have none, or a made-up one."""
    try:
        properties = container.getproperties("\x05SummaryInformation", convert_time=False)
    except Exception:  # a title is no reason to lose the document
        return ""
    title = properties.get(2)
    if isinstance(title, bytes):
        codepage = int(properties.get(1) or 1252) & 0xFFFF  # stored with a sign
        encoding = "utf-8" if codepage == 65001 else f"cp{codepage}"
        try:
            title = title.decode(encoding, "replace")
        except LookupError:
            title = title.decode("cp1252", "replace")
    return sensible_title(title.rstrip("\0")) if isinstance(title, str) else ""
