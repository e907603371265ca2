"""The ranking metrics of one question, by ir_measures.

Success@k asks whether any of the evidence is among the first k hits, recall@k for the share of its
spans that is. MRR and nDCG take the spans for alternatives: the first hit that overlaps one is the
relevant item. All follow from ranks, and there are few: each is looked up once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from rag.evaluate.outcomes import DEPTH

CUTS = (1, 5, DEPTH)
RANKING = (
    *(f"success@{k}" for k in CUTS), *(f"recall@{k}" for k in CUTS), "mrr@10", "ndcg@10",
)  # fmt: skip

Scores = dict[str, float]


def ranking_scores(evidence_ranks: Sequence[int | None]) -> Scores:
    """Return every ranking metric, given the rank of each span of the evidence; None: not found."""
    table = _scores_by_rank()
    first = min((rank for rank in evidence_ranks if rank is not None), default=None)
    found = dict(table[first])
    for k in CUTS:
        each = [table[rank][f"success@{k}"] for rank in evidence_ranks]
        found[f"recall@{k}"] = sum(each) / len(each) if each else 0.0
    return found


@cache
def _scores_by_rank() -> dict[int | None, Scores]:
    """Return the metrics of a question with one relevant item at that rank; None: not found."""
    import ir_measures
    from ir_measures import RR, Success, nDCG

    measures = {f"success@{k}": Success @ k for k in CUTS}
    measures |= {"mrr@10": RR @ DEPTH, "ndcg@10": nDCG @ DEPTH}
    ranks = (*range(1, DEPTH + 1), None)
    qrels = [ir_measures.Qrel(str(rank), "evidence", 1) for rank in ranks]
    run = [
        ir_measures.ScoredDoc(
            str(rank), "evidence" if place == rank else f"other {place}", float(DEPTH - place)
        )
        for rank in ranks
        for place in range(1, DEPTH + 1)
    ]
    names = {measure: name for name, measure in measures.items()}
    table: dict[int | None, Scores] = {rank: {} for rank in ranks}
    keys = {str(rank): rank for rank in ranks}
    for result in ir_measures.iter_calc(list(names), qrels, run):
        table[keys[result.query_id]][names[result.measure]] = float(result.value)
    return table
