"""Takes from a process what reading a document does not need: memory, files, network, programs.

Each measure is the operating system's own and cannot be taken back by the process. What the system
does not offer is left out, and :func:`confine` tells what could be had: limits of resources on any
POSIX system; on Linux also Landlock (no file but the program's own can be opened) and a filter of
system calls (no socket, no program, no other process).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

MEGABYTE = 1 << 20
OUT_OF_MEMORY = 77
"""Exit code of a worker that could not even take in a file."""
MOST_OPEN_FILES = 128

_SYSTEM_FILES = (
    "/usr /lib /lib64 /bin /etc/ld.so.cache /etc/ld.so.conf /etc/localtime /etc/mime.types "
    "/etc/fonts /etc/alternatives /dev/null /dev/zero /dev/urandom /nix/store"
).split()
"""What a program and its libraries may want to read. Nothing of a user stands there."""


def confine(memory_mb: int, readable: Sequence[str], scratch: Path | None = None) -> list[str]:
    """Confine this process, for good; returns the names of the measures that are in force.

    It may use ``memory_mb`` (MiB) of memory of its own, read below ``readable`` and where the
    system keeps programs and libraries, and write below ``scratch`` only; without it nothing is
    written and no program is started.
    """
    measures: list[tuple[str, Callable[[], None]]] = [
        ("memory", lambda: _limit_memory(memory_mb)),
        ("resources", lambda: _limit_resources(scratch, memory_mb)),
    ]
    if sys.platform == "linux":
        measures += [
            ("files", lambda: _limit_files([*_SYSTEM_FILES, *readable], scratch)),
            ("calls", lambda: _limit_calls(programs=scratch is not None)),
        ]
    in_force = []
    for name, apply in measures:
        with contextlib.suppress(OSError, ImportError, ValueError):
            apply()
            in_force.append(name)
    return in_force


def allow_seconds(seconds: int) -> None:
    """Let this process compute for so many seconds more, whatever it has used."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + seconds + 1
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


def _limit_memory(memory_mb: int) -> None:
    import resource

    size = memory_mb * MEGABYTE
    # On Linux what is written to counts; elsewhere addresses, which libraries also reserve.
    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    resource.setrlimit(kind, (size, size))


def _limit_resources(scratch: Path | None, memory_mb: int) -> None:
    import resource

    if sys.platform == "linux":  # if memory runs out all the same, this process is the one to go
        Path("/proc/self/oom_score_adj").write_text("1000")
    written = memory_mb * MEGABYTE if scratch else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_OPEN_FILES, MOST_OPEN_FILES))


# Landlock (linux/landlock.h). Its system calls have the same numbers on every architecture.

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = (1 << bit for bit in range(4))
_KNOWN_BY_ABI = (0, 13, 14, 15, 15, 16)
"""How many kinds of access to files each version of the interface knows."""


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def _limit_files(readable: Iterable[str], scratch: Path | None) -> None:
    """Only what stands below ``readable`` can be opened, and only ``scratch`` be written to."""
    version = _call(_CREATE_RULESET, None, 0, 1)
    everything = (1 << _KNOWN_BY_ABI[min(version, len(_KNOWN_BY_ABI) - 1)]) - 1
    ruleset = _Ruleset(everything, 0, 0)
    size = 8
    if version >= 4:
        ruleset.handled_access_net, size = 0b11, 16  # no TCP port, to bind or to connect to
    if version >= 6:
        ruleset.scoped, size = 0b11, 24  # no signal to, and no abstract socket of, others
    rules = _call(_CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    try:
        reading = _READ_FILE | _READ_DIR | (_EXECUTE if scratch else 0)
        for path in dict.fromkeys(readable):
            _allow(rules, path, reading)
        if scratch is not None:
            _allow(rules, str(scratch), everything & ~_EXECUTE)
            _allow(rules, os.devnull, _READ_FILE | _WRITE_FILE)  # where programs' output goes
        _no_new_privileges()
        _call(_RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: str, access: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # not on this system
        return
    try:
        if not Path(path).is_dir():
            access &= _EXECUTE | _WRITE_FILE | _READ_FILE
        rule = _PathBeneath(access, handle)
        _call(_ADD_RULE, rules, 1, ctypes.byref(rule), 0)
    finally:
        os.close(handle)


# Seccomp (linux/seccomp.h, linux/filter.h): what is denied fails with EPERM.

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_DENIED = {  # number on x86_64, on aarch64
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "accept": (43, 202),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept4": (288, 242),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "mount": (165, 40),
    "umount2": (166, 39),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
}
_DENIED_WITHOUT_PROGRAMS = {"execve": (59, 221), "execveat": (322, 281), "kill": (62, 129)}
_X32_CALLS = 0x4000_0000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _FAIL, _EPERM = 0x7FFF_0000, 0x0005_0000, 1
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 22, 38


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("then", ctypes.c_uint8),
        ("otherwise", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def _limit_calls(*, programs: bool) -> None:
    machine = _MACHINES.get(platform.machine())
    if machine is None or ctypes.sizeof(ctypes.c_void_p) != 8:
        raise OSError("no table of system calls for this machine")
    architecture, column = machine
    denied = _DENIED if programs else _DENIED | _DENIED_WITHOUT_PROGRAMS
    numbers = [numbers[column] for numbers in denied.values()]
    count = len(numbers)
    code = [  # a jump says how many instructions to leave out
        _Instruction(_LOAD, 0, 0, 4),  # the architecture that the call is made for
        _Instruction(_EQUAL, 0, count + 3, architecture),
        _Instruction(_LOAD, 0, 0, 0),  # the call's number
        _Instruction(_AT_LEAST, count + 1, 0, _X32_CALLS),
        *(_Instruction(_EQUAL, count - i, 0, number) for i, number in enumerate(numbers)),
        _Instruction(_RETURN, 0, 0, _ALLOW),
        _Instruction(_RETURN, 0, 0, _FAIL | _EPERM),
    ]
    block = (_Instruction * len(code))(*code)
    _no_new_privileges()
    _control(_PR_SET_SECCOMP, 2, ctypes.byref(_Program(len(code), block)))


def _no_new_privileges() -> None:
    _control(_PR_SET_NO_NEW_PRIVS, 1, 0)


def _control(*arguments: object) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(*_as_registers(arguments, 5)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _call(*arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    result: int = library.syscall(*_as_registers(arguments, 7))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {arguments[0]}")
    return result


def _as_registers(arguments: Sequence[object], count: int) -> list[object]:
    """Arguments in full width, and zeros for those that are not used."""
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return given + [ctypes.c_long(0)] * (count - len(given))
