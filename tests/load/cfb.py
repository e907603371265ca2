"""Writes OLE2 compound files, so that tests can make Outlook messages."""

from __future__ import annotations

import struct
from collections.abc import Mapping

Tree = Mapping[str, "bytes | Tree"]
"""Names of streams and storages -> bytes, or what is in the storage."""

_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_SECTOR = 512


def compound_file(tree: Tree) -> bytes:
    """A file of version 3 with all streams in whole sectors, and siblings as a chain."""
    entries: list[list[object]] = []  # name, kind, right sibling, child, first sector, size
    sectors: list[bytes] = []
    chains: list[int] = []

    def store(content: bytes) -> int:
        if not content:
            return _END
        first = len(sectors)
        for at in range(0, len(content), _SECTOR):
            sectors.append(content[at : at + _SECTOR].ljust(_SECTOR, b"\0"))
            chains.append(len(sectors))
        chains[-1] = _END
        return first

    def add(name: str, kind: int, content: bytes | Tree) -> int:
        index = len(entries)
        entries.append([name, kind, _FREE, _FREE, _END if kind == 5 else 0, 0])
        if isinstance(content, bytes):
            entries[index][4:] = [store(content), len(content)]
            return index
        previous = -1
        for child, inner in content.items():
            found = add(child, 2 if isinstance(inner, bytes) else 1, inner)
            if previous < 0:
                entries[index][3] = found
            else:
                entries[previous][2] = found
            previous = found
        return index

    add("Root Entry", 5, tree)
    directory = b"".join(_entry(*entry) for entry in entries)
    directory_start = store(directory + b"\0" * (-len(directory) % _SECTOR))
    count = -(-(len(sectors) + 8) // 128)
    fat_start = len(sectors)
    chains += [_FAT] * count
    table = struct.pack(f"<{len(chains)}I", *chains)
    table = table.ljust(count * _SECTOR, b"\xff")
    places = [fat_start + i for i in range(count)] + [_FREE] * (109 - count)
    header = struct.pack(
        "<8s16xHHHHH6xIII4xIIIII109I",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
        0, count, directory_start, 0, _END, 0, _END, 0, *places,
    )  # fmt: skip
    return header + b"".join(sectors) + table


def _entry(name: object, kind: object, right: object, child: object, start: object,
           size: object) -> bytes:  # fmt: skip
    encoded = str(name).encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII36xIQ",
        encoded, len(encoded) + 2, kind, 1, _FREE, right, child, start, size,
    )  # fmt: skip


def properties(header: int, **numbers: int) -> bytes:
    """A properties stream of 32-bit numbers and times: ``p0C15=2``, ``t0039=...``."""
    stream = bytes(header)
    for name, value in numbers.items():
        kind = 0x40 if name[0] == "t" else 0x03
        stream += struct.pack("<HHIQ", kind, int(name[1:], 16), 6, value)
    return stream
