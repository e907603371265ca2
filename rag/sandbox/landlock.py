"""Which files a process can open and which programs it can start (linux/landlock.h)."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Iterable
from pathlib import Path

from rag.sandbox.linux import no_new_privileges, system_call

_SYSTEM_FILES = (
    "/usr /lib /lib64 /bin /etc/ld.so.cache /etc/ld.so.conf /etc/localtime /etc/mime.types "
    "/etc/fonts /etc/alternatives /dev/null /dev/zero /dev/urandom /nix/store"
).split()
"""What a program and its libraries may want to read. Nothing of a user stands there."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # on every architecture
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = (1 << bit for bit in range(4))
_KNOWN_BY_ABI = (0, 13, 14, 15, 15, 16)
"""How many kinds of access to files each version of the interface knows."""
_SCOPES_SIGNALS = 6
"""The first version that keeps signals to processes with the same limits."""

_ELF, _SCRIPT = b"\x7fELF", b"#!"
_INTERPRETER = re.compile(rb"\0(/[^\0]*/ld[^/\0]*\.so[^/\0]*)\0")
"""What loads a program and its libraries; its name stands near the program's beginning."""


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


def limit_files(readable: Iterable[str], programs: Iterable[str], scratch: Path | None) -> bool:
    """Only what stands below ``readable`` can be read, ``scratch`` written to, ``programs`` run.

    Returns whether signals reach no process but those with the same limits. Raises ``OSError``
    where the kernel has no Landlock.
    """
    version = system_call(_CREATE_RULESET, None, 0, 1)
    everything = (1 << _KNOWN_BY_ABI[min(version, len(_KNOWN_BY_ABI) - 1)]) - 1
    ruleset = _Ruleset(everything, 0, 0)
    size = 8
    if version >= 4:
        ruleset.handled_access_net, size = 0b11, 16  # no TCP port, to bind or to connect to
    if version >= _SCOPES_SIGNALS:
        ruleset.scoped, size = 0b11, 24  # no signal to, and no abstract socket of, others
    rules = system_call(_CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    try:
        for path in dict.fromkeys([*_SYSTEM_FILES, *readable]):
            _allow(rules, path, _READ_FILE | _READ_DIR)
        for program in programs:
            for path in _needed_to_run(program):
                _allow(rules, path, _EXECUTE)
        if scratch is not None:
            _allow(rules, str(scratch), everything & ~_EXECUTE)
            _allow(rules, os.devnull, _READ_FILE | _WRITE_FILE)  # where programs' output goes
        no_new_privileges()
        system_call(_RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)
    return version >= _SCOPES_SIGNALS


def _needed_to_run(program: str) -> list[str]:
    """The program and what loads it; for a script, which may start any, all of the system's."""
    path = Path(program).resolve()
    with path.open("rb") as file:
        beginning = file.read(8192)
    if not beginning.startswith(_ELF):
        return [*_SYSTEM_FILES, str(path)] if beginning.startswith(_SCRIPT) else [str(path)]
    interpreter = _INTERPRETER.search(beginning)
    return [str(path), *([os.fsdecode(interpreter[1])] if interpreter else [])]


def _allow(rules: int, path: str, access: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # not on this system
        return
    try:
        if not Path(path).is_dir():
            access &= _EXECUTE | _WRITE_FILE | _READ_FILE
        rule = _PathBeneath(access, handle)
        system_call(_ADD_RULE, rules, 1, ctypes.byref(rule), 0)
    finally:
        os.close(handle)
