"""TAR archives as folders, by the standard library."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from functools import partial

from rag.errors import LoadError
from rag.load.archives.members import TOO_MANY_ENTRIES, Budget, Member, Part
from rag.load.archives.names import decode_names
from rag.load.detect.containers import MAX_ENTRIES, MAX_MEMBERS


def unpack(data: bytes, source: str, budget: Budget) -> Iterator[Part]:
    """Yield the archive's regular files; links and devices are left out."""
    try:
        archive = tarfile.open(  # noqa: SIM115 (closed below)
            fileobj=io.BytesIO(data), mode="r:", encoding="utf-8", errors="surrogateescape"
        )
    except Exception as error:  # tarfile lets ValueError and others through
        raise LoadError("is damaged or not a TAR archive; unpack it into the folder") from error
    with archive:
        entries, ends_early = _entries(archive)
        files = [info for info in entries if info.isreg()][: MAX_MEMBERS + 1]
        names = decode_names([info.name.encode("utf-8", "surrogateescape") for info in files])
        for info, name in zip(files, names, strict=True):
            yield Member(name, partial(_read, archive, info, budget))
        if ends_early:
            raise LoadError("is cut short or damaged from here on; pack it again")


def _entries(archive: tarfile.TarFile) -> tuple[list[tarfile.TarInfo], bool]:
    """What can be listed, and whether it ends in an error."""
    entries: list[tarfile.TarInfo] = []
    try:
        for info in archive:
            entries.append(info)
            if len(entries) > MAX_ENTRIES:
                raise LoadError(TOO_MANY_ENTRIES)
    except LoadError:
        raise
    except Exception:  # ReadError, ValueError, RecursionError ...
        return entries, True
    return entries, False


def _read(archive: tarfile.TarFile, info: tarfile.TarInfo, budget: Budget) -> bytes:
    try:
        with archive.extractfile(info) or io.BytesIO() as member:
            return budget.read(member)
    except LoadError:
        raise
    except Exception as error:
        raise LoadError("is damaged in the archive; pack it again") from error
