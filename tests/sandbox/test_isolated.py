"""A hostile file costs that file alone: loaders in a worker process."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fakes_hostile
import pytest
from formats import FORMATS
from places import FILES

from rag import KnowledgeBase, Settings
from rag.errors import KnowledgeBaseError, LoadError
from rag.load import ocr
from rag.load.registry import Loaded, load_file
from rag.sandbox.isolated import IsolatedLoader, Limits

SMALL = Limits(memory_mb=200, seconds=60)
IMPATIENT = Limits(memory_mb=200, seconds=4)
LINUX = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")


@pytest.fixture(scope="module")
def hostile() -> Iterator[IsolatedLoader]:
    with IsolatedLoader(SMALL, fakes_hostile.load) as load:
        yield load


def said(load: IsolatedLoader, deed: str) -> str:
    """The text that a hostile loader gives."""
    return load(deed.encode(), "a.txt").documents[0].text


def reason(load: IsolatedLoader, deed: str) -> str:
    with pytest.raises(LoadError) as caught:
        load(deed.encode(), "a.txt")
    return str(caught.value)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


# What is read is the same


def outcome(load: Callable[[bytes, str], Loaded], data: bytes, source: str) -> Loaded | str:
    try:
        return load(data, source)
    except LoadError as error:
        return str(error)


@pytest.mark.parametrize("path", sorted(FILES.iterdir()), ids=lambda path: path.name)
def test_a_file_loads_as_it_does_without_a_worker(path: Path, plain: IsolatedLoader) -> None:
    data = path.read_bytes()
    assert outcome(plain, data, path.name) == outcome(load_file, data, path.name)


@pytest.fixture(scope="module")
def plain() -> Iterator[IsolatedLoader]:
    with IsolatedLoader() as load:
        yield load


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_a_format_loads_as_it_does_without_a_worker(suffix: str, plain: IsolatedLoader) -> None:
    data = FORMATS[suffix]("Whales swim near Iceland.\n\nZebras graze in Kenya.")
    with ocr.using(None):  # as in a worker that starts no program
        assert outcome(plain, data, f"a{suffix}") == outcome(load_file, data, f"a{suffix}")


def test_a_worker_may_start_threads(hostile: IsolatedLoader) -> None:
    assert said(hostile, "threads 4") == "0 1 4 9"


def test_a_hundred_files_are_read_by_one_worker(hostile: IsolatedLoader) -> None:
    pids = {said(hostile, "pid") for _ in range(100)}
    assert len(pids) == 1
    assert pids != {str(os.getpid())}


def test_a_name_that_is_not_unicode_goes_through(hostile: IsolatedLoader) -> None:
    (document,) = hostile(b"say hello", "\udcff/é\U0001f600.txt").documents
    assert document.source == "\udcff/é\U0001f600.txt"


def test_a_reason_of_the_loader_is_kept(hostile: IsolatedLoader) -> None:
    assert reason(hostile, "refuse is empty; fill it") == "is empty; fill it"


# Hangs, memory, crashes


@pytest.mark.parametrize("deed", ["hang", "compute", "huge-length"])
def test_a_file_that_takes_too_long_fails_and_the_next_is_read(deed: str) -> None:
    with IsolatedLoader(IMPATIENT, fakes_hostile.load) as load:
        said(load, "say warm")
        told = reason(load, deed)
        if deed != "huge-length":
            assert told == (
                "was not read within 4 s: split it, or allow more with RAG_LOAD_SECONDS"
            )
        assert said(load, "say hello") == "hello"


@pytest.mark.parametrize("deed", ["memory", "wrapped-memory"])
def test_a_file_that_takes_too_much_memory_fails_and_the_next_is_read(
    deed: str, hostile: IsolatedLoader
) -> None:
    assert reason(hostile, deed) == (
        "needs more than 200 MB to be read: split it, or allow more with RAG_LOAD_MEMORY_MB"
    )
    assert said(hostile, "say hello") == "hello"


@pytest.mark.parametrize(
    ("deed", "how"),
    [
        ("segfault", "SIGSEGV"),
        ("abort", "SIGABRT"),
        ("exit 3", "exit code 3"),
        ("exit 0", "exit code 0"),
        ("type-error", "TypeError"),
    ],
)
def test_a_file_that_crashes_its_parser_fails_and_the_next_is_read(
    deed: str, how: str, hostile: IsolatedLoader
) -> None:
    assert reason(hostile, deed) == (
        f"crashes its parser ({how}); open it in its own program and save it again"
    )
    assert said(hostile, "say hello") == "hello"


def test_a_worker_that_grew_is_replaced(hostile: IsolatedLoader) -> None:
    first = said(hostile, "pid")
    assert said(hostile, "keep 20") == first
    assert said(hostile, "pid") == first
    assert said(hostile, "keep 80") == first
    second = said(hostile, "pid")
    assert second != first
    assert not is_alive(int(first))


def test_a_file_is_not_blamed_for_what_one_before_it_broke(hostile: IsolatedLoader) -> None:
    first = said(hostile, "pid")
    second = said(hostile, "segfault-unless-first")
    assert second != first


def test_what_a_parser_prints_is_no_reply(
    hostile: IsolatedLoader, capfd: pytest.CaptureFixture[str]
) -> None:
    assert said(hostile, "print") == "printed"
    assert said(hostile, "say hello") == "hello"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "deed", ["garbage", "other-source b.txt", "bad-span", "surrogate", "no-text"]
)
def test_a_worker_that_was_taken_over_cannot_lie(deed: str, hostile: IsolatedLoader) -> None:
    assert reason(hostile, deed).startswith("crashes its parser (it sent what is no document);")
    assert said(hostile, "say hello") == "hello"


def test_a_member_of_an_archive_has_a_source_of_its_own(hostile: IsolatedLoader) -> None:
    (document,) = hostile(b"other-source a.txt/b.txt", "a.txt").documents
    assert document.source == "a.txt/b.txt"
    for other in ("a.txtb", "a.txt/../b.txt", "a.txt/.."):
        with pytest.raises(LoadError, match="it sent what is no document"):
            hostile(f"other-source {other}".encode(), "a.txt")


# What the worker may do


def test_the_worker_knows_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("RAG_LLM_API_KEY", "RAG_PASSWORD", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "canary-7f3a")
    with IsolatedLoader(SMALL, fakes_hostile.load) as load:
        environment = said(load, "environment")
    assert "canary-7f3a" not in environment
    names = {line.partition("=")[0] for line in environment.splitlines()}
    assert names <= {"PATH", "SYSTEMROOT", "LANG", "LC_ALL", "LC_CTYPE", "TESSDATA_PREFIX"}


def test_the_worker_inherits_no_open_file_and_no_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, Path(__file__).open() as file:
        os.set_inheritable(server.fileno(), True)
        os.set_inheritable(file.fileno(), True)
        with IsolatedLoader(SMALL, fakes_hostile.load) as load:
            kinds = said(load, "open-files").split()
    # The pipe for requests, that for replies, the lifeline, and what tells its memory.
    assert kinds == ["-", "p", "p", "p"] if LINUX else "s" not in kinds


def _landlock() -> bool:
    """Whether this kernel can limit which files a process opens."""
    return bool(LINUX and ctypes.CDLL(None).syscall(444, None, 0, 1) > 0)


def test_all_measures_that_the_system_has_are_in_force(hostile: IsolatedLoader) -> None:
    expected = ["memory", "resources"]
    expected += ["files"] if _landlock() else []
    expected += ["privileges", "calls"] if LINUX else []
    assert list(hostile.measures) == expected


@pytest.mark.parametrize("deed", ["socket", "udp", "unix", "program"])
def test_the_worker_reaches_no_network_and_starts_no_program(
    deed: str, hostile: IsolatedLoader
) -> None:
    expected = "refused: PermissionError" if LINUX else ""
    assert said(hostile, deed).startswith(expected)


def test_the_worker_cannot_harm_other_processes(hostile: IsolatedLoader) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as victim:
        said(hostile, f"kill {victim.pid}")
        victim.communicate(b"\n")
    assert victim.returncode == 0 or not LINUX


REFUSED = "refused"
ATTACKS = (
    "chmod, chown, utime, setxattr, truncate, empty, rename, unlink, mkdir, symlink, "
    "limits of the parent, signal to the parent, priority, shared memory, memory as a file, "
    "shared segment, user namespace, hostname, reboot, swapoff, mount, session, process"
).split(", ")
HELD = dict.fromkeys(ATTACKS, REFUSED) | {"capabilities": "0 to be had"}


def user_file(folder: Path) -> tuple[Path, tuple[object, ...]]:
    target = folder / "document.txt"
    target.write_text("of the user")
    return target, state_of(target)


def state_of(target: Path) -> tuple[object, ...]:
    status = target.stat()
    names = os.listxattr(target) if hasattr(os, "listxattr") else []
    kept = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, status.st_ctime_ns)
    return (*kept, target.read_text(), names, sorted(target.parent.iterdir()))


@pytest.mark.skipif(not LINUX, reason="system calls are filtered on Linux")
def test_a_worker_that_was_taken_over_changes_nothing(
    tmp_path: Path, hostile: IsolatedLoader
) -> None:
    target, before = user_file(tmp_path)
    assert json.loads(said(hostile, f"attack {os.getpid()} {target}")) == HELD
    assert state_of(target) == before


AS_ORDINARY_USER = """
    import os, sys
    sys.path[:] = {path!r}
    import json
    from pathlib import Path
    import fakes_hostile
    from rag.sandbox.confine import confine
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    confine(500, {path!r}, {scratch})
    print(json.dumps(fakes_hostile.attack(Path({target!r}), os.getppid())))
