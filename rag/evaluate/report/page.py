"""The report as one page that opens offline: tables, plots, and every question with its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.answering.cite import MARKER
from rag.atomic_files import replacing
from rag.evaluate.figures import seconds
from rag.evaluate.metrics import METRICS
from rag.evaluate.report.curves import latencies, reliability, risk_coverage
from rag.evaluate.report.plots import latency_plot, reliability_plot, risk_coverage_plot
from rag.evaluate.report.report_templates import TEMPLATES
from rag.evaluate.results import Record
from rag.evaluate.scored import VERDICTS, ScoredOutcome

if TYPE_CHECKING:
    from markupsafe import Markup

    from rag.evaluate.run import Evaluation

CONTEXT = 90
"""Characters shown on each side of a quote."""

MAX_QUOTE_LENGTH = 1200
"""Characters of a quote that are shown; the evidence of some sets is whole documents."""

_CUT_BEFORE, _CUT_AFTER = re.compile(r"^\S{0,30}\s+"), re.compile(r"\s+\S{0,30}$")
"""A word that the edge of the context cuts; scripts without blanks have none."""

TITLES = {
    "success@1": "Success@1", "success@5": "Success@5", "success@10": "Success@10",
    "recall@1": "Recall@1", "recall@5": "Recall@5", "recall@10": "Recall@10",
    "mrr@10": "MRR@10", "ndcg@10": "nDCG@10", "em": "EM", "f1": "F1", "valid": "Valid",
    "precision": "Precision", "recall": "Recall", "auroc": "AUROC", "ece": "ECE",
}  # fmt: skip
GROUPS = ("retrieval", "answer", "citation", "refusal", "calibration")
CARDS = (
    ("retrieval", "success@5", "some evidence is among the first five hits"),
    ("answer", "em", "the short answer equals a gold answer"),
    ("answer", "f1", "words shared with the gold answer"),
    ("citation", "precision", "citations that meet the evidence"),
    ("citation", "recall", "answerable questions with such a citation"),
    ("refusal", "f1", "refuses where the documents do not say"),
    ("calibration", "ece", "how far confidence is from the truth; 0 is best"),
)
COLUMNS = (
    ("retrieval", "recall@5"), ("retrieval", "ndcg@10"), ("answer", "em"), ("answer", "f1"),
    ("citation", "precision"), ("citation", "recall"), ("refusal", "recall"),
)  # fmt: skip
"""Figures in the tables of groups."""


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of a document with what stands around it."""

    source: str
    start: int
    end: int
    before: str
    words: str
    after: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A question as the page shows it: its record, and the texts around its places.

    ``short`` is None where it is the whole answer.
    """

    record: Record
    short: str | None
    sources: Sequence[str]
    gold: Sequence[Place]
    cited: Sequence[tuple[Record, Place]]


TextOf = Callable[[str], str]


def write_page(path: Path, evaluation: Evaluation, text_of: TextOf) -> None:
    """Write the page; ``text_of`` gives the canonical text of a source."""
    with replacing(path) as file:
        for piece in page(evaluation.report, evaluation.scored, evaluation.records, text_of):
            file.write(piece)


def page(
    report: dict[str, Any],
    scored: Sequence[ScoredOutcome],
    records: Iterable[Record],
    text_of: TextOf,
) -> Iterator[str]:
    """Return the page, in pieces: a large set never stands in memory as a whole."""
    sources = sorted({source for one in scored for source in one.sources})
    return TEMPLATES.environment.get_template("report.html").generate(
        report=report,
        about=report.get("about", {}),
        titles={name: name for _, name in METRICS} | TITLES,
        groups=GROUPS,
        cards=CARDS,
        columns=COLUMNS,
        verdicts=VERDICTS,
        sources=sources,
        stages={stage: seconds(scored, stage) for stage in latencies(scored)},
        plots=_plots(scored),
        questions=(show(record, text_of) for record in records),
    )


def _plots(scored: Sequence[ScoredOutcome]) -> dict[str, Markup]:
    if not any(one.asked for one in scored):
        return {}
    return {
        "Risk and coverage": risk_coverage_plot(risk_coverage(scored)),
        "Reliability": reliability_plot(reliability(scored)),
        "Latency": latency_plot(latencies(scored)),
    }


def show(record: Record, text_of: TextOf) -> Shown:
    """Return a record with the texts around its evidence and citations."""
    answer = record["answer"]
    cited = [] if answer is None or answer["refused"] else answer["citations"]
    named = [*record["evidence"], *cited]
    short = answer and answer["short"]
    if short and short.split() == MARKER.sub("", answer["text"]).split():
        short = None
    return Shown(
        record,
        short,
        tuple(dict.fromkeys(place["source"] for place in named)),
        [_place(*span, text_of) for span in _merged(record["evidence"])],
        [(c, _place(c["source"], c["start"], c["end"], text_of)) for c in cited],
    )


def _merged(evidence: Sequence[Record]) -> list[tuple[str, int, int]]:
    """Spans of evidence, those that overlap as one: annotators mark one place in several ways."""
    merged: list[tuple[str, int, int]] = []
    for source, start, end in sorted((e["source"], e["start"], e["end"]) for e in evidence):
        if merged and merged[-1][0] == source and start < merged[-1][2]:
            merged[-1] = (source, merged[-1][1], max(end, merged[-1][2]))
        else:
            merged.append((source, start, end))
    return merged


def _place(source: str, start: int, end: int, text_of: TextOf) -> Place:
    text = text_of(source)
    first, last = max(0, start - CONTEXT), min(len(text), end + CONTEXT)
    before, after = text[first:start], text[end:last]
    if first > 0:
        before = "… " + _CUT_BEFORE.sub("", before)
    if last < len(text):
        after = _CUT_AFTER.sub("", after) + " …"
    return Place(source, start, end, before, _shortened(text[start:end]), after)


def _shortened(words: str) -> str:
    """Words without their middle, where they are a whole document's."""
    if len(words) <= MAX_QUOTE_LENGTH:
        return words
    half = MAX_QUOTE_LENGTH // 2
    return f"{words[:half].rstrip()} […] {words[-half:].lstrip()}"
