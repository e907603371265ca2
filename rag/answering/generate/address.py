"""Where the model is, and what to say when it fails: never the key, a password or a query."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from rag.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint, a model there, and the seconds that it may take."""

    url: SplitResult = field(repr=False)
    model: str
    key: str | None = field(repr=False)
    timeout: float
    connect_timeout: float

    @property
    def shown_url(self) -> str:
        """The base URL without user name, password, query and fragment."""
        host = self.url.netloc.rpartition("@")[2]
        return f"{self.url.scheme}://{host}{self.url.path}"

    @property
    def place(self) -> str:
        """The model and where it is, for messages."""
        return f"{self.model!r} at {self.shown_url}"

    @property
    def is_loopback(self) -> bool:
        """Whether the endpoint is on this machine."""
        host = self.url.hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    def problem(self, error: Exception, begun: bool) -> str:
        """Return what went wrong, where, and what to do, in one line."""
        import openai

        if isinstance(error, openai.APIStatusError):
            return self._status_problem(error.status_code, self._detail(error.body))
        if isinstance(error, ValueError | openai.APIResponseValidationError):
            return (
                f"The endpoint {self.shown_url} sent what is not a chat completion stream: "
                "check that RAG_LLM_BASE_URL is the address of an OpenAI-compatible API "
                "(it often ends in /v1)."
            )
        if isinstance(error, openai.APIConnectionError) or not isinstance(error, openai.APIError):
            return self._connection_problem(error, begun)
        said = self._detail(error.body) or self._detail(str(error))
        return (
            f"The language model {self.place} failed while it answered{said}: ask again, or look "
            "at the server's log."
        )

    def _connection_problem(self, error: Exception, begun: bool) -> str:
        cause = error.__cause__ or error
        if type(cause).__name__ == "ReadTimeout":
            return (
                f"The language model {self.place} sent nothing for {self.timeout:g} s: the "
                "server may be overloaded. Ask again, or allow more time with RAG_LLM_TIMEOUT."
            )
        if begun:
            return (
                f"The language model {self.place} broke off in the middle of its answer"
                f"{self._detail(str(cause))}. Ask again, or look at the server's log."
            )
        why = self._detail(str(cause))
        if type(cause).__name__ == "ConnectTimeout":
            why = f": no connection within {self.connect_timeout:g} s"
        return (
            f"No language model answers at {self.shown_url}{why}. Start the server, or set "
            "RAG_LLM_BASE_URL to its address."
        )

    def _status_problem(self, status: int, detail: str) -> str:
        match status:
            case 401 | 403 if self.key is None:
                what, advice = "asks for a key", "set RAG_LLM_API_KEY"
            case 401 | 403:
                what, advice = "does not accept the API key", "check RAG_LLM_API_KEY"
            case 404:
                what = f"does not know the model {self.model!r}, or is not the right address"
                advice = "check RAG_LLM_MODEL and RAG_LLM_BASE_URL (it often ends in /v1)"
            case 429:
                what = "accepts no more requests for now"
                advice = "wait a while and ask again, or check the account's limits"
            case _ if status >= 500:
                what, advice = "failed", "look at the server's log, or ask again later"
            case _ if status < 400:
                what, advice = "points to another address", "set RAG_LLM_BASE_URL to that one"
            case _:
                what = f"refuses the request for the model {self.model!r}"
                advice = "check RAG_LLM_MODEL and that its context holds the passages"
        return f"The endpoint {self.shown_url} {what} (status {status}{detail}): {advice}."

    def _detail(self, body: object) -> str:
        """The server's own words, as ``": words"``, safe to print; empty when there are none.

        Secrets are cut out first, since some servers quote the key they refuse.
        """
        if isinstance(body, Mapping):
            body = next((body[k] for k in ("message", "detail", "error") if body.get(k)), None)
        if not isinstance(body, str) or body.lstrip().startswith("<"):
            return ""
        for secret in (self.key, self.url.password, unquote(self.url.password or "")):
            body = body.replace(secret, "***") if secret else body
        line = " ".join("".join(c if c.isprintable() else " " for c in body).split()).rstrip(".")
        return f": {line[:200]}" if line else ""


def checked_url(base_url: str) -> SplitResult:
    """Return the parts of a base URL; :class:`SettingsError` if nothing can be there."""
    try:
        url = urlsplit(base_url.strip())
        url = url._replace(path=url.path.rstrip("/"))
        valid = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
        valid = valid and not re.search(r"\s", base_url.strip())
    except ValueError:
        valid = False
    if not valid:
        shown = re.sub(r"[?#].*", "", base_url.strip().rpartition("@")[2], flags=re.DOTALL)
        raise SettingsError(
            f"The language model's address {shown!r} is not a URL with a host: set "
            "RAG_LLM_BASE_URL to one like http://127.0.0.1:8080/v1."
        )
    return url


def checked_key(api_key: str | None) -> str | None:
    """Return the key without blanks around it; None for none. The message never shows it."""
    key = (api_key or "").strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise SettingsError(
            "The API key holds a blank, a line break or a letter that no key has: check "
            "RAG_LLM_API_KEY."
        )
    return key or None
