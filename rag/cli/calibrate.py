"""``rag calibrate``."""

from __future__ import annotations

from pathlib import Path

import click

from rag.cli.common import common_options, number, open_index, print_json, progress_bar


@click.command()
@click.argument("questions", type=click.Path(path_type=Path), required=False)
@click.option("--clear", is_flag=True, help="Go back to the probabilities that ship.")
@common_options
def calibrate(questions: Path | None, clear: bool, index: Path, as_json: bool) -> None:
    """Fit the probabilities to your documents, by QUESTIONS (JSON lines) with known answers.

    What is fitted is kept in the index and used from then on; it goes with a rebuild.
    """
    from rag.evaluate.calibrate import calibrate as run
    from rag.question_sets import QuestionFile

    if clear == (questions is not None):
        raise click.UsageError("name a question set, or --clear")
    with open_index(index) as kb, progress_bar() as progress:
        if questions is None:
            kb.set_calibration(None)
            if as_json:
                print_json({"calibrated": False})
            else:
                click.echo("The probabilities are those that ship.")
            return
        fitted = run(kb, QuestionFile(questions), progress)
        kb.set_calibration(fitted.calibration)
    if as_json:
        print_json(fitted.to_dict())
        return
    click.echo(f"Fitted to {fitted.questions} questions.\n")
    click.secho(f"{'':<20}{'before':>8}{'after':>8}   (each by a fit to others)", bold=True)
    for name, before in fitted.before.items():
        click.echo(f"  {name:<18}{number(before):>8}{number(fitted.after[name]):>8}")


COMMANDS = (calibrate,)
"""What this module adds to ``rag``."""
