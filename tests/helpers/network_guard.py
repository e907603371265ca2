"""A pytest plugin: fails a test that reaches for another host."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from typing import Any

import pytest

_reached: list[str] = []


def _is_local(host: Any) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host if isinstance(host, str) else host.decode()).is_loopback
    except ValueError:
        return False


def _watch_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not _is_local(host):
        _reached.append(str(host))
        raise OSError(f"the tests' network guard refused {host!r}")


sys.addaudithook(_watch_network)


@pytest.fixture(autouse=True)
def reached_hosts() -> Iterator[list[str]]:
    """Fails the test at its end if it tried to reach a host, even if the error was swallowed."""
    _reached.clear()
    yield _reached
    hosts = list(_reached)
    _reached.clear()
    assert not hosts, f"the test tried to reach {hosts}"
