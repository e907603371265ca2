"""Takes the capabilities of Linux from a process: what root may do beyond its own files."""

from __future__ import annotations

import contextlib
import ctypes
import platform

from rag.sandbox.linux import control, no_new_privileges, system_call

_CAPGET_AND_CAPSET = {"x86_64": (125, 126), "aarch64": (90, 91)}
_VERSION_3 = 0x2008_0522
_PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL = 24, 47, 4
_MAX_CAPABILITY = 64
_DAC_READ_SEARCH = 1 << 2


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable"))


def drop_privileges(*, keep_reading: bool) -> None:
    """Give up all capabilities, for this process and the programs that it starts.

    ``keep_reading`` keeps the one to read what belongs to other users, which root needs where
    the packages are installed below another's home: only where files are limited otherwise.
    """
    calls = _CAPGET_AND_CAPSET.get(platform.machine())
    if calls is None:
        raise OSError("no table of system calls for this machine")
    no_new_privileges()
    for capability in range(_MAX_CAPABILITY):
        with contextlib.suppress(OSError):  # unknown to this kernel; or not root, who has none
            control(_PR_CAPBSET_DROP, capability)
    with contextlib.suppress(OSError):
        control(_PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
    capget, capset = calls
    header, sets = _Header(_VERSION_3, 0), (_Sets * 2)()
    system_call(capget, ctypes.byref(header), ctypes.byref(sets))
    kept = sets[0].permitted & (_DAC_READ_SEARCH if keep_reading else 0)
    sets[0], sets[1] = _Sets(kept, kept, 0), _Sets(0, 0, 0)
    system_call(capset, ctypes.byref(header), ctypes.byref(sets))
