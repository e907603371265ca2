"""Damaged files by the hundred: each is read or refused with a reason, within its limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from fuzzing import Seed, damaged, finding, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import LoadError
from rag.load.registry import _KIND_OF_SUFFIX, SUFFIXES, load_file
from rag.sandbox.isolated import IsolatedLoader, Limits
from rag.sandbox.protocol import check

DAMAGES = 8
"""Of each seed; ``benchmarks/fuzz.py`` makes more."""


@pytest.fixture(scope="module")
def worker() -> Iterator[IsolatedLoader]:
    with IsolatedLoader(Limits(memory_mb=512, seconds=60)) as load:
        yield load


def test_every_kind_that_loads_has_a_seed() -> None:
    assert {_KIND_OF_SUFFIX[seed.suffix] for seed in seeds()} == set(_KIND_OF_SUFFIX.values())


def test_damage_is_reproducible_and_differs() -> None:
    for seed in seeds():
        made = [damaged(seed.data, n) for n in range(DAMAGES)]
        assert made == [damaged(seed.data, n) for n in range(DAMAGES)]
        assert len(set(made)) > DAMAGES / 2, seed.name


@pytest.mark.parametrize("seed", seeds(), ids=lambda seed: seed.name)
def test_a_damaged_file_is_read_or_refused(seed: Seed, worker: IsolatedLoader) -> None:
    found = {
        number: reason
        for number in range(DAMAGES)
        if (reason := finding(worker, damaged(seed.data, number), seed.name))
    }
    assert found == {}


@settings(max_examples=300, derandomize=True)
@given(st.binary(max_size=300), st.sampled_from([*SUFFIXES, "", ".unknown"]))
def test_any_bytes_are_read_or_refused(data: bytes, suffix: str) -> None:
    with suppress(LoadError):
        check(load_file(data, f"a{suffix}"), f"a{suffix}")
