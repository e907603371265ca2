"""The command line: ``rag COMMAND``. Results on stdout, progress and errors on stderr.

Exit codes: 0 done (a refusal is an answer), 1 an error the user can act on, 2 wrong usage.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rag.answering.refusal_texts import REASONS
from rag.answering.snippet import snippet
from rag.cli import calibrate, evaluation, questions, upkeep
from rag.cli.common import (
    common_options,
    open_index,
    print_failures,
    print_json,
    printable,
    progress_bar,
    wrapped,
)
from rag.errors import KnowledgeBaseError, NotFoundError, RagError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag import Answer, KnowledgeBase, SyncReport
    from rag.types import PossibleAnswer

PATH = click.Path(path_type=Path)


class _Errors(click.Group):
    """Shows the errors that a user can act on in one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RagError as error:
            click.echo(f"rag: {printable(' '.join(str(error).split()))}", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            click.echo("rag: interrupted; what was indexed is kept, no file half written", err=True)
            ctx.exit(130)
        except MemoryError:
            click.echo("rag: out of memory; what was done is kept: close other programs", err=True)
            ctx.exit(1)


@click.group(cls=_Errors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rag-chatbot", message="%(version)s")
def main() -> None:
    """Ask a folder of documents; get cited answers, or a plain refusal."""


for _module in (evaluation, questions, calibrate, upkeep):
    for _command in _module.COMMANDS:
        main.add_command(_command)


@main.command()
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True, type=PATH)
@click.option("--rebuild", is_flag=True, help="Start from nothing, with the current settings.")
@click.option("--watch", is_flag=True, help="Go on, and follow every change until Ctrl-C.")
@common_options
def index(
    folders: tuple[Path, ...], rebuild: bool, watch: bool, index: Path, as_json: bool
) -> None:
    """Make the index equal to FOLDER: add, update and delete what changed.

    The documents of several folders are named by folder: reports/a.txt.
    """

    def tell(report: SyncReport) -> None:
        if as_json and watch:
            click.echo(json.dumps(report.to_dict(), ensure_ascii=False))
        elif as_json:
            print_json(report.to_dict())
        else:
            _print_report(report)

    with open_index(index, must_exist=False) as kb:
        with progress_bar() as progress:
            tell(kb.sync(folders, progress, rebuild=rebuild))
        if watch:
            _watch(kb, tell)


def _watch(kb: KnowledgeBase, tell: Callable[[SyncReport], None]) -> None:
    """Follow the folders until interrupted, which is the one way to end it, so no error."""
    from rag.indexing.watch import Watcher

    def tell_error(message: str) -> None:
        click.echo(f"rag: {message}", err=True)

    click.echo("Following every change; Ctrl-C ends it.", err=True)
    try:
        Watcher(kb, tell, tell_error, told=True).run()
    except KeyboardInterrupt:
        click.echo("No longer following; what was done is kept.", err=True)


@main.command()
@click.argument("question")
@click.option("-k", "k", type=click.IntRange(1, 100), default=5, show_default=True)
@common_options
def search(question: str, k: int, index: Path, as_json: bool) -> None:
    """Find the passages nearest to QUESTION."""
    with open_index(index) as kb:
        hits = kb.search(_asked(question), k)
    if as_json:
        print_json([hit.to_dict() for hit in hits])
        return
    if not hits:
        click.echo(REASONS["nothing_relevant"])
    for rank, hit in enumerate(hits, start=1):
        at = hit.chunk.document.place_at(hit.start, hit.end)
        place = f"{hit.source}, {at}," if at else hit.source
        line = f"{rank}. {place} {hit.start}:{hit.end}  {hit.score:.3f}"
        click.secho(printable(line), bold=True)
        click.echo(wrapped(" ".join(hit.text.split()), indent="   "))


@main.command()
@click.argument("question")
@click.option("--answerer", type=click.Choice(["extractive", "llm"]), help="Who answers.")
@common_options
def ask(question: str, answerer: str | None, index: Path, as_json: bool) -> None:
    """Answer QUESTION from the documents, with citations, or say that they do not say."""
    with open_index(index) as kb:
        answer = kb.ask(_asked(question), answerer=answerer)
    if as_json:
        print_json(answer.to_dict())
    else:
        _print_answer(answer)


@main.command()
@click.argument("source")
@click.option("--span", metavar="START:END", help="Only these characters.")
@common_options
def show(source: str, span: str | None, index: Path, as_json: bool) -> None:
    """Print the text of the document SOURCE, which all offsets refer to."""
    with open_index(index) as kb:
        document = kb.document(source)
    start, end = _parse_span(span, len(document.text))
    text = document.text[start:end]
    if as_json:
        print_json(
            {
                "source": source,
                "title": document.title,
                "start": start,
                "end": end,
                "text": text,
                "page": document.page_at(start),
                "place": document.place_at(start, end),
                "sha256": document.sha256,
            }
        )
    else:
        click.echo(printable(text) if sys.stdout.isatty() else text)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True)
