"""Loaders that do what a hostile file may make a parser do; the file's text says which.

``load`` is given to :class:`rag.sandbox.isolated.IsolatedLoader` in the place of the real one, and
``show`` to :class:`rag.sandbox.isolated.Isolated` in the place of :func:`rag.viewer.pages.show`.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import mmap
import os
import platform
import resource
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rag.errors import LoadError
from rag.load.picture import Picture
from rag.load.registry import Loaded
from rag.types import Document, Heading, Mark
from rag.viewer.pages import PageView

_seen: list[str] = []
_kept: list[bytearray] = []


def load(data: bytes, source: str) -> Loaded:
    """Does what the first word of ``data`` names, with the rest as its argument."""
    word, _, argument = data.decode().partition(" ")
    _seen.append(source)
    said = _DEEDS[word](argument)
    return said if isinstance(said, Loaded) else Loaded((Document(source, said),))


def show(data: bytes, asked: str) -> PageView:
    """Says of one page what ``data`` names."""
    return _LIES[data.decode()]


def draw_slowly(data: bytes, asked: str) -> PageView:
    """Draws longer than anybody waits."""
    time.sleep(1_000)
    return show(data, asked)


_FINE = ((Mark(0.1, 0.1, 0.2, 0.2),),)
_LIES: dict[str, PageView] = {
    "fine": PageView(_FINE, Picture(2, 1, b"\0" * 6)),
    "two pages": PageView(_FINE * 2),
    "outside": PageView(((Mark(0.1, 0.1, 1.2, 0.2),),)),
    "upside down": PageView(((Mark(0.1, 0.3, 0.2, 0.2),),)),
    "no number": PageView(((Mark(0.1, float("nan"), 0.2, 0.2),),)),
    "no mark": PageView((("mark",),)),  # type: ignore[arg-type]
    "few pixels": PageView(_FINE, Picture(2, 2, b"\0" * 6)),
    "too wide": PageView(_FINE, Picture(100_000, 1, b"\0" * 300_000)),
    "no pixels": PageView(_FINE, Picture(0, 0, b"")),
    "text": PageView(_FINE, Picture(2, 1, "not base64")),  # type: ignore[arg-type]
}


def _hang_in_c(_: str) -> str:
    libc = ctypes.PyDLL(None)  # keeps the interpreter's lock, as a parser's loop does
    while True:
        libc.usleep(10_000_000)


def _sleep(seconds: str) -> str:
    time.sleep(float(seconds))
    return "awake"


def _compute(_: str) -> str:
    while True:
        pass


def _fill_memory(_: str) -> str:
    pieces = []
    while True:
        pieces.append(bytearray(b"x" * 10_000_000))


def _fill_memory_and_wrap(_: str) -> str:
    try:
        _fill_memory("")
    except MemoryError as error:
        raise LoadError("is damaged") from error
    return ""


def _keep(megabytes: str) -> str:
    _kept.append(bytearray(b"x") * (int(megabytes) * 1_000_000))
    return str(os.getpid())


def _segfault(_: str) -> str:
    return ctypes.string_at(0).decode()


def _segfault_unless_first(_: str) -> str:
    if len(_seen) > 1:
        _segfault("")
    return str(os.getpid())


def _exit(code: str) -> str:
    os._exit(int(code))


def _abort(_: str) -> str:
    os.abort()


def _type_error(_: str) -> str:
    raise TypeError("not a LoadError")


def _start_and_hang(path: str) -> str:
    """Starts a program that outlasts everything, writes its number and goes on for ever."""
    program = subprocess.Popen(["sleep", "600"])
    Path(path).write_text(str(program.pid))
    return _hang_in_c("")


def _start_and_crash(path: str) -> str:
    program = subprocess.Popen(["sleep", "600"])
    Path(path).write_text(str(program.pid))
    time.sleep(2)
    return _segfault("")


def _threads(count: str) -> str:
    """What libraries do to compute faster."""
    with ThreadPoolExecutor(int(count)) as pool:
        return " ".join(map(str, pool.map(lambda n: n * n, range(int(count)))))


def _start(command: str) -> str:
    return _outcome(lambda: subprocess.run(command.split(), check=True).returncode)


def _outlive(_: str) -> str:
    """Starts a program that outlasts everything, and others that would leave the group."""
    program = subprocess.Popen(["sleep", "600"])
    leaving = (
        lambda: subprocess.Popen(["sleep", "600"], start_new_session=True),
        lambda: subprocess.Popen(["sleep", "600"], process_group=0),
        lambda: os.setpgid(program.pid, 0),
    )
    return " ".join([str(program.pid), *(_outcome(deed).partition(":")[0] for deed in leaving)])


def _cling(_: str) -> str:
    """Does what it can to outlive its parent."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    for number in range(3, 50):
        for deed in (
            lambda n: fcntl.fcntl(n, fcntl.F_SETFL, 0),
            lambda n: fcntl.fcntl(n, fcntl.F_SETOWN, 0),
            lambda n: os.dup2(0, n),
            os.close,
        ):
            with contextlib.suppress(OSError):
                deed(number)
    return _hang_in_c("")


