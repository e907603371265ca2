"""From where: the names that this server goes by, and the pages that may send it requests.

A site that has its own name resolve to this machine (DNS rebinding) gives itself away by the
``Host`` header, a page of another origin by ``Origin`` or ``Sec-Fetch-Site``. Pure functions.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from rag.errors import SettingsError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?)\.?(?::(\d{1,5}))?")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def parse_host(header: str) -> tuple[str, int | None] | None:
    """Name, in lower case and without brackets, and port of a ``Host`` header; None for none."""
    match = _AUTHORITY.fullmatch(header.strip().lower())
    if match is None:
        return None
    return match[1].strip("[]"), int(match[2]) if match[2] else None


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names of a server: those in ``names``, and its addresses where ``any_address``.

    An address cannot be rebound: the page that sends a request to one was served from it.
    """

    names: frozenset[str]
    any_address: bool

    @classmethod
    def of(cls, host: str, more: Iterable[str] = ()) -> Hosts:
        """The names of a server that listens on ``host``; ``more`` are those of a proxy."""
        names = {*LOOPBACK, *map(_checked, more)}
        if is_loopback(host):
            return cls(frozenset({*names, host.lower()}), any_address=False)
        own = socket.gethostname().lower()
        return cls(frozenset({*names, host.lower(), own, f"{own}.local"}), any_address=True)

    def know(self, header: str) -> bool:
        """Whether a ``Host`` header names this server."""
        parsed = parse_host(header)
        if parsed is None:
            return False
        return parsed[0] in self.names or (self.any_address and _is_address(parsed[0]))


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies whose word is taken for where a request comes from."""

    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    @classmethod
    def of(cls, listed: str) -> Proxies:
        """Those of ``RAG_TRUSTED_PROXIES``: addresses or networks, with commas between."""
        try:
            networks = [ipaddress.ip_network(part) for part in listed.replace(",", " ").split()]
        except ValueError as error:
            raise SettingsError(
                f"RAG_TRUSTED_PROXIES is {listed!r} ({error}): list addresses or networks such as "
                "127.0.0.1 or 10.0.0.0/8, with commas between them"
            ) from None
        return cls(tuple(networks))

    def client(self, peer: str, forwarded: str) -> str:
        """Who asks: the last in ``X-Forwarded-For`` that is no proxy of these, or ``peer``."""
        client = peer
        for said in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            if not self._know(client):
                break
            client = said
        return client

    def _know(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.networks)


def is_same_origin(origin: str, host: str) -> bool:
    """Whether an ``Origin`` header is that of the page that ``host``, a ``Host`` header, serves."""
    parsed = parse_host(host)
    try:
        url = urlsplit(origin)
        default = _DEFAULT_PORTS[url.scheme]
        theirs = (url.hostname, url.port or default)
    except (KeyError, ValueError):  # "null", other schemes, what is no origin
        return False
    return parsed is not None and theirs == (parsed[0], parsed[1] or default)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _checked(name: str) -> str:
    parsed = parse_host(name)
    if parsed is None or parsed[1] is not None:
        raise SettingsError(
            f"RAG_ALLOWED_HOSTS names {name!r}, which is no host name: list names such as "
            "docs.example.org, with commas between them and without ports"
        )
    return parsed[0]
