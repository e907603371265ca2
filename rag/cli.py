"""The command line: ``rag COMMAND``. Results on stdout, progress and errors on stderr.

Exit codes: 0 done (a refusal is an answer), 1 an error the user can act on, 2 wrong usage.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rag.errors import KnowledgeBaseError, NotFoundError, RagError

if TYPE_CHECKING:
    from rag import Answer, KnowledgeBase, SyncReport
    from rag.types import Progress

Command = TypeVar("Command", bound=Callable[..., Any])

_MOST_FAILURES_SHOWN = 20


class _Errors(click.Group):
    """Shows the errors that a user can act on in one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RagError as error:
            click.echo(f"rag: {error}", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            click.echo("rag: interrupted; what was done is kept", err=True)
            ctx.exit(130)


@click.group(cls=_Errors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rag-chatbot", message="%(version)s")
def main() -> None:
    """Ask a folder of documents; get cited answers, or a plain refusal."""


def _common(command: Command) -> Command:
    """The options every command takes."""
    command = click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)
    return click.option(
        "--index",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("index"),
        show_default=True,
        help="Folder of the index.",
    )(command)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--rebuild", is_flag=True, help="Start from nothing, with the current settings.")
@_common
def index(folder: Path, rebuild: bool, index: Path, as_json: bool) -> None:
    """Make the index equal to FOLDER: add, update and delete what changed."""
    with _open(index, must_exist=False) as kb, _progress_bar() as progress:
        report = kb.sync(folder, progress, rebuild=rebuild)
    if as_json:
        _print_json(report.to_dict())
    else:
        _print_report(report)


@main.command()
@click.argument("question")
@click.option("-k", "k", type=click.IntRange(1, 100), default=5, show_default=True)
@_common
def search(question: str, k: int, index: Path, as_json: bool) -> None:
    """Find the passages nearest to QUESTION."""
    with _open(index) as kb:
        hits = kb.search(_asked(question), k)
    if as_json:
        _print_json([hit.to_dict() for hit in hits])
        return
    if not hits:
        click.echo("No passage shares anything with the question.")
    for rank, hit in enumerate(hits, start=1):
        click.secho(f"{rank}. {hit.source} {hit.start}:{hit.end}  {hit.score:.3f}", bold=True)
        click.echo(_wrapped(" ".join(hit.text.split()), indent="   "))


@main.command()
@click.argument("question")
@click.option("--answerer", type=click.Choice(["extractive", "llm"]), help="Who answers.")
@_common
def ask(question: str, answerer: str | None, index: Path, as_json: bool) -> None:
    """Answer QUESTION from the documents, with citations, or say that they do not say."""
    with _open(index) as kb:
        answer = kb.ask(_asked(question), answerer=answerer)
    if as_json:
        _print_json(answer.to_dict())
    else:
        _print_answer(answer)


@main.command()
@click.argument("source")
@click.option("--span", metavar="START:END", help="Only these characters.")
@_common
def show(source: str, span: str | None, index: Path, as_json: bool) -> None:
    """Print the text of the document SOURCE, which all offsets refer to."""
    with _open(index) as kb:
        document = kb.document(source)
    start, end = _parse_span(span, len(document.text))
    text = document.text[start:end]
    if as_json:
        _print_json(
            {
                "source": source,
                "title": document.title,
                "start": start,
                "end": end,
                "text": text,
                "page": document.page_at(start),
                "sha256": document.sha256,
            }
        )
    else:
        click.echo(text)


@main.command()
@_common
def status(index: Path, as_json: bool) -> None:
    """Tell what the index holds and what it was made with."""
    with _open(index) as kb:
        values = kb.status()
    if as_json:
        _print_json(values)
        return
    for key, value in values.items():
        if key != "sources":
            shown = ", ".join(value) if isinstance(value, list) else value
            click.echo(f"{key.replace('_', ' '):<14}{shown}")
    for source in values["sources"]:
        click.echo(f"  {source}")


@main.command()
@_common
def verify(index: Path, as_json: bool) -> None:
    """Check every offset, vector and derived index; exit code 1 if anything is wrong."""
    from rag.store.verify import problems
    from rag.sync import only_writer

    _require_index(index)
    with only_writer(index):
        found = problems(index)
    if as_json:
        _print_json({"index": str(index), "ok": not found, "problems": found})
    else:
        click.echo("\n".join(found) if found else "The index is whole.")
    if found:
        count = f"{len(found)} problem{'s' if len(found) > 1 else ''}"
        raise KnowledgeBaseError(
            f"{count}: run 'rag index FOLDER --index {index}', and if that does not help, the "
            "same with --rebuild"
        )


@main.command("eval")
@click.argument("questions", type=click.Path(path_type=Path))
@click.option("--answerer", type=click.Choice(["extractive", "llm"]), help="Who answers.")
@_common
def evaluate(questions: Path, answerer: str | None, index: Path, as_json: bool) -> None:
    """Ask the QUESTIONS (JSON lines) and print the metrics."""
    from rag.evaluate import evaluate as run
    from rag.evaluate import summarize
    from rag.questions import read_questions

    question_set = read_questions(questions)
    with _open(index) as kb, _progress_bar() as progress:
        metrics = summarize(run(kb, question_set, answerer, progress))
    if as_json:
        _print_json(metrics)
    else:
        _print_metrics(metrics)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True)
