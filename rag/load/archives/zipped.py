"""ZIP archives as folders, by the standard library."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator
from functools import partial

from rag.errors import LoadError
from rag.load.archives.members import TOO_MANY_ENTRIES, Budget, Member, Part
from rag.load.archives.names import decode_names
from rag.load.detect.containers import MAX_MEMBERS, has_too_many_entries

_UTF8 = 0x800
_ENCRYPTED = 0x1
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}


def unpack(data: bytes, source: str, budget: Budget) -> Iterator[Part]:
    """Yield the archive's files.

    Links are left out, as are those of a folder that lead elsewhere.
    """
    if has_too_many_entries(data):
        raise LoadError(TOO_MANY_ENTRIES)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # zipfile raises many kinds
        raise LoadError(
            "is damaged, or one part of a split ZIP archive; unpack it into the folder"
        ) from error
    with archive:
        files = [info for info in archive.infolist() if not _is_folder(info) and not _is_link(info)]
        files = files[: MAX_MEMBERS + 1]
        for info, name in zip(files, _names(files), strict=True):
            yield Member(name, partial(_read, archive, info, budget))


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> bytes:
    if info.flag_bits & _ENCRYPTED:
        raise LoadError("is encrypted; unpack the archive with its password")
    # Only deflate is unpacked piece by piece: a few bytes of bzip2 or LZMA can become gigabytes.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        kind = _METHODS.get(info.compress_type, info.compress_type)
        raise LoadError(
            f"is packed by a method that is not supported ({kind}); unpack the archive into the "
            "folder"
        )
    try:
        with archive.open(info) as member:
            return budget.read(member)
    except LoadError:
        raise
    except Exception as error:  # BadZipFile, zlib.error, EOFError, OSError ...
        raise LoadError(
            "is damaged in the archive, or in another part of a split one; pack it again"
        ) from error


def _names(files: list[zipfile.ZipInfo]) -> list[str]:
    """The names; where an entry does not say that it is UTF-8, zipfile took it for cp437."""
    unsure = [info.filename.encode("cp437") for info in files if not info.flag_bits & _UTF8]
    decoded = iter(decode_names(unsure))
    return [info.filename if info.flag_bits & _UTF8 else next(decoded) for info in files]


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.is_dir() or (info.filename.endswith("\\") and info.file_size == 0)


def _is_link(info: zipfile.ZipInfo) -> bool:
    mode = info.external_attr >> 16
    return info.create_system == 3 and stat.S_IFMT(mode) not in (0, stat.S_IFREG)
