"""Measure how dense and lexical search are fused, on question sets with known evidence.

    python benchmarks/fusion.py DATA [SET ...] [--cache DIR]

``DATA`` holds ``dev/<set>/docs/`` and ``dev/<set>/questions.jsonl``. A set named ``train/<name>``
is made from ``DATA/train/<name>.jsonl.gz``: each passage becomes one file, and 500 questions on
them are drawn. The documents are indexed as the program does it; the candidates then go through
each fusion. Of a question's evidence spans any counts, so it has one relevant item, the first hit
that overlaps one: nDCG@10 is 1 / log2(1 + its rank). Intervals are paired bootstraps over the
questions.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag import KnowledgeBase
from rag.answering.question import Question
from rag.answering.retrieve import CANDIDATES, lexical_weight
from rag.answering.scales import scale_of
from rag.embed import BundledEmbedder
from rag.fusion import FOREIGN, FUSIONS, TYPED, WRITTEN, Fusion, ranked, weighted
from rag.question_sets import GoldQuestion, read_questions
from rag.types import Candidate, Embedder

SETS = ("nq", "xquad_en", "squad2", "xquad_zh", "xquad_es", "xquad_de")
DEPTH = 10
PASSAGE_QUESTIONS = 500
PASSAGES = 1600
RESAMPLES = 2000
SEED = 20240607


@dataclass(frozen=True)
class Case:
    """A question as every fusion sees it."""

    question: GoldQuestion
    found: Sequence[Candidate]
    weight: float

    def rank(self, fusion: Fusion) -> float:
        """Rank of the first right hit, counted from 1; infinite beyond :data:`DEPTH`."""
        hits = ranked(self.found, fusion(self.found, self.weight))
        for rank, hit in enumerate(hits[:DEPTH], 1):
            if self.question.is_evidence(hit.source, hit.start, hit.end):
                return rank
        return np.inf


def min_max(found: Sequence[Candidate], weight: float, *, share: float) -> list[float]:
    """``share`` of the cosine and the rest of BM25, each stretched to 0..1 over the candidates."""
    stretched = []
    for side in ([c.dense for c in found], [c.lexical for c in found]):
        low, high = min(side, default=0.0), max(side, default=0.0)
        stretched.append((np.asarray(side) - low) / max(high - low, 1e-9))
    average = share * stretched[0] + (1 - share) * stretched[1]
    return [float(score) for score in average]


def fixed(found: Sequence[Candidate], weight: float, *, at: float) -> list[float]:
    """The program's formula with the weight ``at`` for every question."""
    return weighted(found, at)


COMPARED: dict[str, Fusion] = {
    **FUSIONS,
    **{f"min-max {share}": partial(min_max, share=share) for share in (0.4, 0.5, 0.6, 0.7, 0.8)},
    **{
        f"fixed {w}": partial(fixed, at=w)
        for w in (0.1, TYPED, 0.3, 0.4, WRITTEN, 1.0, FOREIGN, 3.0)
    },
}
"""The program's own fusions, which ``RAG_FUSION`` names, and others."""


# Figures


def figures(ranks: npt.NDArray[np.float64]) -> dict[str, float]:
    """Means over questions."""
    return {
        **{f"recall@{k}": float((ranks <= k).mean()) for k in (1, 5, 10)},
        "MRR@10": float((1 / ranks).mean()),
        "nDCG@10": float(ndcg(ranks).mean()),
    }


