"""Who may ask: a password for the page, a token for programs, sessions, and a limit on guessing."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Callable
from typing import Literal

from cachetools import TTLCache

from rag.errors import SettingsError

MIN_SECRET_LENGTH = 8
"""Characters of a password or a token. A guesser has :data:`MAX_FAILURES` tries a while."""

SESSION_SECONDS = 24 * 3600
MAX_SESSIONS = 10_000

MAX_FAILURES = 10
"""Wrong tries that an address has within :data:`FORGET_SECONDS`; then it is not listened to."""

FORGET_SECONDS = 600
_MAX_ADDRESSES = 100_000

Kind = Literal["password", "token"]


class Access:
    """Knows the secrets, only as digests, and who has shown one.

    A password opens the page, a token the API; either does for both where it is the only one.
    Without any, everybody may ask. ``clock`` gives seconds.

    Wrong tries count against the address that they come from, passwords and tokens apart, and
    keep no other out; nor do they end a session, or keep out a program whose address has shown
    the token within :data:`SESSION_SECONDS`.
    """

    def __init__(
        self, password: str = "", token: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        for name, secret in (("RAG_PASSWORD", password), ("RAG_TOKEN", token)):
            if secret and len(secret) < MIN_SECRET_LENGTH:
                raise SettingsError(
                    f"{name} is too short to be safe: use at least {MIN_SECRET_LENGTH} characters"
                )
        self._key = secrets.token_bytes(32)
        self._password = self._digest(password or token)
        self._token = self._digest(token or password)
        self.is_required = bool(password or token)
        self._sessions: TTLCache[bytes, bool] = TTLCache(MAX_SESSIONS, SESSION_SECONDS, clock)
        self._failures: TTLCache[tuple[Kind, str], int] = TTLCache(
            _MAX_ADDRESSES, FORGET_SECONDS, clock
        )
        self._programs: TTLCache[str, bool] = TTLCache(MAX_SESSIONS, SESSION_SECONDS, clock)

    def __repr__(self) -> str:
        return f"Access(is_required={self.is_required})"

    def log_in(self, password: str, address: str) -> str | None:
        """A new session's name for the right password; None for a wrong one, which is counted."""
        if not self._is_right("password", password, self._password, address):
            return None
        name = secrets.token_urlsafe(32)
        self._sessions[self._digest(name)] = True
        return name

    def log_out(self, session: str) -> None:
        """End a session, if it is one."""
        self._sessions.pop(self._digest(session), None)

    def is_session(self, name: str) -> bool:
        """Whether ``name`` is that of a session that has not ended."""
        return self._digest(name) in self._sessions

    def is_token(self, token: str, address: str) -> bool:
        """Whether it is the right token; a wrong one is counted."""
        if not self._is_right("token", token, self._token, address):
            return False
        self._programs[_network(address)] = True
        return True

    def is_blocked(self, kind: Kind, address: str) -> bool:
        """Whether too many wrong tries came from there to listen to more."""
        return self._failures.get((kind, _network(address)), 0) >= MAX_FAILURES

    def _is_right(self, kind: Kind, given: str, secret: bytes, address: str) -> bool:
        network = _network(address)
        is_known = kind == "token" and network in self._programs
        is_blocked = self.is_blocked(kind, address)
        if is_blocked and not is_known:
            return False
        if self.is_required and hmac.compare_digest(self._digest(given), secret):
            return True
        if not is_blocked:
            self._failures[kind, network] = self._failures.get((kind, network), 0) + 1
        return False

    def _digest(self, secret: str) -> bytes:
        """Equal for equal secrets, of one length: comparing it tells nothing by its time."""
        return hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _network(address: str) -> str:
    """The address, or the network of an IPv6 address, of which a guesser has no end."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
