"""``rag questions``: bring question sets in and check them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.cli.common import (
    IN_JSON,
    common_options,
    isolated_loader,
    open_index,
    print_first,
    print_json,
)
from rag.cli.drafts import draft
from rag.question_sets.importing import FORMATS

if TYPE_CHECKING:
    from rag.question_sets.importing import ImportReport

_MAX_SHOWN = 20


@click.group()
def questions() -> None:
    """Make question sets for 'rag eval'."""


@questions.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", "kind", type=click.Choice(list(FORMATS)), help="Else guessed.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write."
)
@click.option(
    "--documents",
    type=click.Path(file_okay=False, path_type=Path),
    help="New folder for the documents that come with the set; without it they are looked for "
    "in the index.",
)
@common_options
def import_(
    path: Path, kind: str | None, out: Path, documents: Path | None, index: Path, as_json: bool
) -> None:
    """Turn SQuAD's JSON, a CSV table (question,answer,source), a BEIR folder or JSON lines into a
    set.

    Each answer is located in the documents; what cannot be is reported and left out.
    """
    from rag.atomic_files import filling, require_target
    from rag.question_sets.importing import bring_documents, entries, guess_format, write_questions
    from rag.question_sets.locate import Documents

    kind = kind or guess_format(path)
    require_target(out, path)
    if documents is not None:
        with filling(documents) as folder, isolated_loader() as load:
            found = bring_documents(path, kind, folder, load)
            report = write_questions(out, entries(path, kind, found))
    else:
        with open_index(index) as kb:
            found = Documents(kb.sources(), lambda source: kb.document(source).text)
            report = write_questions(out, entries(path, kind, found))
    if as_json:
        print_json(report.to_dict())
    else:
        _print_import(report, out)


@questions.command()
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write."
)
@common_options
def export(out: Path, index: Path, as_json: bool) -> None:
    """Write the answers that users of the page marked as wrong as a question set.

    What is not complete, or does not fit the documents any more, is reported and left out.
    """
    from rag.atomic_files import require_target
    from rag.errors import QuestionSetError
    from rag.question_sets.feedback import FILE
    from rag.question_sets.importing import entries, write_questions
    from rag.question_sets.locate import Documents

    require_target(out, index / FILE)
    if not (index / FILE).exists():
        raise QuestionSetError(
            f"no feedback in {str(index)!r}: it comes from 'Not right?' below the page's answers"
        )
    with open_index(index) as kb:
        documents = Documents(kb.sources(), lambda source: kb.document(source).text)
        report = write_questions(out, entries(index / FILE, "jsonl", documents))
    if as_json:
        print_json(report.to_dict())
    else:
        _print_import(report, out)


@questions.command()
@click.argument("path", metavar="QUESTIONS", type=click.Path(path_type=Path))
@click.option("--reworded", is_flag=True, help="Answers need not stand in their evidence.")
@common_options
def check(path: Path, reworded: bool, index: Path, as_json: bool) -> None:
    """Check that QUESTIONS is well formed and that the documents bear out its evidence."""
    from rag.question_sets import QuestionFile, check_evidence

    found = QuestionFile(path)
    with open_index(index) as kb:
        check_evidence(found, lambda source: kb.document(source).text, reworded=reworded)
    answerable = sum(question.answerable for question in found)
    if as_json:
        print_json({"questions": len(found), "answerable": answerable})
    else:
        click.echo(f"{len(found)} questions, {answerable} answerable; all is well.")


questions.add_command(draft)


def _print_import(report: ImportReport, out: Path) -> None:
    click.echo(
        f"{report.imported} questions imported into {out}, {report.answerable} answerable; "
        f"{len(report.skipped)} skipped"
    )
    for title, remarks in (("Skipped", report.skipped), ("Worth a look", report.notes)):
        lines = [f"{remark.where}: {remark.reason}" for remark in remarks]
        print_first(lines, _MAX_SHOWN, title, IN_JSON)


COMMANDS = (questions,)
"""What this module adds to ``rag``."""
