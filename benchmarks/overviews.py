"""Measure overviews against the first sentences and random ones, at equal numbers of sentences.

    python benchmarks/overviews.py DATA [SET ...] [--aclsum FOLDER] [--cache DIR]

``DATA`` holds ``dev/<set>/docs/`` and ``dev/<set>/questions.jsonl``. For documents with more than
:data:`MIN_CANDIDATES` sentences: the share of the questions whose evidence a quoted sentence holds.
For all: whether the citations are valid, and whether the overview names the document's most
frequent proper noun, by a count of its own.

``FOLDER`` is the unpacked package ``aclsum`` (MIT): papers with their abstracts. The overview of a
paper without its abstract is compared with the abstract by ROUGE-1 and ROUGE-2 (F1, in percent);
``test`` papers only. The weights in ``rag/answering/overview/centrality.py`` were chosen on others.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter

from rag import Document, KnowledgeBase
from rag.answering.overview.candidates import candidates
from rag.question_sets import GoldQuestion, read_questions
from rag.text.sentences import TextSpan

SETS = ("squad2", "clapnq", "xquad_en", "xquad_de", "xquad_es", "xquad_zh", "nq")
MIN_CANDIDATES = 12
DRAWS = 20
PAPERS = 40
WAYS = ("overview", "first", "random")


def chosen(document: Document, kb: KnowledgeBase) -> Iterator[tuple[str, list[TextSpan]]]:
    """Each way, with what it quotes; random ones :data:`DRAWS` times."""
    spans = candidates(document)
    quoted = [(c.start, c.end) for c in kb.overview(document.source).citations]
    yield "overview", quoted
    yield "first", spans[: len(quoted)]
    for seed in range(DRAWS):
        yield "random", random.Random(f"{document.source}{seed}").sample(spans, len(quoted))


def evidence_share(questions: Sequence[GoldQuestion], source: str, spans: list[TextSpan]) -> float:
    """Share of the questions with evidence in a document that a span holds."""
    held = sum(any(q.is_evidence(source, a, b) for a, b in spans) for q in questions)
    return held / len(questions)


def names_most_frequent(document: Document, quoted: str) -> bool | None:
    """Whether ``quoted`` has a most frequent proper noun; None where the text has none twice."""
    words = re.findall(r"(?<=[a-z,] )[A-Z]\w+", document.text)
    most = Counter(words).most_common()
    best = {word for word, count in most if count == most[0][1] > 1}
    return any(word in quoted for word in best) if best else None


def dev_set(data: Path, name: str, cache: Path) -> None:
    """Print the figures of one set."""
    questions: dict[str, list[GoldQuestion]] = {}
    for question in read_questions(data / "dev" / name / "questions.jsonl"):
        for source in {evidence.source for evidence in question.evidence}:
            questions.setdefault(source, []).append(question)
    with KnowledgeBase(cache / name) as kb:
        kb.sync(data / "dev" / name / "docs")
        kb.warm()
        shares: dict[str, list[float]] = {way: [] for way in WAYS}
        valid = total = quoting = 0
        named: list[bool] = []
        seconds: list[float] = []
        for source in kb.sources():
            document = kb.document(source)
            begin = perf_counter()
            overview = kb.overview(source)
            seconds.append(perf_counter() - begin)
            for c in overview.citations:
                total += 1
                valid += document.text[c.start : c.end] == c.quote and c.sha256 == document.sha256
            quoting += bool(overview.groups)
            has_name = names_most_frequent(document, " ".join(c.quote for c in overview.citations))
            if has_name is not None and overview.groups:
                named.append(has_name)
            if source in questions and len(candidates(document)) >= MIN_CANDIDATES:
                for way, spans in chosen(document, kb):
                    shares[way].append(evidence_share(questions[source], source, spans))
    print(
        f"{name}: {len(seconds)} documents, {quoting} with an overview, {valid}/{total} citations"
    )
    print(f"  name their most frequent proper noun: {sum(named)}/{len(named)}")
    for way in WAYS:
        values = shares[way]
        if values:
            print(f"  evidence held, {way}: {100 * sum(values) / len(values):.1f} %", end="")
            print(f" ({len(shares['overview'])} documents)")
    seconds.sort()
    print(f"  seconds: median {seconds[len(seconds) // 2]:.2f}, most {seconds[-1]:.2f}", flush=True)


def papers(aclsum: Path, folder: Path) -> dict[str, str]:
    """Write papers without their abstracts as Markdown; returns the abstracts by source."""
    lines = (aclsum / "dataset" / "test.jsonl").read_text("utf-8").splitlines()
    abstracts: dict[str, str] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for line in lines:
        path = aclsum / "dataset" / "paper_jsons" / f"{json.loads(line)['id']}.json"
        if not path.exists() or len(abstracts) == PAPERS:
            continue
        paper = json.loads(path.read_text("utf-8"))
        parts, section = [f"# {paper['title']}"], None
        for block in paper["pdf_parse"]["body_text"]:
            if block["section"] != section:
                section = block["section"]
                parts.append(f"## {section}")
            parts.append(block["text"])
        (folder / f"{path.stem}.md").write_text("\n\n".join(parts), "utf-8")
        abstracts[f"{path.stem}.md"] = paper["abstract"]
    return abstracts


def rouge(text: str, reference: str, n: int) -> float:
    """F1 of the ``n``-grams of two texts (Lin 2004), without stemming, in percent."""

    def grams(words: Sequence[str]) -> Counter[tuple[str, ...]]:
        return Counter(zip(*(words[i:] for i in range(n)), strict=False))

    a, b = (grams(re.findall(r"[a-z0-9]+", t.lower())) for t in (text, reference))
    return 200 * sum((a & b).values()) / max(sum(a.values()) + sum(b.values()), 1)


def summaries(aclsum: Path, cache: Path) -> None:
    """Print ROUGE of each way on the papers."""
    abstracts = papers(aclsum, cache / "papers")
    scores: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    with KnowledgeBase(cache / "papers-index") as kb:
        kb.sync(cache / "papers")
        for source, abstract in abstracts.items():
            document = kb.document(source)
            for way, spans in chosen(document, kb):
                text = " ".join(document.text[a:b] for a, b in spans)
                scores[way].append((rouge(text, abstract, 1), rouge(text, abstract, 2)))
    print(f"aclsum: {len(abstracts)} papers, ROUGE-1 and ROUGE-2")
    for way, pairs in scores.items():
        one, two = (sum(values) / len(pairs) for values in zip(*pairs, strict=True))
        print(f"  {way}: {one:.1f} {two:.1f}", flush=True)


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description="Measure overviews.")
    parser.add_argument("data", type=Path)
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--aclsum", type=Path)
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cache = options.cache or Path(folder)
        for name in options.sets:
            dev_set(options.data, name, cache)
        if options.aclsum:
            summaries(options.aclsum, cache)


if __name__ == "__main__":
    main()
