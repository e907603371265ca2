"""``rag questions draft``."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.cli.common import open_index, print_json, progress_bar
from rag.errors import KnowledgeBaseError, LoadError, SettingsError

if TYPE_CHECKING:
    from rag.draft import Draft
    from rag.questions.locate import Documents
    from rag.types import Generator

_MOST_SHOWN = 20


@click.command()
@click.argument("path", metavar="FOLDER_OR_INDEX", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write."
)
@click.option("--count", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed: others.")
@click.option("--reword", is_flag=True, help="Have the configured LLM word the questions better.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def draft(path: Path, out: Path, count: int, seed: int, reword: bool, as_json: bool) -> None:
    """Draft a question set from the user's own documents, to be reviewed.

    No language model is needed. Up to a third of the questions are near misses, which the
    documents do not answer.
    """
    from rag.draft import draft_questions
    from rag.draft.rewording import reworded
    from rag.files import replacing, require_folder

    require_folder(out)
    generator = _generator() if reword else None
    with _documents(path) as documents, progress_bar() as progress:
        drafts = draft_questions(documents, count, seed, progress)
    if generator:
        drafts = list(reworded(drafts, generator))
    with replacing(out) as file:
        for one in drafts:
            file.write(json.dumps(one.to_dict(), ensure_ascii=False) + "\n")
    if as_json:
        print_json(_summary(drafts))
    else:
        _print(drafts, out)


@contextmanager
def _documents(path: Path) -> Iterator[Documents]:
    """The documents of an index, or of a folder, where files that cannot be read are left out."""
    from rag.load import find_files, load_bytes
    from rag.questions.locate import Documents
    from rag.store.local import LocalStore

    if LocalStore.exists(path):
        with open_index(path) as kb:
            yield Documents(kb.sources(), lambda source: kb.document(source).text)
        return
    if not path.is_dir():
        raise KnowledgeBaseError(f"no folder {str(path)!r}: name a folder or an index")
    files = dict(find_files(path))

    @lru_cache(maxsize=64)
    def text_of(source: str) -> str:
        try:
            return load_bytes(files[source].read_bytes(), source).text
        except (LoadError, OSError):  # as a sync would report it: no document
            return ""

    yield Documents(list(files), text_of)


def _generator() -> Generator:
    from rag import Settings
    from rag.generate import make_generator

    generator = make_generator(Settings.from_env(os.environ))
    if generator is None:
        raise SettingsError("--reword needs a model: set RAG_LLM_BASE_URL and RAG_LLM_MODEL")
    return generator


def _summary(drafts: list[Draft]) -> dict[str, object]:
    return {
        "questions": len(drafts),
        "answerable": sum(one.question.answerable for one in drafts),
        "kinds": dict(sorted(Counter(one.kind for one in drafts).items())),
    }


def _print(drafts: list[Draft], out: Path) -> None:
    for one in drafts[:_MOST_SHOWN]:
        click.echo(f"  {one.question.question}  [{one.answer or 'the documents do not say'}]")
    if len(drafts) > _MOST_SHOWN:
        click.echo(f"  and {len(drafts) - _MOST_SHOWN} more")
    summary = _summary(drafts)
    click.echo(
        f"{summary['questions']} drafts in {out}, {summary['answerable']} answerable: review them "
        "before you trust figures made with them"
    )
