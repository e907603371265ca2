"""``rag status``, ``rag verify``, ``rag backup`` and ``rag restore``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from rag.cli.common import (
    common_options,
    open_index,
    print_failures,
    print_json,
    printable,
    progress_bar,
    require_index,
)
from rag.errors import KnowledgeBaseError


@click.command()
@common_options
def status(index: Path, as_json: bool) -> None:
    """Tell what the index holds, what could not be read, and what it was made with."""
    with open_index(index) as kb:
        values = kb.status()
    if as_json:
        print_json(values)
        return
    for key, value in values.items():
        if key not in ("folder", "sources", "failed"):
            click.echo(f"{key.replace('_', ' '):<14}{_shown(value)}")
    for source in values["sources"]:
        click.echo(printable(f"  {source}"))
    if values["failed"]:
        click.echo(f"{len(values['failed'])} could not be read")
        print_failures([(failure["source"], failure["reason"]) for failure in values["failed"]])


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {number:,}" for key, number in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)


@click.command()
@click.option("--repair", is_flag=True, help="Make anew what is derived; tell what is lost.")
@common_options
def verify(repair: bool, index: Path, as_json: bool) -> None:
    """Check every row, offset, vector and derived index; exit code 1 if anything is wrong."""
    require_index(index)
    with open_index(index) as kb, progress_bar() as progress:
        found = kb.verify()
        lost: tuple[str, ...] = ()
        if found and repair:
            lost = kb.repair(progress).lost
            left = kb.verify()
        else:
            left = found
    if as_json:
        told: dict[str, Any] = {"index": str(index), "ok": not left and not lost, "problems": found}
        print_json(told | ({"lost": list(lost)} if repair else {}))
    elif not found:
        click.echo("The index is whole.")
    else:
        click.echo("\n".join(map(printable, found)))
        if repair and not left:
            click.echo("Repaired." if not lost else "Repaired, but for:")
        for source in lost:
            click.echo(printable(f"  {source}"))
    _raise_for(index, left, lost, repaired=repair)


def _raise_for(index: Path, left: list[str], lost: tuple[str, ...], *, repaired: bool) -> None:
    """Raise the error that names the command that helps, if any is needed."""
    if left:
        command = f"rag verify --repair --index {index}"
        if repaired:
            command = f"rag index FOLDER --rebuild --index {index}"
        count = f"{len(left)} problem{'s' if len(left) > 1 else ''}"
        raise KnowledgeBaseError(f"{count}: run '{command}'")
    if lost:
        raise KnowledgeBaseError(
            f"{len(lost)} of the files must be read again: run 'rag index FOLDER --index {index}'"
        )


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@common_options
def backup(file: Path, index: Path, as_json: bool) -> None:
    """Write the index into one FILE, while it may be in use."""
    with open_index(index) as kb:
        about = kb.backup(file)
    if as_json:
        print_json({"file": str(file), **about})
    else:
        click.echo(f"{_documents(about)} in {file}, {file.stat().st_size:,} bytes")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@common_options
def restore(file: Path, index: Path, as_json: bool) -> None:
    """Put the backup in FILE in the place of the index, while that may be in use."""
    with open_index(index, must_exist=False) as kb:
        about = kb.restore(file)
    if as_json:
        print_json({"file": str(file), **about})
    else:
        made = datetime.fromisoformat(about["made"]).strftime("%Y-%m-%d %H:%M %Z")
        click.echo(f"{_documents(about)} as of {made} are back in {index}")


def _documents(about: Mapping[str, Any]) -> str:
    return f"{about['documents']:,} document{'' if about['documents'] == 1 else 's'}"


COMMANDS = (status, verify, backup, restore)
"""What this module adds to ``rag``."""
