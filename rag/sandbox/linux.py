"""Calls of the Linux kernel that Python's library does not have."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence

_PR_SET_NO_NEW_PRIVS = 38


def system_call(*arguments: object) -> int:
    """Make the call of a number, the first argument, and return its result. Raises ``OSError``."""
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    result: int = library.syscall(*_as_registers(arguments, 7))
    return _checked(result, f"system call {arguments[0]}")


def control(*arguments: object) -> int:
    """``prctl``. Raises ``OSError``."""
    library = ctypes.CDLL(None, use_errno=True)
    return _checked(library.prctl(*_as_registers(arguments, 5)), "prctl")


def no_new_privileges() -> None:
    """No program that this process starts gets more rights than it has; asked for by filters."""
    control(_PR_SET_NO_NEW_PRIVS, 1, 0)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _as_registers(arguments: Sequence[object], count: int) -> list[object]:
    """Arguments in full width, and zeros for those that are not used."""
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return given + [ctypes.c_long(0)] * (count - len(given))
