"""All settings, in one frozen dataclass. Only the edges read the environment and arguments."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from rag.errors import SettingsError
from rag.fusion import FUSIONS

ENV_PREFIX = "RAG_"
ANSWERERS = ("extractive", "llm")
CALIBRATIONS = ("fitted", "shipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be set; each field is also the environment variable ``RAG_<NAME>``.

    Raises :class:`SettingsError` for a value out of range. ``embedder``, ``chunk_tokens`` and
    ``chunk_overlap`` are part of the index: changing them asks for ``rag index --rebuild``.
    """

    embedder: str = "all-MiniLM-L6-v2"
    """The bundled model, ``multilingual-e5-small`` (94 languages), ``hashing`` (no model, for
    tests), or any sentence-transformers model."""
    chunk_tokens: int = 160
    """Size of a chunk, in tiktoken ``cl100k_base`` tokens."""
    chunk_overlap: int = 1
    """Sentences that a chunk shares with the one before."""
    store: str = "local"
    """Where the index is held: a key of :data:`rag.store.backend.BACKENDS`, where it is checked."""
    top_k: int = 5
    """Passages that are read to answer a question."""
    fusion: str = "adaptive"
    """How scores by meaning and by words become one: see :data:`rag.fusion.FUSIONS`."""
    answerer: str = "extractive"
    """``extractive`` (the documents' own words) or ``llm`` (needs ``llm_base_url``)."""
    target_precision: float = 0.616
    """Share of the answers that should be right: a higher one refuses more. It is reached on the
    development sets (``docs/quality.md``); 0 answers always, 1 hardly ever."""
    calibration: str = "fitted"
    """``fitted``: the probabilities are those of ``rag calibrate``, if it was run on the index;
    ``shipped``: those that ship in any case."""
    llm_base_url: str = ""
    """Base URL of an OpenAI-compatible endpoint, such as ``http://127.0.0.1:8080/v1``."""
    llm_model: str = ""
    llm_api_key: str = field(default="", repr=False)
    llm_timeout: float = 60.0
    """Seconds to wait for the next piece of the model's answer."""
    llm_max_tokens: int = 512
    """Longest answer of the model, in its own tokens."""

    load_memory_mb: int = 1536
    """Memory that reading one file may take, in MiB; a file that needs more is reported."""
    load_seconds: float = 120.0
    """Seconds that reading one file may take."""
    max_chunks_per_file: int = 60_000
    """Chunks that a file may have, an archive with all that is in it; one of more is reported.
    A book of 2,000 pages has 8,000 in English, and up to 54,000 in other scripts (Hindi)."""

    password: str = field(default="", repr=False)
    """Asked for by the page, wherever it is set; needed to serve on more than loopback."""
    token: str = field(default="", repr=False)
    """Asked for by the API; without one, the password is."""
    allowed_hosts: str = ""
    """Names beside its own that the server goes by, such as that of a proxy; commas between."""
    trusted_proxies: str = ""
    """Addresses or networks of proxies whose ``X-Forwarded-For`` is believed; commas between."""

    def __post_init__(self) -> None:
        self._require("embedder", bool(self.embedder.strip()), "name a model")
        self._require("chunk_tokens", 16 <= self.chunk_tokens <= 8192, "use 16 to 8192")
        self._require("chunk_overlap", 0 <= self.chunk_overlap <= 10, "use 0 to 10")
        self._require("top_k", 1 <= self.top_k <= 100, "use 1 to 100")
        self._require("fusion", self.fusion in FUSIONS, f"use {', '.join(FUSIONS)}")
        self._require("answerer", self.answerer in ANSWERERS, f"use {' or '.join(ANSWERERS)}")
        known = " or ".join(CALIBRATIONS)
        self._require("calibration", self.calibration in CALIBRATIONS, f"use {known}")
        self._require("target_precision", 0.0 <= self.target_precision <= 1.0, "use 0 to 1")
        self._require("llm_timeout", self.llm_timeout > 0, "use a number of seconds above 0")
        self._require("llm_max_tokens", self.llm_max_tokens >= 1, "use at least 1")
        self._require("load_memory_mb", 64 <= self.load_memory_mb <= 1 << 20, "use 64 to 1048576")
        self._require("load_seconds", 0 < self.load_seconds <= 86_400, "use 1 to 86400")
        self._require("max_chunks_per_file", self.max_chunks_per_file >= 1, "use at least 1")
        if self.answerer == "llm" and not self.llm_base_url:
            raise SettingsError(
                "answerer 'llm' needs an endpoint: set RAG_LLM_BASE_URL and RAG_LLM_MODEL"
            )
        if self.llm_base_url and not self.llm_model:
            raise SettingsError("llm_base_url is set but llm_model is not: set RAG_LLM_MODEL")

    def _require(self, name: str, holds: bool, advice: str) -> None:
        if not holds:
            raise SettingsError(f"setting {name} is {getattr(self, name)!r}: {advice}")

    @classmethod
    def from_env(cls, env: Mapping[str, str], **overrides: Any) -> Self:
        """Return the settings from ``RAG_*`` variables; ``overrides`` that are not None win.

        Raises :class:`SettingsError` for an unknown ``RAG_*`` variable or an unreadable value.
        """
        types = cls.types()
        values: dict[str, Any] = {}
        for variable, raw in env.items():
            if not variable.startswith(ENV_PREFIX):
                continue
            name = variable.removeprefix(ENV_PREFIX).lower()
            if name not in types:
                raise SettingsError(_unknown(variable, list(types)))
            values[name] = convert(variable, raw, types[name])
        values.update({k: v for k, v in overrides.items() if v is not None})
        return cls(**values)

    @classmethod
    def types(cls) -> dict[str, type]:
        """Return the type of each setting's value, by its name."""
        return {f.name: type(f.default) for f in fields(cls)}


def _unknown(variable: str, names: list[str]) -> str:
    known = [ENV_PREFIX + name.upper() for name in names]
    close = difflib.get_close_matches(variable, known, n=1)
    advice = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return f"unknown setting {variable} in the environment: {advice}"


def convert(variable: str, raw: str, kind: type) -> Any:
    """Return ``raw`` as a ``kind``. Raises :class:`SettingsError`, which names the ``variable``."""
    try:
        return kind(raw.strip())
    except ValueError:
        # The value itself is not repeated: it may be a key put into the wrong variable.
        expected = {int: "a whole number", float: "a number"}.get(kind, kind.__name__)
        raise SettingsError(f"{variable} must be {expected}") from None
