"""Which calls of the kernel a process can make: those that reading documents was seen to need.

The list was made of what the loaders, and Tesseract, call on all sample files, and of what the
same libraries call in other versions. Some are allowed with certain arguments only. All others
fail: with ENOSYS if they are young, since libraries then take the older call, else with EPERM.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.sandbox.linux import no_new_privileges, system_call

_MACHINES = {"x86_64": (0xC000003E, 0, 317), "aarch64": (0xC00000B7, 1, 277)}
"""How the kernel names the machine, its column in the tables, and the call ``seccomp``."""

Numbers = tuple[int | None, int | None]

_ALLOWED: dict[str, Numbers] = {  # number on x86_64, on aarch64
    # memory, threads, time
    "brk": (12, 214), "mprotect": (10, 226), "munmap": (11, 215), "mremap": (25, 216),
    "madvise": (28, 233), "futex": (202, 98), "set_robust_list": (273, 99), "rseq": (334, 293),
    "set_tid_address": (218, 96), "arch_prctl": (158, None), "membarrier": (324, 283),
    "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "getcpu": (309, 168),
    "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "clock_gettime": (228, 113),
    "clock_getres": (229, 114), "gettimeofday": (96, 169), "time": (201, None),
    "getrandom": (318, 278), "exit": (60, 93), "exit_group": (231, 94),
    # signals to itself
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132), "restart_syscall": (219, 128),
    # files that are open, and looking at those that may be opened
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66),
    "pread64": (17, 67), "pwrite64": (18, 68), "lseek": (8, 62), "dup": (32, 23),
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    "stat": (4, None), "lstat": (6, None), "fstat": (5, 80), "newfstatat": (262, 79),
    "statx": (332, 291), "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439),
    "readlink": (89, None), "readlinkat": (267, 78), "getdents64": (217, 61), "getcwd": (79, 17),
    "statfs": (137, 43), "fstatfs": (138, 44), "fadvise64": (221, 223),
    # about itself
    "getpid": (39, 172), "gettid": (186, 178), "getppid": (110, 173), "getpgrp": (111, None),
    "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177),
    "getrusage": (98, 165), "times": (100, 153), "getrlimit": (97, 163), "setrlimit": (160, 164),
    "uname": (63, 160), "sysinfo": (99, 179), "umask": (95, 166),
}  # fmt: skip
_ALLOWED_WITH_PROGRAMS: dict[str, Numbers] = {
    "vfork": (58, None), "execve": (59, 221), "wait4": (61, 260),
    "waitid": (247, 95), "pipe": (22, None), "pipe2": (293, 59), "mkdir": (83, None),
    "mkdirat": (258, 34), "rmdir": (84, None), "unlink": (87, None), "unlinkat": (263, 35),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "ftruncate": (77, 46),
}  # fmt: skip
_OPEN, _OPENAT = (2, None), (257, 56)
_CLOSE, _DUP2, _DUP3 = (3, 57), (33, None), (292, 24)
_MMAP, _CLONE, _PRLIMIT, _PRCTL = (9, 222), (56, 220), (302, 261), (157, 167)
_FCNTL, _IOCTL, _KILL, _TGKILL = (72, 25), (16, 29), (62, 129), (234, 131)

_YOUNG = 424
"""From this number on calls have the same one everywhere; they are of Linux 5.1 and newer."""

_WRITING = 0o3 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC
_SHARED_AND_NO_FILE = 0x01 | 0x20  # MAP_SHARED, MAP_ANONYMOUS: memory that no limit counts
_MEMORY, _VFORK, _PARENT, _THREAD, _NAMESPACES = 0x100, 0x4000, 0x8000, 0x1_0000, 0x7E02_0000
"""Of CLONE_. A child that has memory of its own could take as much again, so there is none: one
that shares it keeps its parent waiting until it has become another program."""
_FCNTLS = (0, 1, 2, 3, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC
_IOCTLS = (0x5401, 0x802C_542A, 0x5413, 0x541B, 0x5450, 0x5451)
"""Of terminals: what is it, its size; and FIONREAD, FIONCLEX, FIOCLEX."""
_PRCTLS = (15, 16, 23, 0x5356_4D41)  # names of threads and of memory; PR_CAPBSET_READ

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_ALLOW, _FAIL = 0x7FFF_0000, 0x0005_0000
_SET_MODE_FILTER, _ALL_THREADS = 1, 1


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("then", ctypes.c_uint8),
        ("otherwise", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


@dataclass(frozen=True, slots=True)
class _Rule:
    """A call that is allowed if, of its argument number ``argument``, the bits ``mask`` are one
    of ``values``; with ``unless`` if they are none of them."""

    call: Numbers
    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFF_FFFF
    unless: bool = False


def limit_calls(*, programs: bool, signals: bool, lifeline: int | None) -> None:
    """Let this process make no calls but those that reading documents needs.

    With ``programs`` it can start some and write files; with ``signals`` also end them. The
    descriptor ``lifeline`` stays open and what it is. Raises ``OSError`` where that is not to be
    had.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None or ctypes.sizeof(ctypes.c_void_p) != 8:
        raise OSError("no table of system calls for this machine")
    architecture, column, seccomp = machine
    allowed = _ALLOWED | (_ALLOWED_WITH_PROGRAMS if programs else {})
    code = [
        _Instruction(_LOAD, 0, 0, 4),  # the architecture that the call is made for
        _Instruction(_EQUAL, 1, 0, architecture),  # a jump says how many to leave out
        _failing(errno.EPERM),
        _Instruction(_LOAD, 0, 0, 0),  # the call's number
    ]
    for numbers in allowed.values():
        if (number := numbers[column]) is not None:
            code += [_Instruction(_EQUAL, 0, 1, number), _Instruction(_RETURN, 0, 0, _ALLOW)]
    for rule in _rules(programs, signals, lifeline):
        if (number := rule.call[column]) is not None:
            body = _conditional(rule)
            code += [_Instruction(_EQUAL, 0, len(body), number), *body]
    code += [
        _Instruction(_AT_LEAST, 0, 1, _YOUNG),
        _failing(errno.ENOSYS),
        _failing(errno.EPERM),
    ]
    block = (_Instruction * len(code))(*code)
    program = _Program(len(code), block)
    no_new_privileges()
    system_call(seccomp, _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(program))


