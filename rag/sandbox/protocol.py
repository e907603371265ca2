"""How a worker and the process that asks it speak: frames of bytes, and values as JSON.

A worker may have been taken over by what it read. So nothing that it sends is run or trusted:
lengths are bounded, each value must be of the type that is expected, and each position must lie
in its text.
"""

from __future__ import annotations

import json
import re
from typing import IO, Any

from rag.dataclass_json import to_plain
from rag.load.registry import Loaded

_LENGTH_BYTES = 8
_TEXT_OR_BETWEEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[^"]++', re.DOTALL)
_BYTES_PER_ELEMENT = 96
"""What a list, a number or a short text takes, with its place in the list that holds it."""
_FOUR_BYTES, _TWO_BYTES = re.compile(rb"[\xf0-\xff]"), re.compile(rb"[\xc4-\xef]")
_CONTINUED = bytes(range(0x80, 0xC0))


def send(stream: IO[bytes], *frames: bytes) -> None:
    """Write frames, each with its length before it."""
    for frame in frames:
        stream.write(len(frame).to_bytes(_LENGTH_BYTES, "big"))
        stream.write(frame)
    stream.flush()


def receive(stream: IO[bytes], most: int) -> bytes:
    """Return the next frame. EOFError where the stream ends; ValueError above ``most`` bytes."""
    length = int.from_bytes(_exactly(stream, _LENGTH_BYTES), "big")
    if length > most:
        raise ValueError(f"a frame of {length} bytes, at most {most} are taken")
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def encode(value: Any) -> bytes:
    """Return a value of dataclasses, tuples, bytes and plain values as JSON."""
    return json.dumps(to_plain(value), ensure_ascii=False).encode("utf-8", "surrogatepass")


def parse(data: bytes, most: int | None = None) -> Any:
    """JSON as it was dumped, not yet a value. ValueError for what is none.

    Also for what may take more than ``most`` bytes of memory with all that decoding needs.
    """
    if most is not None:
        _require_cheap(data, most)
    try:
        return json.loads(data.decode("utf-8", "surrogatepass"))
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None


def _require_cheap(data: bytes, most: int) -> None:
    """Raise ValueError for objects, and unless decoding takes at most so many bytes."""
    left = most - len(data) - 2 * _size_as_text(data)  # as a whole, and its texts
    for part in _TEXT_OR_BETWEEN.finditer(data):
        start, end = part.span()
        if data[start] != ord('"'):
            if data.find(b"{", start, end) >= 0:
                raise ValueError("an object where only lists and plain values belong")
            elements = data.count(b"[", start, end) + data.count(b",", start, end)
            left -= elements * _BYTES_PER_ELEMENT
        if left < 0:
            raise ValueError(f"JSON that takes more than {most} bytes once it is decoded")


def _size_as_text(data: bytes) -> int:
    """Bytes that a text takes at most: each character as many as the widest needs."""
    width = 4 if b"\\u" in data.replace(b"\\u00", b"") else 1
    if data.isascii():
        return width * len(data)
    if _FOUR_BYTES.search(data):
        width = 4
    elif _TWO_BYTES.search(data):
        width = max(width, 2)
    return width * len(data.translate(None, _CONTINUED))


def check(loaded: Loaded, source: str) -> Loaded:
    """Return ``loaded``, if it can come from the file ``source``; ValueError otherwise."""
    members = [document.source for document in loaded.documents]
    members += [member for member, _ in loaded.failed]
    if any(m != source and not m.startswith(f"{source}/") for m in members):
        raise ValueError("a document of another file")
    if any(".." in m.split("/") for m in members):
        raise ValueError("a path that leaves its folder")
    for document in loaded.documents:
        spans = [(page.start, page.end) for page in document.pages]
        spans += [(heading.start, heading.end) for heading in document.headings]
        spans += [(place.start, place.end) for place in document.places]
        if any(not 0 <= start <= end <= len(document.text) for start, end in spans):
            raise ValueError("a position outside of the text")
        document.text.encode()  # UnicodeEncodeError, which is a ValueError, for lone surrogates
    return loaded
