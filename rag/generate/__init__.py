"""Language models that write an answer from numbered passages (the port ``Generator``).

:class:`OpenAIGenerator` speaks to any OpenAI-compatible endpoint; :class:`ScriptedGenerator` says
what it was told to say and records what it was asked, for tests. Whatever a model writes is only
a claim: :mod:`rag.cite` checks its markers before anything is shown.
"""

from rag.generate.endpoint import OpenAIGenerator
from rag.generate.scripted import ScriptedGenerator

__all__ = ["OpenAIGenerator", "ScriptedGenerator"]
