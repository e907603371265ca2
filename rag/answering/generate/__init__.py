"""Language models that write an answer from numbered passages (the port ``Generator``).

:class:`OpenAIGenerator` speaks to any OpenAI-compatible endpoint; :class:`ScriptedGenerator` says
what it was told to say and records what it was asked, for tests. Whatever a model writes is only
a claim: :mod:`rag.answering.cite` checks its markers before anything is shown.
"""

from rag.answering.generate.endpoint import OpenAIGenerator
from rag.answering.generate.scripted import ScriptedGenerator
from rag.settings import Settings

__all__ = ["OpenAIGenerator", "ScriptedGenerator", "make_generator"]


def make_generator(settings: Settings) -> OpenAIGenerator | None:
    """Return the language model that the settings name; None where they name none."""
    if not settings.llm_base_url:
        return None
    return OpenAIGenerator(
        settings.llm_base_url,
        settings.llm_model,
        settings.llm_api_key or None,
        timeout=settings.llm_timeout,
        max_tokens=settings.llm_max_tokens,
    )