"""


@pytest.mark.skipif(not LINUX, reason="system calls are filtered on Linux")
@pytest.mark.skipif(not LINUX or os.geteuid() != 0, reason="all other tests are of such a user")
@pytest.mark.parametrize("programs", [False, True])
def test_an_ordinary_users_worker_changes_nothing_either(programs: bool) -> None:
    if programs and not _landlock():
        pytest.skip("what it may write to is limited by Landlock")
    with tempfile.TemporaryDirectory() as name:  # unlike pytest's, all users may reach it
        Path(name).chmod(0o777)
        target, _ = user_file(Path(name))
        os.chown(target, 65534, 65534)
        before = state_of(target)
        scratch = "Path('/nonexistent')" if programs else None
        code = textwrap.dedent(AS_ORDINARY_USER).format(
            path=sys.path, target=str(target), scratch=scratch
        )
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        held = HELD | {"capabilities": json.loads(ran.stdout)["capabilities"]}  # cannot be used
        assert json.loads(ran.stdout) == held, ran.stderr
        assert state_of(target) == before


@pytest.mark.skipif(not _landlock(), reason="what it may write to is limited by Landlock")
def test_with_programs_a_worker_that_was_taken_over_changes_nothing_either(
    tmp_path: Path, tesseract_that_sleeps: None
) -> None:
    target, before = user_file(tmp_path)
    with IsolatedLoader(Limits(200, 20, programs=True), fakes_hostile.load) as load:
        assert json.loads(said(load, f"attack {os.getpid()} {target}")) == HELD
    assert state_of(target) == before


@pytest.mark.skipif(not LINUX, reason="system calls are filtered on Linux")
def test_no_program_outlives_the_worker(tesseract_that_sleeps: None) -> None:
    with IsolatedLoader(Limits(200, 20, programs=True), fakes_hostile.load) as load:
        program, *leaving = said(load, "outlive").split()
        assert leaving == [REFUSED] * 3
        assert is_alive(int(program))
    assert wait_until(lambda: not is_alive(int(program)))


@pytest.mark.skipif(not LINUX, reason="only Linux can choose the signal")
def test_a_worker_that_clings_to_life_ends_with_its_parent() -> None:
    code = textwrap.dedent(PARENT).format(path=sys.path).replace('b"hang"', 'b"cling"')
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        time.sleep(1)
        assert is_alive(worker)
        parent.kill()
        parent.wait(20)
    assert wait_until(lambda: not is_alive(worker))


FLOODED = """
    import resource, sys
    sys.path[:] = {path!r}
    import fakes_hostile
    from rag.errors import LoadError
    from rag.sandbox.isolated import IsolatedLoader, Limits
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with IsolatedLoader(Limits(200, 60), fakes_hostile.load) as load:
        try:
            load(b"flood 99", "a.txt")
        except LoadError as error:
            print(error)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit is Linux's")