@_common
def serve(host: str, port: int, index: Path, as_json: bool) -> None:
    """Serve the chat page and the JSON API."""
    from rag import server

    with _open(index, must_exist=False) as kb:

        def announce(url: str) -> None:
            if as_json:
                click.echo(json.dumps({"url": url, "index": str(index)}))
            else:
                click.echo(f"Serving {index} at {url} (Ctrl-C ends it)")

        try:
            server.serve(kb, host, port, announce)
        except OSError as error:
            raise KnowledgeBaseError(str(error)) from error


@contextmanager
def _open(index: Path, *, must_exist: bool = True) -> Iterator[KnowledgeBase]:
    from rag import KnowledgeBase, Settings

    settings = Settings.from_env(os.environ)
    if must_exist:
        _require_index(index)
    with KnowledgeBase(index, settings) as kb:
        yield kb


def _require_index(index: Path) -> None:
    from rag.store.local import LocalStore

    if not LocalStore.exists(index):
        raise KnowledgeBaseError(
            f"no index in {str(index)!r}: make one with 'rag index FOLDER --index {index}'"
        )


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


@contextmanager
def _progress_bar() -> Iterator[Progress]:
    """A progress bar on stderr, one for each stage; nothing where stderr is no terminal."""
    from tqdm import tqdm

    bars: dict[str, tqdm[Any]] = {}

    def report(stage: str, done: int, total: int) -> None:
        bar = bars.get(stage)
        if bar is None or bar.total != total or done < bar.n:
            if bar is not None:
                bar.close()
            bar = bars[stage] = tqdm(total=total, desc=stage, leave=False, disable=None)
        bar.update(done - bar.n)

    try:
        yield report
    finally:
        for bar in bars.values():
            bar.close()


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _print_report(report: SyncReport) -> None:
    parts = [
        f"{len(report.added)} added",
        f"{len(report.updated)} updated",
        f"{len(report.deleted)} deleted",
        f"{report.unchanged} unchanged",
        f"{len(report.failed)} failed",
    ]
    click.echo(f"{', '.join(parts)} in {report.seconds:.1f} s")
    for failure in report.failed[:_MOST_FAILURES_SHOWN]:
        click.echo(f"  {failure.source}: {failure.reason}")
    more = len(report.failed) - _MOST_FAILURES_SHOWN
    if more > 0:
        click.echo(f"  and {more} more; --json lists them all")


def _print_answer(answer: Answer) -> None:
    click.echo("\n".join(map(_wrapped, answer.text.splitlines())))
    likely = "likely that they do" if answer.refused else "likely to be right"
    click.echo(f"\n{answer.confidence:.0%} {likely} ({answer.answerer})")
    for citation in answer.citations:
        page = f", page {citation.page}" if citation.page else ""
        place = f"{citation.source}{page}, {citation.start}:{citation.end}"
        click.secho(f"\n[{citation.number}] {place}", bold=True)
        click.echo(_wrapped(f"“{' '.join(citation.quote.split())}”", indent="    "))
    if answer.refused and answer.hits:
        click.secho("\nNearest passages", bold=True)
        for hit in answer.hits[:3]:
            text = textwrap.shorten(" ".join(hit.text.split()), 200, placeholder=" …")
            click.echo(_wrapped(f"{hit.source}, {hit.start}:{hit.end}: {text}", indent="    "))


def _print_metrics(metrics: dict[str, Any]) -> None:
    click.echo(f"{metrics['questions']} questions, {metrics['answerable']} answerable")
    for group in ("retrieval", "answer", "citation", "refusal", "calibration", "seconds"):
        click.secho(f"\n{group}", bold=True)
        for name, value in metrics[group].items():
            shown = "-" if value is None else f"{value:.3f}"
            click.echo(f"  {name:<12}{shown:>8}")


def _wrapped(text: str, indent: str = "") -> str:
    width = min(100, shutil.get_terminal_size().columns)
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent)


if __name__ == "__main__":
    sys.exit(main())
