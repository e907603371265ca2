"""Text that knows where each of its characters stood in the file."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NOWHERE = -1
"""The place of a character that was put in: a space between lines, a repeated table header."""


@dataclass(frozen=True, slots=True)
class MappedText:
    """``text``, and a number for each of its characters that tells its place in the file."""

    text: str
    origins: Sequence[int]

    def __post_init__(self) -> None:
        if len(self.text) != len(self.origins):
            raise ValueError(f"{len(self.text)} characters with {len(self.origins)} origins")

    def __getitem__(self, part: slice) -> MappedText:
        return MappedText(self.text[part], self.origins[part])


def placed_nowhere(text: str) -> MappedText:
    """Return ``text`` that does not stand in the file."""
    return MappedText(text, array("i", [NOWHERE]) * len(text))


def joined(pieces: Iterable[MappedText | str]) -> MappedText:
    """One text of all ``pieces``; those that are bare strings stand nowhere in the file."""
    texts: list[str] = []
    origins = array("i")
    for piece in pieces:
        traced = placed_nowhere(piece) if isinstance(piece, str) else piece
        texts.append(traced.text)
        origins.extend(traced.origins)
    return MappedText("".join(texts), origins)