def test_a_reply_costs_no_more_memory_than_the_worker_may_use() -> None:
    code = textwrap.dedent(FLOODED).format(path=sys.path)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told, megabytes = ran.stdout.splitlines()
    assert told.startswith("crashes its parser (it sent what is no document);")
    assert int(megabytes) <= 300


def test_the_worker_reads_no_file_of_the_user(tmp_path: Path, hostile: IsolatedLoader) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    for deed in (f"read {secret}", f"list {tmp_path}", "read /etc/passwd", f"list {Path.cwd()}"):
        expected = "refused: PermissionError" if _landlock() else ""
        assert said(hostile, deed).startswith(expected), deed


def test_the_worker_writes_no_file(tmp_path: Path, hostile: IsolatedLoader) -> None:
    assert said(hostile, f"write {tmp_path / 'new.txt'}").startswith("refused: ")
    assert not (tmp_path / "new.txt").exists() or (tmp_path / "new.txt").stat().st_size == 0


@pytest.fixture
def tesseract_that_sleeps(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program that is found as Tesseract is ``sleep``."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "tesseract").symlink_to(shutil.which("sleep") or "")
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_with_programs_the_worker_has_a_folder_of_its_own_that_goes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tesseract_that_sleeps: None
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with IsolatedLoader(Limits(200, 20, programs=True), fakes_hostile.load) as load:
        environment = said(load, "environment")
        (folder,) = tmp_path.iterdir()
        assert f"TMPDIR={folder}" in environment.splitlines()
        assert said(load, f"write {folder / 'page.png'}") == "done: 1"
        assert said(load, "start sleep 0") == "done: 0"
        if _landlock():  # no other program
            assert said(load, "program") == "refused: PermissionError"
        assert said(load, "socket").startswith("refused: PermissionError" if LINUX else "refused")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("deed", "limits"),
    [
        ("start-and-hang", Limits(200, 0.5, programs=True)),
        ("start-and-crash", Limits(200, 60, programs=True)),
    ],
)
def test_a_program_ends_with_the_worker_that_started_it(
    deed: str,
    limits: Limits,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tesseract_that_sleeps: None,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with IsolatedLoader(limits, fakes_hostile.load) as load, ThreadPoolExecutor() as pool:
        said(load, "say warm")
        (folder,) = tmp_path.iterdir()
        asked = pool.submit(reason, load, f"{deed} {folder / 'number'}")
        written: list[str] = []

        def is_written() -> bool:
            with contextlib.suppress(OSError):
                written[:] = (folder / "number").read_text().split()
            return bool(written)

        assert wait_until(is_written)
        assert asked.result()
        assert wait_until(lambda: not is_alive(int(written[0])))


def test_only_the_waiting_for_programs_may_take_longer() -> None:
    with IsolatedLoader(Limits(200, 2, programs=True), fakes_hostile.load) as load:
        assert said(load, "sleep 4") == "awake"
        assert reason(load, "compute").startswith("was not read within 2 s")


# Its life


def test_two_loaders_at_once_have_a_worker_each() -> None:
    with (
        IsolatedLoader(SMALL, fakes_hostile.load) as one,
        IsolatedLoader(SMALL, fakes_hostile.load) as other,
        ThreadPoolExecutor() as pool,
    ):
        slow = pool.submit(said, one, "sleep 1")
        quick = said(other, "pid")
        assert not slow.done()
        assert slow.result() == "awake"
        assert said(one, "pid") != quick


def test_threads_share_a_loader(hostile: IsolatedLoader) -> None:
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda n: said(hostile, f"say {n}"), range(50)))
    assert texts == [str(n) for n in range(50)]


