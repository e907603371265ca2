"""``rag eval --sweep``: what is printed of a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from rag.cli.common import number, open_index, print_json, progress_bar
from rag.evaluate.outcomes import Options

_COLUMNS = (
    ("recall@5", "retrieval", "recall@5"),
    ("ndcg@10", "retrieval", "ndcg@10"),
    ("em", "answer", "em"),
    ("f1", "answer", "f1"),
    ("cites", "citation", "recall"),
    ("cites ok", "citation", "precision"),
    ("refuses", "refusal", "recall"),
    ("ref. ok", "refusal", "precision"),
    ("ece", "calibration", "ece"),
    ("p50 s", "seconds", "p50"),
)
"""Heading of a column, and where its figure stands in a report."""


def sweep(
    questions: Path,
    arguments: Sequence[str],
    options: Options,
    index: Path,
    cache: Path | None,
    as_json: bool,
) -> None:
    """Evaluate every combination of the settings in ``arguments`` and print one table."""
    from rag.evaluate.combinations import OF_RETRIEVAL, OF_THE_ANSWER, combine, parse_sweep
    from rag.evaluate.sweep import run_sweep
    from rag.indexing.purge import sweep_cache
    from rag.question_sets import QuestionFile

    names = OF_RETRIEVAL if options.retrieval_only else (*OF_RETRIEVAL, *OF_THE_ANSWER)
    swept = parse_sweep(arguments, names)
    if "answerer" in swept and options.answerer:
        raise click.UsageError("--answerer and --sweep answerer=... exclude each other")
    question_set = QuestionFile(questions)
    with open_index(index) as kb, progress_bar() as progress:
        combinations = combine(swept, kb.settings)
        found = run_sweep(
            kb, question_set, combinations, options, cache or sweep_cache(index), progress
        )
    found = {"swept": swept, **found}
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    rows = found["combinations"]
    click.echo(
        f"{found['questions']} questions, {found['answerable']} answerable, "
        f"{len(rows)} combinations\n"
    )
    widths = {
        name: max(len(name), *(len(str(value)) for value in values)) + 2
        for name, values in found["swept"].items()
    }
    heads = "".join(f"{name:<{width}}" for name, width in widths.items())
    click.secho(heads + "".join(f"{heading:>10}" for heading, _, _ in _COLUMNS), bold=True)
    for row in rows:
        cells = "".join(f"{row['settings'][name]!s:<{width}}" for name, width in widths.items())
        figures = "".join(f"{number(row[group][name]):>10}" for _, group, name in _COLUMNS)
        click.echo(cells + figures)
    click.echo("\nThe --json output has the 95 % intervals; differences within them tell little.")
