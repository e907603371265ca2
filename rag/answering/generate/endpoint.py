"""Any OpenAI-compatible endpoint, through the ``openai`` client."""

from __future__ import annotations

import base64
import importlib
import ssl
from collections import abc
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from rag.answering.generate.address import Endpoint, checked_key, checked_url
from rag.answering.generate.prompt import make_messages
from rag.answering.generate.stream import ReasoningFilter, read_piece, unfinished
from rag.errors import GeneratorError, SettingsError

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletionMessageParam

CUT_MARK = " …"
"""Ends an answer that the model could not finish within ``max_tokens``."""

MAX_RETRY_AFTER = 20.0
"""Seconds. A server that asks for a longer wait before the next try gets none; the user is told."""

_HEADERS_SENT = frozenset(
    "accept accept-encoding connection content-length content-type host user-agent".split()
)


class OpenAIGenerator:
    """Streams answers from an OpenAI-compatible endpoint through the ``openai`` client.

    ``base_url`` is the address above ``/chat/completions``; a user name and password in it are
    sent as basic authentication when there is no ``api_key``, and its query goes with every
    request. ``timeout`` (seconds) is the longest silence allowed before and between pieces, and
    ``connect_timeout`` the longest wait for a connection. A refused or lost connection, a
    time-out, status 408, 409, 429 and 5xx are tried again ``max_retries`` times, only as long as
    the answer has not begun, so the wait for a silent server is at most
    ``timeout * (max_retries + 1)`` and the pauses between. ``max_tokens`` and ``temperature``
    are left out of the request when None, for models that refuse them.

    Nothing but the request goes out: no header and no key from ``OPENAI_*`` variables, no
    redirect is followed, and a loopback endpoint is never reached through a proxy.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None = None,
        timeout: float = 60.0,
        connect_timeout: float = 5.0,
        max_retries: int = 2,
        *,
        max_tokens: int | None = 512,
        temperature: float | None = 0.0,
    ) -> None:
        """Raises :class:`rag.errors.SettingsError` for a URL, model or key that cannot work."""
        if not model.strip():
            raise SettingsError("The language model has no name: set RAG_LLM_MODEL.")
        self._address = Endpoint(
            checked_url(base_url), model.strip(), checked_key(api_key), timeout, connect_timeout
        )
        self._max_retries = max_retries
        limits = {"max_tokens": max_tokens, "temperature": temperature}
        self._options = {name: value for name, value in limits.items() if value is not None}

    def __repr__(self) -> str:
        return (
            f"OpenAIGenerator(base_url={self._address.shown_url!r}, model={self._address.model!r})"
        )

    @property
    def name(self) -> str:
        """The model's name at the endpoint."""
        return self._address.model

    def generate(self, question: str, passages: Sequence[str]) -> abc.Generator[str, None, None]:
        """Return the pieces of the answer as they come, without reasoning blocks.

        ``passages`` are [1], [2]...

        Closing the iterator closes the connection. Raises :class:`rag.errors.GeneratorError`
        while iterating, also after the first pieces; ValueError when there are no passages.
        """
        if not passages:
            raise ValueError("no passages to answer from")
        return self._answer(make_messages(question, passages))

    def write(self, request: str) -> abc.Generator[str, None, None]:
        """Return the pieces of the reply to a request as it stands, which no passages go with.

        Raises what :meth:`generate` does.
        """
        return self._answer([{"role": "user", "content": request}])

    def _answer(self, messages: list[ChatCompletionMessageParam]) -> abc.Generator[str, None, None]:
        visible = ReasoningFilter()
        finish = ""
        with closing(self._pieces(messages)) as pieces:
            for piece, reason in pieces:
                finish = reason or finish
                if text := visible.feed(piece):
                    yield text
        if text := visible.close():
            yield text
        if problem := unfinished(finish, empty=not visible.begun):
            raise GeneratorError(f"The language model {self._address.place} {problem}.")
        if finish == "length":
            yield CUT_MARK

    def _pieces(
        self, messages: list[ChatCompletionMessageParam]
    ) -> abc.Generator[tuple[str, str], None, None]:
        """The stream as :func:`read_piece` reads it; its failures become GeneratorError."""
        begun = False
        options: dict[str, Any] = self._options
        try:
            with (
                self._client() as client,
                client.chat.completions.create(
                    model=self._address.model, messages=messages, stream=True, **options
                ) as stream,
            ):
                for chunk in stream:
                    yield read_piece(chunk)
                    begun = True
            return
        except _client_errors() as error:
            problem = self._address.problem(error, begun)
        # Raised outside the handler: the original error, which may quote the key, is not chained.
        raise GeneratorError(problem)

    def _client(self) -> openai.OpenAI:
        """A client for one answer, so that no idle connection is left behind."""
        import openai

        url = self._address.url
        wait = openai.Timeout(self._address.timeout, connect=self._address.connect_timeout)
        http = openai.DefaultHttpxClient(
            timeout=wait,
            follow_redirects=False,
            trust_env=not self._address.is_loopback,
            # Over plain HTTP no certificate is needed: trust none, and save the time to load them.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            if self._address.url.scheme == "http"
            else True,
            event_hooks={"request": [self._clean_headers], "response": [_no_long_wait]},
        )
        return openai.OpenAI(
            base_url=self._address.shown_url,
            api_key=self._address.key or "none",
            organization="",
            project="",
            timeout=wait,
            max_retries=self._max_retries,
            default_query=dict(parse_qsl(url.query, keep_blank_values=True)),
            http_client=http,
        )

    def _clean_headers(self, request: Any) -> None:
        """Leaves only the headers that HTTP needs, and the authorization the user asked for."""
        for name in set(request.headers) - _HEADERS_SENT:
            del request.headers[name]
        if self._address.key is not None:
            request.headers["authorization"] = f"Bearer {self._address.key}"
        elif self._address.url.username is not None:
            login = (
                f"{unquote(self._address.url.username)}:{unquote(self._address.url.password or '')}"
            )
            request.headers["authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"


def _client_errors() -> tuple[type[Exception], ...]:
    """What a request may raise. Some versions of the client let its HTTP library's errors out."""
    import openai

    http = importlib.import_module(openai.DefaultHttpxClient.__bases__[0].__module__)  # httpx(2)
    return (openai.OpenAIError, http.HTTPError, OSError, ValueError)


def _no_long_wait(response: Any) -> None:
    """Keeps the client from a retry for which the server wants a wait that no reader would."""
    try:
        wait = float(response.headers.get("retry-after", "0"))
    except ValueError:
        return
    if wait > MAX_RETRY_AFTER:
        response.headers["x-should-retry"] = "false"
