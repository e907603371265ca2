"""What a worker sends is decoded only if that costs no more than is allowed."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from rag.sandbox.protocol import encode, parse

COUNT = 50_000
REPLIES = {
    "lists": b"[" + b"[]," * COUNT + b"[]]",
    "lists in lists": b"[" * 900 + b"[[]]," * COUNT + b"[]" + b"]" * 900,
    "numbers": b"[" + b"1e9,77777777777," * COUNT + b"1]",
    "short texts": b"[" + b'"ab","cd",' * COUNT + b'"e"]',
    "long text": b'["' + b"a" * COUNT + b'"]',
    "one wide character": b'["' + b"a" * COUNT + "\U0001f600".encode() + b'"]',
    "one wide character, escaped": b'["' + b"a" * COUNT + b'\\ud83d\\ude00"]',
    "two bytes a character": b'["' + b"a" * COUNT + "\u0434".encode() + b'"]',
    "quotes and brackets in a text": json.dumps(['\\"[],{}' * COUNT]).encode(),
}


def is_decoded(data: bytes, most: int) -> bool:
    try:
        parse(data, most)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("kind", REPLIES)
def test_decoding_takes_no_more_memory_than_is_allowed(kind: str) -> None:
    data = REPLIES[kind]

    def peak(most: int) -> int:
        tracemalloc.start()
        try:
            value = parse(data, most)
            assert value
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    high = next(most for most in range(0, 1 << 30, 200_000) if is_decoded(data, most))
    assert peak(high) <= high + 100_000
    assert high <= 100 * len(data)


def test_a_text_costs_three_times_its_bytes() -> None:
    data = encode(("done", "Whales swim. " * COUNT))
    assert parse(data, 3 * len(data) + 1000) == json.loads(data)
    assert not is_decoded(data, 2 * len(data))


@pytest.mark.parametrize("data", [b'[{"a": 1}]', b"{}", b'["' + b'\\"' * 300_000, b'"' * 300_001])
def test_what_no_worker_sends_is_refused(data: bytes) -> None:
    assert not is_decoded(data, 1 << 30)
