"""A language model words drafts better; what it writes is kept only if it is still the question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from rag.cite import MARKER
from rag.draft.drafting import Draft
from rag.draft.names import find_names
from rag.types import Generator

LONGEST = 300
"""Characters of a reworded question."""

_REQUEST = (
    "Reword the question below so that it reads naturally and still asks for exactly the same. "
    "Keep all names and numbers. Reply with the question alone, in one line, and do not answer "
    "it.\n{question}"
)


def reworded(drafts: Iterable[Draft], generator: Generator) -> Iterator[Draft]:
    """The drafts, each with a better wording where the model gave an acceptable one.

    Raises :class:`rag.errors.GeneratorError` where the model cannot be reached.
    """
    drafts = list(drafts)
    used = {draft.question.question.casefold() for draft in drafts}
    for draft in drafts:
        reply = _reply(draft, generator)
        if is_acceptable(reply, draft) and reply.casefold() not in used:
            used.add(reply.casefold())
            yield replace(draft, question=replace(draft.question, question=reply))
        else:
            yield draft


def is_acceptable(reply: str, draft: Draft) -> bool:
    """One line that ends in a question mark, with the names and numbers and not the answer."""
    question, answer = draft.question.question, draft.answer
    kept = {question[a:b] for a, b in find_names(f"x {question}"[2:])} - {question.split()[0]}
    kept |= set(re.findall(r"\d[\d,.]*\d|\d", question))
    return (
        "\n" not in reply
        and reply.endswith("?")
        and len(reply) <= LONGEST
        and all(words in reply for words in kept)
        and not (answer and answer.casefold() in reply.casefold())
    )


def _reply(draft: Draft, generator: Generator) -> str:
    request = _REQUEST.format(question=draft.question.question)
    written = "".join(generator.generate(request, [draft.statement]))
    return MARKER.sub("", written).strip().strip('"“”').strip()
