"""``rag eval`` and ``rag compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rag.atomic_files import require_target
from rag.cli.common import (
    IN_JSON,
    common_options,
    number,
    open_index,
    print_first,
    print_json,
    progress_bar,
)

if TYPE_CHECKING:
    from rag.evaluate.compare import Comparison
    from rag.evaluate.outcomes import Options

_MAX_CHANGES_SHOWN = 10
_COLUMNS = (
    ("ndcg@10", "retrieval", "ndcg@10"),
    ("em", "answer", "em"),
    ("f1", "answer", "f1"),
    ("cites", "citation", "recall"),
    ("refuses", "refusal", "recall"),
)
"""Figures shown of each group: heading, and where they stand in the report."""

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("eval")
@click.argument("questions", type=click.Path(path_type=Path))
@click.argument("more", metavar="[SETTING=A,B]...", nargs=-1)
@click.option("--answerer", type=click.Choice(["extractive", "llm"]), help="Who answers.")
@click.option("--retrieval-only", is_flag=True, help="Only search: no answers, fast.")
@click.option("--reworded", is_flag=True, help="Answers need not stand in their evidence.")
@click.option("--out", type=_FILE, help="Write a result file, for 'rag compare'.")
@click.option("--html", "page", type=_FILE, help="Write a page with plots and every question.")
@click.option(
    "--sweep",
    "swept",
    multiple=True,
    metavar="SETTING=A,B",
    help="Evaluate each value of a setting; of several settings each combination.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of a sweep's indexes, kept between runs; default: hidden beside the index.",
)
@common_options
def evaluate(
    questions: Path,
    more: tuple[str, ...],
    answerer: str | None,
    retrieval_only: bool,
    reworded: bool,
    out: Path | None,
    page: Path | None,
    swept: tuple[str, ...],
    cache: Path | None,
    index: Path,
    as_json: bool,
) -> None:
    """Ask the QUESTIONS (JSON lines) and print the metrics with their 95 % intervals.

    Further settings to sweep may follow the first: --sweep top_k=3,5 fusion=adaptive,rrf
    """
    from rag.cli.sweep import sweep
    from rag.evaluate.outcomes import Options
    from rag.evaluate.report.page import write_page
    from rag.evaluate.run import run_evaluation
    from rag.question_sets import QuestionFile

    options = Options(answerer, retrieval_only, reworded)
    _require_fit(options, bool(swept), more, out, page, cache)
    if swept:
        sweep(questions, (*swept, *more), options, index, cache, as_json)
        return
    for path in (out, page):
        if path is not None:
            require_target(path, questions)
    question_set = QuestionFile(questions)
    with (
        open_index(index) as kb,
        progress_bar() as progress,
        run_evaluation(kb, question_set, options, progress) as evaluation,
    ):
        report = evaluation.report
        if out:
            evaluation.write(out)
        if page:
            write_page(page, evaluation, lambda source: kb.document(source).text)
    if as_json:
        print_json(report)
    else:
        _print_report(report)


def _require_fit(
    options: Options,
    swept: bool,
    more: tuple[str, ...],
    out: Path | None,
    page: Path | None,
    cache: Path | None,
) -> None:
    """Raise :class:`click.UsageError` for options that exclude each other."""
    odd = [argument for argument in more if not swept or "=" not in argument]
    if odd:
        raise click.UsageError(
            f"unexpected {odd[0]!r}: name one question set, before the settings to sweep"
        )
    if swept and (out or page):
        raise click.UsageError("--sweep prints one table; --out and --html are for one run")
    if cache and not swept:
        raise click.UsageError("--cache is for --sweep")
    if options.answerer and options.retrieval_only:
        raise click.UsageError("--retrieval-only asks nobody; leave out --answerer")
    if out and page and out.absolute() == page.absolute():
        raise click.UsageError(f"--out and --html both name {str(out)!r}")


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--common", is_flag=True, help="Compare the questions that both files hold.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def compare(ctx: click.Context, before: Path, after: Path, common: bool, as_json: bool) -> None:
    """Compare two result files of 'rag eval --out'; exit code 1 if a metric got worse.

    A metric counts as worse or better where a paired permutation test, corrected for the number
    of metrics, finds a difference at the 5 % level.
    """
    from rag.evaluate.compare import compare as run
    from rag.evaluate.results import read_results

    found = run(read_results(before), read_results(after), common=common)
    if as_json:
        print_json(found.to_dict())
    else:
        _print_comparison(found)
    if found.is_worse:
        ctx.exit(1)


def _print_report(report: dict[str, Any]) -> None:
    click.echo(f"{report['questions']} questions, {report['answerable']} answerable")
    for group in ("retrieval", "answer", "citation", "refusal", "calibration"):
        click.secho(f"\n{group}", bold=True)
        for name, value in report[group].items():
            spread = report["intervals"][group][name]
            shown = f"   {spread[0]:.3f} to {spread[1]:.3f}" if spread else ""
            click.echo(f"  {name:<12}{number(value):>8}{shown}")
    click.secho("\nseconds", bold=True)
    for name, value in report["seconds"].items():
        click.echo(f"  {name:<12}{number(value):>8}")
    headings = "".join(f"{heading:>9}" for heading, _, _ in _COLUMNS)
    click.secho(f"\n{'by type':<14}{'questions':>9}{headings}", bold=True)
    for kind, values in report["by_type"].items():
        cells = "".join(f"{number(values[group][name]):>9}" for _, group, name in _COLUMNS)
        click.echo(f"  {kind:<12}{values['questions']:>9}{cells}")


def _print_comparison(found: Comparison) -> None:
    click.echo(f"{found.questions} questions")
    for name, (before, after) in found.settings.items():
        click.echo(f"  {name}: {before} -> {after}")
    click.secho(
        f"\n{'':<22}{'before':>8}{'after':>8}{'change':>8}   {'95 % interval':<18}p (Holm)",
        bold=True,
    )
    for row in found.rows:
        spread = f"{row.interval[0]:+.3f} to {row.interval[1]:+.3f}" if row.interval else ""
        colour = {"worse": "red", "better": "green"}.get(row.verdict)
        click.secho(
            f"  {' '.join(row.metric):<20}{row.before:>8.3f}{row.after:>8.3f}"
            f"{row.difference:>+8.3f}   {spread:<18}{row.p_holm:.4f}"
            + ("" if row.verdict == "same" else f"  {row.verdict}"),
            fg=colour,
        )
    for title, changes in (("Worse", found.worsened), ("Better", found.improved)):
        lines = [f"{c.id}: {c.question} ({c.before} -> {c.after})" for c in changes]
        print_first(lines, _MAX_CHANGES_SHOWN, f"{title}: {len(lines)} questions", IN_JSON)
    worse = [" ".join(row.metric) for row in found.rows if row.verdict == "worse"]
    click.echo(
        f"\nSignificantly worse: {', '.join(worse)}"
        if worse
        else "\nNothing got significantly worse."
    )


COMMANDS = (evaluate, compare)
"""What this module adds to ``rag``."""