@click.option("--watch", is_flag=True, help="Keep the documents in step with their folders.")
@common_options
def serve(host: str, port: int, watch: bool, index: Path, as_json: bool) -> None:
    """Serve the chat page and the JSON API."""
    from rag.web import api

    with open_index(index, must_exist=False) as kb:

        def announce(url: str) -> None:
            if as_json:
                click.echo(json.dumps({"url": url, "index": str(index)}))
            else:
                click.echo(f"Serving {index} at {url} (Ctrl-C ends it)")

        try:
            api.serve(kb, host, port, announce, watch=watch)
        except OSError as error:
            raise KnowledgeBaseError(str(error)) from error


def _asked(question: str) -> str:
    if not question.strip():
        raise click.BadParameter("the question is blank", param_hint="QUESTION")
    return question


def _parse_span(span: str | None, length: int) -> tuple[int, int]:
    if span is None:
        return 0, length
    try:
        start, end = map(int, span.split(":"))
    except ValueError:
        raise click.BadParameter(f"{span!r} is not START:END", param_hint="--span") from None
    if not 0 <= start < end <= length:
        raise NotFoundError(f"span {span} is not within the document's {length} characters")
    return start, end


def _print_report(report: SyncReport) -> None:
    parts = [
        f"{len(report.added)} added",
        f"{len(report.updated)} updated",
        f"{len(report.deleted)} deleted",
        f"{report.unchanged} unchanged",
        f"{len(report.failed)} failed",
    ]
    click.echo(f"{', '.join(parts)} in {report.seconds:.1f} s")
    print_failures([(failure.source, failure.reason) for failure in report.failed])


def _print_answer(answer: Answer) -> None:
    click.echo("\n".join(map(wrapped, answer.text.splitlines())))
    if answer.reason and not answer.refused:
        click.secho(f"\n{REASONS[answer.reason]}", bold=True)
    if not answer.refused:
        sure = f"{answer.confidence:.0%} likely to be right"
        click.echo(f"\n{sure if answer.confidence else 'Not known how likely'} ({answer.answerer})")
    if answer.perhaps:
        _print_possible(answer.perhaps)
    for citation in answer.citations:
        at = f", {citation.place}" if citation.place else ""
        place = f"{citation.source}{at}, {citation.start}:{citation.end}"
        click.secho(f"\n[{citation.number}] {printable(place)}", bold=True)
        click.echo(wrapped(f"“{' '.join(citation.quote.split())}”", indent="    "))
    if answer.refused and answer.hits:
        click.secho("\nNearest passages", bold=True)
        for hit in answer.hits[:3]:
            text = snippet(answer.question, hit)
            at = hit.chunk.document.place_at(hit.start, hit.end)
            place = ", ".join(filter(None, (hit.source, at, f"{hit.start}:{hit.end}")))
            click.echo(wrapped(f"{place}: {text}", indent="    "))


def _print_possible(possible: PossibleAnswer) -> None:
    """The words that may answer, and the sentence that they stand in."""
    citation, words = possible.citation, " ".join(possible.span.text.split())
    lead = f"\nPerhaps: {words} ({possible.probability:.0%} likely to be right)"
    click.secho(printable(lead), bold=True)
    click.echo(wrapped(f"“{' '.join(citation.quote.split())}”", indent="    "))
    place = ", ".join(filter(None, (citation.source, citation.place)))
    click.echo(wrapped(f"{place}, {citation.start}:{citation.end}", indent="    "))
