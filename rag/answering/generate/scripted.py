"""A generator that says what it was told to say, for tests."""

from __future__ import annotations

from collections import abc, deque
from collections.abc import Iterable, Sequence


class ScriptedGenerator:
    """A ``Generator`` that gives prepared replies, in order, and records what it was asked.

    >>> generator = ScriptedGenerator()
    >>> generator.enqueue("In 2027 [1].")
    >>> "".join(generator.generate("When?", ["It begins in 2027."]))
    'In 2027 [1].'
    >>> generator.history
    [('When?', ('It begins in 2027.',))]
    """

    def __init__(self, name: str = "scripted") -> None:
        self.name = name
        self.history: list[tuple[str, tuple[str, ...]]] = []
        self._replies: deque[tuple[str | Exception, ...]] = deque()

    def enqueue(self, *reply: str | Exception) -> None:
        """Add one reply: strings come in pieces of 3 characters, an exception is raised there.

        ``enqueue("Half an ans", GeneratorError("gone"))`` is a reply that breaks off.
        """
        self._replies.append(reply)

    def generate(self, question: str, passages: Sequence[str]) -> abc.Generator[str, None, None]:
        """Return the next reply. Raises RuntimeError when none is queued."""
        self.history.append((question, tuple(passages)))
        if not self._replies:
            raise RuntimeError(f"no reply is queued for {question!r}: call enqueue() first")
        return _scripted(self._replies.popleft())

    def write(self, request: str) -> abc.Generator[str, None, None]:
        """Return the next reply, as to a question without passages."""
        return self.generate(request, ())


def _scripted(reply: Iterable[str | Exception]) -> abc.Generator[str, None, None]:
    for part in reply:
        if isinstance(part, Exception):
            raise part
        for start in range(0, len(part), 3):
            yield part[start : start + 3]
