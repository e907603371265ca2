"""The guard itself: a test that reaches for another host fails."""

import shutil
import socket

import pytest
from places import TESTS


def test_another_host_is_refused_and_noted(reached_hosts: list[str]) -> None:
    with socket.socket() as s, pytest.raises(OSError, match="network guard"):
        s.connect(("192.0.2.1", 80))
    with pytest.raises(OSError, match="network guard"):
        socket.getaddrinfo("host.invalid", 80)
    assert reached_hosts == ["192.0.2.1", "host.invalid"]
    reached_hosts.clear()  # or this test would fail, as any other would


def test_loopback_is_open() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as client,
    ):
        assert client.getpeername() == server.getsockname()


@pytest.mark.slow
def test_a_swallowed_attempt_still_fails(pytester: pytest.Pytester) -> None:
    shutil.copy(TESTS / "helpers" / "network_guard.py", pytester.path)
    pytester.makeconftest('pytest_plugins = ["network_guard"]')
    pytester.makepyfile(
        """
        import contextlib, socket
        def test_phones_home():
            with contextlib.suppress(OSError):
                socket.create_connection(("192.0.2.1", 80), timeout=1)
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*tried to reach*192.0.2.1*"])
