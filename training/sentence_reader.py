"""Fit the weights of :class:`rag.read.SentenceReader`.

``python training/sentence_reader.py TRAIN_DIR`` reads ``squad1_train_20articles.jsonl.gz`` there,
makes each article a document, and asks its questions. For a third of the questions the passages
that hold the evidence are withheld, so the best that retrieval finds are near misses; in a sixth a
name or a number is swapped for another question's, so that no passage answers. A logistic
regression over all sentences, weighted so that each question counts the same, gives the weights.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from tqdm import tqdm

from rag import Hit, KnowledgeBase
from rag.embed import BundledEmbedder
from rag.questions import Evidence
from rag.read import NAME, SentenceVectors, sentences_of, signals

FILE = "squad1_train_20articles.jsonl.gz"


def main() -> None:
    """Print the weights, the intercept and how well they do on articles left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("--questions", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    rows = read_rows(options.train / FILE)
    articles = make_articles(rows)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "docs")
        folder.mkdir()
        for title, (text, _) in articles.items():
            (folder / f"{title}.txt").write_text(text, encoding="utf-8", newline="")
        embedder = BundledEmbedder()
        vectors = SentenceVectors(embedder, remembered=1_000_000)
        with KnowledgeBase(Path(temporary, "index"), embedder=embedder) as kb:
            kb.sync(folder)
            sample = rng.sample(rows, min(options.questions, len(rows)))
            others = [row["question"] for row in rows]
            examples = [
                make_example(kb, vectors, row, articles, others, rng) for row in tqdm(sample)
            ]
    fit([example for example in examples if example is not None], rng)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The questions of a training file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def make_articles(rows: list[dict[str, Any]]) -> dict[str, tuple[str, dict[str, int]]]:
    """Each title's text, and where each of its passages begins in it."""
    passages: dict[str, dict[str, None]] = {}
    for row in rows:
        context = row["context"].replace("\r\n", "\n").replace("\r", "\n")
        passages.setdefault(row["title"].replace("/", "_"), {})[context] = None
    articles = {}
    for title, contexts in passages.items():
        starts: dict[str, int] = {}
        text = ""
        for context in contexts:
            starts[context] = len(text)
            text += f"{context}\n\n"
        articles[title] = (text, starts)
    return articles


Example = tuple[str, np.ndarray, np.ndarray]


def make_example(
    kb: KnowledgeBase,
    vectors: SentenceVectors,
    row: dict[str, Any],
    articles: dict[str, tuple[str, dict[str, int]]],
    others: list[str],
    rng: random.Random,
) -> Example | None:
    """``(title, signals, labels)`` of one question, half of the time made unanswerable."""
    title = row["title"].replace("/", "_")
    begin = articles[title][1].get(row["context"])
    if begin is None:
        return None
    source = f"{title}.txt"
    evidence = [
        Evidence(source, begin + a["start"], begin + a["start"] + len(a["text"]))
        for a in row["answers"]
    ]

    def holds(hit: Hit) -> bool:
        return any(e.overlaps(hit.source, hit.start, hit.end) for e in evidence)

    question = row["question"]
    draw = rng.random()
    edited = swap_name(question, others, rng) if draw < 1 / 6 else None
    withhold = edited is None and draw < 1 / 2
    hits = kb.search(edited or question, 8)
    places = sentences_of([hit for hit in hits if not (withhold and holds(hit))][:5])
    labels = [
        edited is None and any(e.overlaps(h.source, s, t) for e in evidence) for h, s, t in places
    ]
    return title, signals(edited or question, places, vectors), np.array(labels, dtype=int)


def swap_name(question: str, others: list[str], rng: random.Random) -> str | None:
    """The question about another name or number; None if it has neither."""
    for pattern in (NAME, re.compile(r"\b\d{2,}\b")):
        own = pattern.findall(question)
        for other in rng.sample(others, 50):
            theirs = [name for name in pattern.findall(other) if name not in question]
            if own and theirs:
                return question.replace(rng.choice(own), rng.choice(theirs))
    return None


def fit(examples: list[Example], rng: random.Random) -> None:
    """Fit on four fifths of the articles, report on the rest."""
    titles = sorted({title for title, _, _ in examples})
    rng.shuffle(titles)
    held_out = set(titles[: max(1, len(titles) // 5)])
    train = [e for e in examples if e[0] not in held_out]
    test = [e for e in examples if e[0] in held_out]
    weights = np.concatenate([np.full(len(y), 1.0 / len(y)) for _, _, y in train])
    model = LogisticRegression(C=10.0, max_iter=1000)
    model.fit(
        np.concatenate([x for _, x, _ in train]),
        np.concatenate([y for _, _, y in train]),
        sample_weight=weights * len(weights) / weights.sum(),
    )
    best = [int(np.argmax(model.decision_function(x))) for _, x, _ in test]
    # What the product shows is the best sentence, so its probability is what must be right:
    # the best of many is right more often than any one, which one more regression accounts for.
    train_best = [int(np.argmax(model.decision_function(x))) for _, x, _ in train]
    logits = np.array(
        [model.decision_function(x)[b] for (_, x, _), b in zip(train, train_best, strict=True)]
    )
    right = np.array([y[b] for (_, _, y), b in zip(train, train_best, strict=True)])
    scale = LogisticRegression(C=1e6).fit(logits[:, None], right)
    slope, shift = float(scale.coef_[0, 0]), float(scale.intercept_[0])
    coefficients = slope * model.coef_[0]
    intercept = slope * float(model.intercept_[0]) + shift
    print("WEIGHTS =", tuple(round(float(w), 3) for w in coefficients))
    print("INTERCEPT =", round(intercept, 3))
    shown = np.array(
        [float(x[b] @ coefficients + intercept) for (_, x, _), b in zip(test, best, strict=True)]
    )
    labels = np.array([y[b] for (_, _, y), b in zip(test, best, strict=True)])
    possible = np.array([y.max() for _, _, y in test])
    probabilities = 1.0 / (1.0 + np.exp(-shown))
    print(f"articles left out: {len(test)} questions, {possible.mean():.3f} with the evidence")
    print(f"best sentence right where it can be: {labels.sum() / possible.sum():.3f}")
    print(f"probability of the best: AUROC of right {roc_auc_score(labels, probabilities):.3f}, ")
    print(f"AUROC of answerable {roc_auc_score(possible, probabilities):.3f}, ")
    print(f"log loss {log_loss(labels, probabilities):.3f}")


if __name__ == "__main__":
    main()