def _flood(megabytes: str) -> str:
    """Sends a reply of empty lists, which take far more once they are decoded."""
    count = int(megabytes) * 1_000_000 // 3
    for number in range(3, 20):
        try:
            os.write(number, (3 * count + 4).to_bytes(8, "big") + b"[[]")
        except OSError:
            continue
        left = memoryview(b",[]" * (count // 100))
        for _ in range(100):
            at = 0
            while at < len(left):
                at += os.write(number, left[at:])
        os.write(number, b"]" + bytes(8))
    time.sleep(60)
    return "unreachable"


def attack(target: Path, parent: int) -> dict[str, str]:
    """Tries what reading a document never needs; ``target`` is a file of the user.

    Nothing is harmed where an attack succeeds: what it asks for is as it was, or nonsense.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    status = target.stat()

    def call(name: str, *arguments: object) -> object:
        if getattr(libc, name)(*arguments) < 0:
            raise OSError(ctypes.get_errno(), name)
        return name

    attacks: dict[str, Callable[[], object]] = {
        "chmod": lambda: target.chmod(0o600),
        "chown": lambda: os.chown(target, status.st_uid, status.st_gid),
        "utime": lambda: os.utime(target, (1, 1)),
        "setxattr": lambda: os.setxattr(target, "user.attack", b"1"),
        "truncate": lambda: os.truncate(target, 0),
        "empty": lambda: os.open(target, os.O_RDONLY | os.O_TRUNC),
        "rename": lambda: target.rename(target.with_name("renamed")),
        "unlink": target.unlink,
        "mkdir": lambda: target.with_name("new").mkdir(),
        "symlink": lambda: target.with_name("new").symlink_to(target),
        "limits of the parent": lambda: resource.prlimit(parent, resource.RLIMIT_NOFILE),
        "signal to the parent": lambda: os.kill(parent, 0),
        "priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, 19),
        "shared memory": lambda: mmap.mmap(-1, 500_000_000),
        "memory as a file": lambda: os.memfd_create("attack"),
        "shared segment": lambda: call("shmget", 0, 500_000_000, 0o1600),
        "user namespace": lambda: call("unshare", 0x1000_0000),
        "hostname": lambda: call("sethostname", b"attack", 0),
        "reboot": lambda: call("syscall", *map(ctypes.c_long, (_REBOOT, 1, 2, 3, 0))),
        "swapoff": lambda: call("swapoff", b"/nonexistent"),
        "mount": lambda: call("mount", b"none", b"/nonexistent", b"tmpfs", 0, None),
        "session": os.setsid,
        "process": _fork_and_end,
    }
    said = {name: _outcome(deed).partition(":")[0] for name, deed in attacks.items()}
    held = sum(libc.prctl(23, capability, 0, 0, 0) == 1 for capability in range(64))
    return said | {"capabilities": f"{held} to be had"}


_REBOOT = {"x86_64": 169, "aarch64": 142}.get(platform.machine(), 0)


def _fork_and_end() -> str:
    if os.fork() == 0:
        os._exit(0)
    os.wait()
    return "forked"


def _attack(argument: str) -> str:
    parent, _, target = argument.partition(" ")
    return json.dumps(attack(Path(target), int(parent)))


def _outcome(deed: Callable[[], object]) -> str:
    try:
        return f"done: {deed()}"
    except OSError as error:
        return f"refused: {type(error).__name__}"


def _open_files(_: str) -> str:
    """The kinds of what is open beside the standard streams."""
    kinds = []
    for number in range(3, 200):
        try:
            kinds.append(stat.filemode(os.fstat(number).st_mode)[0])
        except OSError:
            continue
    return " ".join(sorted(kinds))


def _print_to_the_parent(_: str) -> str:
    print("this is no reply", flush=True)
    os.write(1, b"\xff" * 100)
    sys.stderr.write("nor is this\n")
    return "printed"


def _garbage(_: str) -> str:
    """Writes to every stream that is open for writing."""
    for number in range(3, 20):
        try:
            os.write(number, b"\0\0\0\0\0\0\0\x02{]" * 10)
        except OSError:
            continue
    return "unreachable"


def _huge_length(_: str) -> str:
    for number in range(3, 20):
        try:
            os.write(number, b"\x7f" * 8)
        except OSError:
            continue
    time.sleep(60)
    return "unreachable"


_DEEDS: dict[str, Callable[[str], str | Loaded]] = {
    "say": lambda text: text,
    "pid": lambda _: str(os.getpid()),
    "refuse": lambda reason: _raise(LoadError(reason)),
    "sleep": _sleep,
    "hang": _hang_in_c,
    "compute": _compute,
    "memory": _fill_memory,
    "wrapped-memory": _fill_memory_and_wrap,
    "keep": _keep,
    "segfault": _segfault,
    "segfault-unless-first": _segfault_unless_first,
    "exit": _exit,
    "abort": _abort,
    "type-error": _type_error,
    "print": _print_to_the_parent,
    "garbage": _garbage,
    "flood": _flood,
    "attack": _attack,
    "start": _start,
    "threads": _threads,
    "outlive": _outlive,
    "cling": _cling,
    "huge-length": _huge_length,
    "environment": lambda _: "\n".join(f"{k}={v}" for k, v in os.environ.items()) or "empty",
    "socket": lambda _: _outcome(lambda: socket.create_connection(("127.0.0.1", 9))),
    "udp": lambda _: _outcome(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
    "unix": lambda _: _outcome(lambda: socket.socket(socket.AF_UNIX)),
    "program": lambda _: _outcome(lambda: subprocess.run(["/bin/true"], check=True)),
    "start-and-hang": _start_and_hang,
    "start-and-crash": _start_and_crash,
    "kill": lambda pid: _outcome(lambda: os.kill(int(pid), 9)),
    "read": lambda path: _outcome(lambda: Path(path).read_bytes()[:10]),
    "list": lambda path: _outcome(lambda: sorted(Path(path).iterdir())),
    "write": lambda path: _outcome(lambda: Path(path).write_bytes(b"x")),
    "open-files": _open_files,
    "other-source": lambda source: Loaded((Document(source, "text"),)),
    "bad-span": lambda _: Loaded((Document("a.txt", "text", headings=(Heading(1, 0, 5),)),)),
    "surrogate": lambda _: Loaded((Document("a.txt", "\ud800"),)),
    "no-text": lambda _: Loaded((Document("a.txt", 7),)),  # type: ignore[arg-type]
}


def _raise(error: Exception) -> str:
    raise error