def test_a_closed_loader_has_no_worker_and_can_be_used_again() -> None:
    load = IsolatedLoader(SMALL, fakes_hostile.load)
    first = said(load, "pid")
    load.close()
    assert not is_alive(int(first))
    assert said(load, "pid") != first
    load.close()
    load.close()


def test_a_worker_that_cannot_start_says_nothing_about_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with (
        IsolatedLoader(SMALL, fakes_hostile.load) as load,
        pytest.raises(KnowledgeBaseError, match=r"cannot be started \(exit code 1\)"),
    ):
        load(b"say hello", "a.txt")
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    with pytest.raises(KnowledgeBaseError, match="cannot be started"):
        load(b"say hello", "a.txt")


PARENT = """
    import signal, sys
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what starts it may ignore it
    sys.path[:] = {path!r}
    import fakes_hostile
    from rag.sandbox.isolated import IsolatedLoader, Limits
    with IsolatedLoader(Limits(200, 60), fakes_hostile.load) as load:
        print(load(b"pid", "a.txt").documents[0].text, flush=True)
        load(b"hang", "a.txt")
"""


@pytest.mark.parametrize(
    "end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda end: end.name
)
def test_the_worker_ends_with_its_parent(end: signal.Signals) -> None:
    code = textwrap.dedent(PARENT).format(path=sys.path)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        time.sleep(0.3)  # it is busy with the file that never ends
        assert is_alive(worker)
        parent.send_signal(end)
        parent.wait(20)
    assert wait_until(lambda: not is_alive(worker))


def test_a_sync_reads_in_a_worker_and_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "a.txt").write_text("Whales swim near Iceland.\n")
    (folder / "b.txt").write_text("x " * 50_000_000)
    (folder / "c.txt").write_text("Zebras graze in Kenya.\n")
    settings = Settings(embedder="hashing", load_memory_mb=100)
    with KnowledgeBase(tmp_path / "index", settings) as kb:
        report = kb.sync(folder)
    assert report.added == ("a.txt", "c.txt")
    assert [(failure.source, failure.reason) for failure in report.failed] == [
        (
            "b.txt",
            "needs more than 100 MB to be read: split it, or allow more with RAG_LOAD_MEMORY_MB",
        )
    ]
