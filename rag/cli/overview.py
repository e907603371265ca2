"""``rag overview``: what documents are about, in their own words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.answering.refusal_texts import REASONS
from rag.cli.common import common_options, open_index, print_json, printable, wrapped

if TYPE_CHECKING:
    from rag.types import Overview


@click.command()
@click.argument("sources", metavar="[SOURCE]...", nargs=-1)
@common_options
def overview(sources: tuple[str, ...], index: Path, as_json: bool) -> None:
    """Tell in their own words what the documents SOURCE, or all, are about."""
    with open_index(index) as kb:
        found = kb.overview(sources)
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found)


def _print(found: Overview) -> None:
    for group in found.groups:
        title = group.title
        if found.documents > 1 and title != group.source:
            title = f"{title} ({group.source})"
        if title:
            click.secho(printable(title), bold=True)
        for citation in group.citations:
            click.echo(wrapped(" ".join(citation.quote.split()), indent="  "))
            place = ", ".join(filter(None, (citation.source, citation.place)))
            click.echo(printable(f"  [{citation.number}] {place}, {citation.start}:{citation.end}"))
        click.echo()
    if found.left_out:
        click.echo(f"Left out: {found.left_out} of {found.documents} documents.")
    if not found.documents:
        click.echo(REASONS["no_documents"])


COMMANDS = (overview,)