def _rules(programs: bool, signals: bool, lifeline: int | None) -> Iterable[_Rule]:
    reading = _WRITING if not programs else 0
    yield _Rule(_OPEN, 1, (0,), reading)
    yield _Rule(_OPENAT, 2, (0,), reading)
    yield _Rule(_MMAP, 3, (_SHARED_AND_NO_FILE,), _SHARED_AND_NO_FILE, unless=True)
    children = (_MEMORY | _THREAD, *([_MEMORY | _VFORK] if programs else []))
    yield _Rule(_CLONE, 0, children, _MEMORY | _VFORK | _PARENT | _THREAD | _NAMESPACES)
    yield _Rule(_PRLIMIT, 0, (0,))  # its own limits, not another's
    yield _Rule(_FCNTL, 1, _FCNTLS)
    yield _Rule(_IOCTL, 1, _IOCTLS)
    yield _Rule(_PRCTL, 0, _PRCTLS)
    yield _Rule(_TGKILL, 0, (os.getpid(),))
    yield _Rule(_KILL, 0, (0,), 0) if signals else _Rule(_KILL, 0, (os.getpid(),))
    kept = () if lifeline is None else (lifeline,)
    yield _Rule(_CLOSE, 0, kept, unless=True)
    yield _Rule(_DUP2, 1, kept, unless=True)
    yield _Rule(_DUP3, 1, kept, unless=True)


def _conditional(rule: _Rule) -> Sequence[_Instruction]:
    """Looks at the lower half of an argument, which is all that the kernel takes of these."""
    hit, miss = (_failing(errno.EPERM), _Instruction(_RETURN, 0, 0, _ALLOW))
    if not rule.unless:
        hit, miss = miss, hit
    count = len(rule.values)
    return [
        _Instruction(_LOAD, 0, 0, 16 + 8 * rule.argument),
        _Instruction(_AND, 0, 0, rule.mask),
        *(_Instruction(_EQUAL, count - i, 0, value) for i, value in enumerate(rule.values)),
        miss,
        hit,
    ]


def _failing(number: int) -> _Instruction:
    return _Instruction(_RETURN, 0, 0, _FAIL | number)
