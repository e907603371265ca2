"""Which words of a question its passage does not bear out: those that an edit changed.

That a whole question has no answer says little of why. Told the words as well, the reader learns
to hold each of them against the passage.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

Doubted = tuple[str, ...] | None
"""Words of a question that its passage does not bear out; None where that is not known."""

UNKNOWN = -1
_EDGES = "?.,;:!\"'“”‘’()"


def put_in(before: str, after: str) -> Doubted:
    """Return the runs of words of `after` that `before` lacks there; None if there are none."""
    old, new = before.split(), after.split()
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    lacking = [new[low:high] for step, _, _, low, high in steps if step in ("replace", "insert")]
    runs = [" ".join(words).strip(_EDGES) for words in lacking]
    return tuple(run for run in runs if run) or None


def labels(question: str, offsets: Sequence[tuple[int, int]], doubted: Doubted) -> list[int]:
    """Return for each word piece of a question 1 if it is doubted, 0 if not, or all `UNKNOWN`.

    They are unknown too where noise has made words of `doubted` hard to find.
    """
    if doubted is None:
        return [UNKNOWN] * len(offsets)
    marked = [0] * len(offsets)
    for run in doubted:
        found = re.search(rf"(?<!\w){re.escape(run)}(?!\w)", question, re.I)
        if found is None:
            return [UNKNOWN] * len(offsets)
        for i, (start, end) in enumerate(offsets):
            if start < found.end() and end > found.start():
                marked[i] = 1
    return marked
