"""What the commands share: options, opening an index, progress and printing."""

from __future__ import annotations

import json
import os
import re
import shutil
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rag.errors import KnowledgeBaseError

if TYPE_CHECKING:
    from rag import KnowledgeBase
    from rag.sandbox.isolated import IsolatedLoader
    from rag.types import Progress

IN_JSON = "; --json lists them all"
"""What :func:`print_first` may say of the lines that it leaves out."""
_BAR = "{desc} {percentage:3.0f}% |{bar:20}| {elapsed}<{remaining}"
_MAX_STAGE_CHARS = 44
_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f]")

Command = TypeVar("Command", bound=Callable[..., Any])


def common_options(command: Command) -> Command:
    """Add the options that every command takes."""
    command = click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)
    return click.option(
        "--index",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("index"),
        show_default=True,
        help="Folder of the index.",
    )(command)


@contextmanager
def open_index(index: Path, *, must_exist: bool = True) -> Iterator[KnowledgeBase]:
    """The knowledge base in the folder ``index``, with the environment's settings."""
    from rag import KnowledgeBase, Settings

    settings = Settings.from_env(os.environ)
    if must_exist:
        require_index(index)
    with KnowledgeBase(index, settings) as kb:
        yield kb


@contextmanager
def isolated_loader() -> Iterator[IsolatedLoader]:
    """What reads files as a sync does, within the environment's limits."""
    from rag import Settings
    from rag.sandbox.isolated import IsolatedLoader, Limits

    settings = Settings.from_env(os.environ)
    with IsolatedLoader(Limits(settings.load_memory_mb, settings.load_seconds)) as load:
        yield load


def require_index(index: Path) -> None:
    """Raise :class:`KnowledgeBaseError` where no index stands."""
    from rag.store.troubles import require_database

    require_database(index)
    if not index_exists(index):
        raise KnowledgeBaseError(
            f"no index in {str(index)!r}: make one with 'rag index FOLDER --index {index}'"
        )


def index_exists(path: Path) -> bool:
    """Tell whether there is an index of the folder ``path``, where the environment has them."""
    from rag import Settings
    from rag.store.backend import make_backend

    return make_backend(Settings.from_env(os.environ).store).exists(path)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress bar on stderr, a new one for each piece of work; none where that is no terminal.

    A piece of work may have several stages, as long as it goes on towards the same total.
    """
    from tqdm import tqdm

    bar: tqdm[Any] | None = None

    def report(stage: str, done: int, total: int) -> None:
        nonlocal bar
        if bar is None or bar.total != total or done < bar.n:
            if bar is not None:
                bar.close()
            bar = tqdm(total=total, leave=False, disable=None, bar_format=_BAR)
        bar.set_description_str(_fitted(stage), refresh=False)
        bar.update(done - bar.n)

    try:
        yield report
    finally:
        if bar is not None:
            bar.close()


def _fitted(stage: str) -> str:
    """What is said before a bar, as wide whatever it says, so that the bar stays where it is."""
    text = printable(stage)
    if len(text) > _MAX_STAGE_CHARS:
        half = (_MAX_STAGE_CHARS - 1) // 2
        text = f"{text[:half]}…{text[-half:]}"
    return text.ljust(_MAX_STAGE_CHARS)


MAX_FAILURES_SHOWN = 20


def print_failures(failures: Sequence[tuple[str, str]]) -> None:
    """Print sources with the reason why each could not be read, the first ones of many."""
    lines = [f"{source}: {reason}" for source, reason in failures]
    print_first(lines, MAX_FAILURES_SHOWN, more=IN_JSON)


def print_json(value: Any) -> None:
    """Print a value as JSON on stdout."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    click.echo(_CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text))


def printable(text: str) -> str:
    """``text`` without what would steer a terminal: documents and their names are not ours."""
    return _CONTROL.sub("\ufffd", text)


def print_first(lines: Sequence[str], most: int, title: str = "", more: str = "") -> None:
    """Print the first ``most`` lines, indented, and how many are left; nothing where there is none.

    ``more`` says where to find the others.
    """
    if lines and title:
        click.secho(f"\n{title}", bold=True)
    for line in lines[:most]:
        click.echo(printable(f"  {line}"))
    if len(lines) > most:
        click.echo(f"  and {len(lines) - most} more{more}")


def wrapped(text: str, indent: str = "") -> str:
    """Return text in lines that fit the terminal."""
    width = min(100, shutil.get_terminal_size().columns)
    return textwrap.fill(printable(text), width, initial_indent=indent, subsequent_indent=indent)


def number(value: float | None) -> str:
    """Return a figure in three decimals; a dash where it is not defined."""
    return "-" if value is None else f"{value:.3f}"
