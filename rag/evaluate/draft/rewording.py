"""A language model words drafts better; what it writes is kept only if it is still the question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from rag.errors import GeneratorError
from rag.evaluate.draft.drafting import Draft
from rag.evaluate.draft.names import find_names
from rag.types import Progress

MAX_LENGTH = 300
"""Characters of a reworded question."""

_REQUEST = (
    "Reword the question below so that it reads naturally and still asks for exactly the same. "
    "Keep all names and numbers. Reply with the question alone, in one line, and do not answer "
    "it.\n\n{question}"
)


class Writer(Protocol):
    """A language model that does as it is told."""

    def write(self, request: str) -> Iterator[str]:
        """Return the pieces of the reply. Raises :class:`rag.errors.GeneratorError`."""


def reworded(
    drafts: Sequence[Draft], writer: Writer, progress: Progress | None = None
) -> Iterator[Draft]:
    """Yield the drafts, each with a better wording where the model gave an acceptable one.

    Raises :class:`rag.errors.GeneratorError`, which names the question, where the model fails.
    """
    used = {draft.question.question.casefold() for draft in drafts}
    for done, draft in enumerate(drafts, start=1):
        reply = _reply(draft, writer)
        if is_acceptable(reply, draft) and reply.casefold() not in used:
            used.add(reply.casefold())
            yield replace(draft, question=replace(draft.question, question=reply))
        else:
            yield draft
        if progress:
            progress("Rewording", done, len(drafts))


def is_acceptable(reply: str, draft: Draft) -> bool:
    """One line that ends in a question mark, with the names and numbers and not the answer."""
    question, answer = draft.question.question, draft.answer
    kept = {question[a:b] for a, b in find_names(question)} - {question.split()[0]}
    kept |= set(re.findall(r"\d[\d,.]*\d|\d", question))
    return (
        "\n" not in reply
        and reply.endswith("?")
        and len(reply) <= MAX_LENGTH
        and all(_holds(reply, words) for words in kept)
        and not (answer and _holds(reply.casefold(), answer.casefold()))
    )


def _holds(text: str, words: str) -> bool:
    """Whether ``words`` stand in ``text`` as whole words."""
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None


def _reply(draft: Draft, writer: Writer) -> str:
    asked = draft.question.question
    try:
        written = "".join(writer.write(_REQUEST.format(question=asked)))
    except GeneratorError as error:
        raise GeneratorError(f"rewording {asked!r}: {error}") from error
    return written.strip().strip('"“”').strip()
