"""Boxes on a page, in points, ``y`` upwards; and frames in which text runs from left to right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle whose sides are parallel to the page's."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        """In points."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """In points."""
        return self.top - self.bottom

    def turned(self, turn: int, mirrored: bool = False) -> Box:
        """The box in the frame of text that runs at ``turn`` degrees, clockwise: 0, 90, 180, 270.

        There such text runs from left to right, and its next line is below. ``mirrored`` is for
        scripts that run from right to left, so that they too begin at the left of the frame.
        """
        left, bottom, right, top = self.left, self.bottom, self.right, self.top
        if turn == 90:
            left, bottom, right, top = -top, left, -bottom, right
        elif turn == 180:
            left, bottom, right, top = -right, -top, -left, -bottom
        elif turn == 270:
            left, bottom, right, top = bottom, -right, top, -left
        return Box(-right, bottom, -left, top) if mirrored else Box(left, bottom, right, top)

    def unturned(self, turn: int, mirrored: bool = False) -> Box:
        """Return the box on the page, of one in the frame of :meth:`turned`."""
        box = Box(-self.right, self.bottom, -self.left, self.top) if mirrored else self
        return box.turned((360 - turn) % 360)


def around(boxes: Iterable[Box]) -> Box:
    """Return the smallest box that holds all ``boxes``, of which there is at least one."""
    boxes = list(boxes)
    return Box(
        min(box.left for box in boxes),
        min(box.bottom for box in boxes),
        max(box.right for box in boxes),
        max(box.top for box in boxes),
    )


def shared(low: float, high: float, other_low: float, other_high: float) -> float:
    """Tell how much of each other two intervals cover: 1 if the shorter one lies in the other."""
    shorter = min(high - low, other_high - other_low)
    overlap = min(high, other_high) - max(low, other_low)
    return max(0.0, overlap / shorter) if shorter > 0 else float(overlap >= 0)