def ndcg(ranks: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """nDCG@10 of each question with its one relevant item."""
    return 1 / np.log2(1 + ranks)


def interval(differences: npt.NDArray[np.float64]) -> str:
    """Mean of paired differences with its 95 % bootstrap interval."""
    rng = np.random.default_rng(SEED)
    drawn = rng.integers(0, len(differences), (RESAMPLES, len(differences)))
    low, high = np.percentile(differences[drawn].mean(axis=1), [2.5, 97.5])
    return f"{differences.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


def report(name: str, cases: Sequence[Case]) -> None:
    """Print the table of one set."""
    ranks = {
        label: np.array([case.rank(fusion) for case in cases], dtype=np.float64)
        for label, fusion in COMPARED.items()
    }
    weights = [case.weight for case in cases]
    print(f"\n{name}: {len(cases)} questions, median weight {np.median(weights):.2f}")
    for label, found in ranks.items():
        row = "  ".join(f"{key} {value:.3f}" for key, value in figures(found).items())
        print(f"  {label:12s} {row}")
    for other in ("dense", "lexical"):
        recall = (ranks["adaptive"] <= 5).astype(float) - (ranks[other] <= 5)
        gain = ndcg(ranks["adaptive"]) - ndcg(ranks[other])
        print(f"  adaptive - {other}: recall@5 {interval(recall)}  nDCG@10 {interval(gain)}")


# Question sets


def cases_of(
    name: str, data: Path, cache: Path, embedder: Embedder, n: int, limit: int | None = None
) -> list[Case]:
    """Index a set's documents, and find the candidates for its answerable questions.

    Of more questions than ``limit``, a seeded sample is taken.
    """
    if name.startswith("train/"):
        folder, path = passages_as_files(data / f"{name}.jsonl.gz", cache / name)
    else:
        folder, path = data / "dev" / name / "docs", data / "dev" / name / "questions.jsonl"
    questions = [question for question in read_questions(path) if question.answerable]
    if limit is not None and limit < len(questions):
        questions = random.Random(SEED).sample(questions, limit)
    with KnowledgeBase(cache / name / "index", embedder=embedder) as kb:
        sync = kb.sync(folder)
        if sync.failed:
            raise SystemExit(f"{name}: {sync.failed[0].source}: {sync.failed[0].reason}")
        store = kb._store()  # the candidates before fusion are nobody else's business
        assert store is not None
        vectors = [embedder.embed_query(question.question) for question in questions]
        return [
            Case(
                q,
                scale_of(embedder).apply(store.search(q.question, v, n)),
                lexical_weight(Question(q.question), embedder),
            )
            for q, v in zip(questions, vectors, strict=True)
        ]


def passages_as_files(path: Path, target: Path) -> tuple[Path, Path]:
    """Write passages of a reading set as files, with a question set on them."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [row for row in map(json.loads, file) if row["answers"]]
    rng = random.Random(SEED)
    passages = sorted({row["context"] for row in rows})
    rng.shuffle(passages)
    sources = {passage: f"{i:05d}.txt" for i, passage in enumerate(passages[:PASSAGES])}
    rows = [row for row in rows if row["context"] in sources]
    rng.shuffle(rows)
    folder, questions = target / "docs", target / "questions.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    for passage, source in sources.items():
        (folder / source).write_text(passage, encoding="utf-8", newline="")
    lines = (json.dumps(_as_question(r, sources)) for r in rows[:PASSAGE_QUESTIONS])
    questions.write_text("\n".join(lines), encoding="utf-8")
    return folder, questions


def _as_question(row: dict, sources: dict[str, str]) -> dict:  # type: ignore[type-arg]
    """A row of a reading set in the form of a question set; the whole passage is evidence."""
    evidence = {"source": sources[row["context"]], "start": 0, "end": len(row["context"].rstrip())}
    return {
        "id": row["id"],
        "question": row["question"],
        "answers": [answer["text"] for answer in row["answers"]],
        "evidence": [evidence],
    }


def run(data: Path, sets: Iterable[str], cache: Path, n: int) -> None:
    """Measure the sets one after the other."""
    embedder = BundledEmbedder()
    for name in sets:
        report(name, cases_of(name, data, cache, embedder, n))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("data", type=Path, help="folder with dev/ and train/")
    parser.add_argument("sets", nargs="*", default=SETS, help="such as nq or train/nq_swap")
    parser.add_argument("--cache", type=Path, help="keep the indexes in this folder")
    parser.add_argument("--candidates", type=int, default=CANDIDATES, help="from each side")
    args = parser.parse_args()
    if args.cache:
        run(args.data, args.sets, args.cache, args.candidates)
    else:
        with tempfile.TemporaryDirectory() as folder:
            run(args.data, args.sets, Path(folder), args.candidates)


if __name__ == "__main__":
    main()
