"""``rag questions draft``."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.cli.common import (
    index_exists,
    isolated_loader,
    open_index,
    print_first,
    print_json,
    progress_bar,
)
from rag.errors import KnowledgeBaseError, LoadError, OutputError, QuestionSetError, SettingsError

if TYPE_CHECKING:
    from rag.answering.generate import OpenAIGenerator
    from rag.evaluate.draft import Draft
    from rag.indexing.scan import FoundFile
    from rag.load.registry import Load
    from rag.question_sets.locate import Documents


_MAX_SHOWN = 20

_CACHED_CHARACTERS = 32_000_000
"""Text of a folder's documents kept in memory, for each is looked at several times."""


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
    from rag.atomic_files import replacing, require_target
    from rag.evaluate.draft import draft_questions
    from rag.evaluate.draft.rewording import reworded

    require_target(out)
    _require_undecided(out)
    generator = _generator() if reword else None
    with _documents(path) as documents, progress_bar() as progress:
        drafts = draft_questions(documents, count, seed, progress)
        if generator:
            drafts = list(reworded(drafts, generator, progress))
    with replacing(out) as file:
        for one in drafts:
            file.write(json.dumps(one.to_dict(), ensure_ascii=False) + "\n")
    if as_json:
        print_json(_summary(drafts))
    else:
        _print(drafts, out)


def _require_undecided(out: Path) -> None:
    """Raise :class:`OutputError` for a file that holds what somebody has reviewed."""
    from rag.question_sets.reviewing import decided

    try:
        count = decided(out) if out.exists() else 0
    except QuestionSetError:  # no question set: it may be written over, as any file
        return
    if count:
        raise OutputError(
            f"{str(out)!r} holds {count} questions that are no drafts any more: name another file"
        )


@contextmanager
def _documents(path: Path) -> Iterator[Documents]:
    """The documents of an index, or of a folder, where files that cannot be read are left out."""
    from rag.question_sets.locate import Documents

    if index_exists(path):
        with open_index(path) as kb:
            yield Documents(kb.sources(), lambda source: kb.document(source).text)
        return
    if not path.is_dir():
        raise KnowledgeBaseError(f"no folder {str(path)!r}: name a folder or an index")
    with isolated_loader() as load:
        yield _of_folder(path, load)


def _of_folder(folder: Path, load: Load) -> Documents:
    """The documents of a folder; of a file that holds several each."""
    from cachetools import LRUCache

    from rag.indexing.file_bytes import read_file
    from rag.indexing.scan import find_files
    from rag.question_sets.locate import Documents

    texts: LRUCache[str, str] = LRUCache(_CACHED_CHARACTERS, getsizeof=lambda text: len(text) + 1)
    files: dict[str, FoundFile] = {}

    def texts_in(file: FoundFile) -> dict[str, str]:
        try:
            loaded = load(read_file(file)[0], file.source)
        except (LoadError, OSError):  # as a sync would report it: no document
            return {}
        found = {document.source: document.text for document in loaded.documents}
        texts.update((s, text) for s, text in found.items() if len(text) < _CACHED_CHARACTERS)
        return found

    def text_of(source: str) -> str:
        known: str | None = texts.get(source)
        return texts_in(files[source]).get(source, "") if known is None else known

    for file in find_files(folder):
        files.update(dict.fromkeys(texts_in(file), file))
    return Documents(list(files), text_of)


def _generator() -> OpenAIGenerator:
    from rag import Settings
    from rag.answering.generate import make_generator

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
    lines = [f"{d.question.question}  [{d.answer or 'the documents do not say'}]" for d in drafts]
    print_first(lines, _MAX_SHOWN)
    summary = _summary(drafts)
    click.echo(
        f"{summary['questions']} drafts in {out}, {summary['answerable']} answerable: review them "
        "before you trust figures made with them"
    )
