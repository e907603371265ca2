"""One question set under many settings: which of them serve these documents best.

Combinations that change what an index is made with get indexes of their own in a cache folder,
made from the folder that the user's index follows and synced with it by later runs. The
user's index is only read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.embed import make_embedder
from rag.errors import KnowledgeBaseError
from rag.evaluate.combinations import Combination
from rag.evaluate.outcomes import Options
from rag.evaluate.run import run_evaluation
from rag.question_sets import GoldQuestion, check_evidence
from rag.types import Embedder, Progress

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase

_KEPT = (
    "retrieval", "answer", "citation", "refusal", "calibration", "seconds", "intervals", "about",
)  # fmt: skip
"""What the table keeps of each evaluation."""


def run_sweep(
    kb: KnowledgeBase,
    questions: Collection[GoldQuestion],
    combinations: Sequence[Combination],
    options: Options,
    cache: Path,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Evaluate every combination; ``{"questions", "answerable", "combinations": [...]}``.

    Each combination has its ``settings`` and the figures of :func:`full_report` that do not
    group. Raises what :func:`run_evaluation` does; the embedders and the evidence are checked
    before anything is indexed.
    """
    check_evidence(questions, lambda source: kb.document(source).text, reworded=options.reworded)
    embedders = _embedders(kb, combinations)
    groups: dict[tuple[Any, ...], list[int]] = {}
    for number, combination in enumerate(combinations):
        groups.setdefault(combination.index_settings, []).append(number)
    rows: dict[int, dict[str, Any]] = {}
    own = Combination({}, kb.settings).index_settings
    # Those that need another index first: whether they can have it shows before hours are spent.
    for made_with in sorted(groups, key=lambda settings: settings == own):
        members = groups[made_with]
        first = combinations[members[0]]
        with _index(kb, first, embedders, cache, progress) as base:
            for number in members:
                told = _prefixed(progress, f"{len(rows) + 1}/{len(combinations)}")
                with (
                    base.variant(base.path, combinations[number].settings) as variant,
                    run_evaluation(variant, questions, options, told) as evaluation,
                ):
                    report = evaluation.report
                    rows[number] = {"settings": dict(combinations[number].values)}
                    rows[number] |= {name: report[name] for name in _KEPT}
    return {
        "questions": len(questions),
        "answerable": sum(question.answerable for question in questions),
        "combinations": [rows[number] for number in range(len(combinations))],
    }


def _embedders(kb: KnowledgeBase, combinations: Sequence[Combination]) -> dict[str, Embedder]:
    """The embedders that are not the user's index's; each has proved that it can embed."""
    names = dict.fromkeys(combination.settings.embedder for combination in combinations)
    found = {name: make_embedder(name) for name in names if name != kb.settings.embedder}
    for embedder in found.values():
        embedder.embed_query("")
    return found


@contextmanager
def _index(
    kb: KnowledgeBase,
    combination: Combination,
    embedders: Mapping[str, Embedder],
    cache: Path,
    progress: Progress | None,
) -> Iterator[KnowledgeBase]:
    """A knowledge base made with a combination's settings: the user's own, or one of the cache."""
    settings = combination.settings
    if combination.index_settings == Combination({}, kb.settings).index_settings:
        yield kb
        return
    folders = _require_folders(kb, cache)
    embedder = embedders.get(settings.embedder)
    named = embedder.name if embedder else kb.status()["embedder"]
    path = cache / _key(named, settings.chunk_tokens, settings.chunk_overlap)
    with kb.variant(path, settings, embedder) as cached:
        cached.sync(folders, progress)
        if cached.file_digests() != kb.file_digests():
            named = " ".join(map(str, folders))
            raise KnowledgeBaseError(
                f"{named!r} has changed since {str(kb.path)!r} was made, so a sweep would compare "
                f"different documents: run 'rag index {named} --index {kb.path}' first"
            )
        yield cached


def _require_folders(kb: KnowledgeBase, cache: Path) -> tuple[Path, ...]:
    """The folders to index, which must not take the cache's files for documents."""
    folders = kb.folders
    if not folders:
        raise KnowledgeBaseError(
            f"the index in {str(kb.path)!r} follows no folder: run 'rag index FOLDER' first"
        )
    inside = cache.resolve()
    for folder in folders:
        if inside.is_relative_to(folder.resolve()):
            parts = inside.relative_to(folder.resolve()).parts
            if not any(part.startswith(".") for part in parts):
                raise KnowledgeBaseError(
                    f"the cache {str(cache)!r} would stand among the documents of "
                    f"{str(folder)!r}: name another folder with --cache"
                )
    return folders


def _key(embedder: str, chunk_tokens: int, chunk_overlap: int) -> str:
    made_with = json.dumps([embedder, chunk_tokens, chunk_overlap])
    digest = hashlib.sha256(made_with.encode()).hexdigest()[:12]
    return f"{chunk_tokens}-tokens-{chunk_overlap}-overlap-{digest}"


def _prefixed(progress: Progress | None, prefix: str) -> Progress | None:
    if progress is None:
        return None
    report = progress
    return lambda stage, done, total: report(f"{stage} {prefix}", done, total)
