"""What a sweep runs through: settings and their values, read from the command line."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from rag.errors import SettingsError
from rag.settings import Settings, convert

OF_THE_INDEX = ("embedder", "chunk_tokens", "chunk_overlap")
"""Settings that an index is made with; the others need no index of their own."""

OF_RETRIEVAL = (*OF_THE_INDEX, "fusion")

OF_THE_ANSWER = ("top_k", "answerer", "target_precision", "llm_model", "llm_max_tokens")

MAX_COMBINATIONS = 64
"""More would run for hours, and the best of very many is best by chance."""

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Combination:
    """One value for each swept setting, and all settings with them."""

    values: Values
    settings: Settings

    @property
    def index_settings(self) -> tuple[Any, ...]:
        """The values of :data:`OF_THE_INDEX`."""
        return tuple(getattr(self.settings, name) for name in OF_THE_INDEX)


def parse_sweep(arguments: Sequence[str], names: Sequence[str]) -> dict[str, list[Any]]:
    """``["top_k=3,5", ...]`` as values by setting, in the given order, each value once.

    ``names`` are the settings that may be swept. Raises :class:`SettingsError`.
    """
    swept: dict[str, list[Any]] = {}
    for argument in arguments:
        name, equals, listed = (part.strip() for part in argument.partition("="))
        if not equals or not name:
            raise SettingsError(f"--sweep {argument!r}: write SETTING=VALUE,VALUE")
        if name not in names:
            raise SettingsError(f"--sweep {argument!r}: {_unknown(name, names)}")
        if name in swept:
            raise SettingsError(f"--sweep {argument!r}: {name} is swept already; list all values")
        raws = [raw.strip() for raw in listed.split(",")]
        if not all(raws):
            raise SettingsError(f"--sweep {argument!r}: a value is missing; write {name}=A,B")
        kind = Settings.types()[name]
        values = [convert(f"--sweep {name}={raw}: the value", raw, kind) for raw in raws]
        swept[name] = list(dict.fromkeys(values))
    return swept


def combine(swept: Mapping[str, Sequence[Any]], settings: Settings) -> list[Combination]:
    """Return every combination of the values.

    Raises :class:`SettingsError` for one that cannot be.
    """
    count = prod(map(len, swept.values()))
    if count > MAX_COMBINATIONS:
        sizes = " x ".join(f"{len(values)} of {name}" for name, values in swept.items())
        raise SettingsError(
            f"{sizes} are {count} combinations, more than {MAX_COMBINATIONS}: sweep fewer values"
        )
    found = []
    for values in itertools.product(*swept.values()):
        chosen = dict(zip(swept, values, strict=True))
        found.append(Combination(chosen, replace(settings, **chosen)))
    return found


def _unknown(name: str, names: Sequence[str]) -> str:
    if name in OF_THE_ANSWER:
        return f"{name} changes answers only, not retrieval; leave out --retrieval-only"
    if name in Settings.types():
        return f"{name} does not change retrieval or answers; sweep {', '.join(names)}"
    close = difflib.get_close_matches(name, names, n=1)
    advice = f"did you mean {close[0]}?" if close else f"known are {', '.join(names)}"
    return f"unknown setting {name}: {advice}"
