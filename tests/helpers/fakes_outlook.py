"""Writes OLE2 compound files, so that tests can make Outlook messages."""

from __future__ import annotations

import struct
from collections.abc import Mapping

Tree = Mapping[str, "bytes | Tree"]
"""Names of streams and storages -> bytes, or what is in the storage."""

_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_SMALL = 4096  # bytes; smaller streams stand in a stream of their own, in smaller sectors


class _Sectors:
    """Contents cut into sectors, and the table that chains them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.data = b""
        self.chains: list[int] = []

    def store(self, content: bytes) -> int:
        first = len(self.chains)
        count = -(-len(content) // self.size)
        self.data += content.ljust(count * self.size, b"\0")
        self.chains += [*range(first + 1, first + count), _END][:count]
        return first if count else _END

    def table(self, width: int) -> bytes:
        table = struct.pack(f"<{len(self.chains)}I", *self.chains)
        return table.ljust(-(-len(table) // width) * width, b"\xff")


def compound_file(tree: Tree) -> bytes:
    """A file of version 3, its siblings as a chain."""
    entries: list[list[object]] = []  # name, kind, right sibling, child, first sector, size
    big, small = _Sectors(512), _Sectors(64)

    def add(name: str, kind: int, content: bytes | Tree) -> int:
        index = len(entries)
        entries.append([name, kind, _FREE, _FREE, 0, 0])
        if isinstance(content, bytes):
            sectors = small if len(content) < _SMALL else big
            entries[index][4:] = [sectors.store(content), len(content)]
            return index
        previous = -1
        for child, inner in content.items():
            found = add(child, 2 if isinstance(inner, bytes) else 1, inner)
            entries[max(previous, index)][2 if previous >= 0 else 3] = found
            previous = found
        return index

    add("Root Entry", 5, tree)
    entries[0][4:] = [big.store(small.data), len(small.data)]
    small_table = small.table(512)
    small_start = big.store(small_table)
    directory = b"".join(_entry(*entry) for entry in entries)
    directory_start = big.store(directory.ljust(-(-len(directory) // 512) * 512, b"\0"))
    count = -(-(len(big.chains) + 8) // 128)
    places = [len(big.chains) + i for i in range(count)] + [_FREE] * (109 - count)
    big.chains += [_FAT] * count
    header = struct.pack(
        "<8s16xHHHHH6xIII4xIIIII109I",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
        0, count, directory_start, _SMALL, small_start, len(small_table) // 512, _END, 0, *places,
    )  # fmt: skip
    return header + big.data + big.table(512)


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
