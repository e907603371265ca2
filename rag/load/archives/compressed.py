"""Files packed by gzip, bzip2 or xz: one file, or a TAR archive, by the standard library."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Iterator
from pathlib import PurePosixPath

from rag.errors import LoadError
from rag.load.archives.members import Budget, Member, Part, Readable
from rag.load.archives.tarred import unpack as unpack_tar
from rag.load.detect.containers import is_tar

_XZ_MEMORY = 100_000_000  # bytes; the strongest of the usual settings needs 65 MB


def unpack(data: bytes, source: str, budget: Budget) -> Iterator[Part]:
    """Yield the files of the TAR archive inside, or the one file, named like ``source``."""
    try:
        content = budget.read(_opened(data))
    except LoadError:
        raise
    except Exception as error:  # OSError, EOFError, zlib.error, LZMAError
        raise LoadError("is damaged or cut short; pack it again") from error
    if is_tar(content):
        budget.give_back(len(content))
        yield from unpack_tar(content, source, budget)
    else:
        yield Member(PurePosixPath(source).stem, lambda: content)


def _opened(data: bytes) -> Readable:
    if data.startswith(b"BZh"):
        return bz2.BZ2File(io.BytesIO(data))
    if data.startswith(b"\xfd7zXZ"):
        return _XzReader(data)
    return gzip.GzipFile(fileobj=io.BytesIO(data))


class _XzReader:
    """Like :class:`lzma.LZMAFile`, which cannot be told how much memory it may take."""

    def __init__(self, data: bytes) -> None:
        self._rest = data
        self._stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end. Raises ``LZMAError`` or ``EOFError``."""
        piece = b""
        while not piece:
            if self._stream.eof:
                self._rest = self._stream.unused_data.lstrip(b"\0")  # padding between streams
                if not self._rest:
                    return b""
                self._stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
            if self._stream.needs_input and not self._rest:
                raise EOFError("cut short")
            piece = self._stream.decompress(self._rest, size)
            self._rest = b""
        return piece
