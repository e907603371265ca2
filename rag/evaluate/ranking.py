"""The ranking metrics of one question, by ir_measures.

Spans of evidence are alternatives, so each question has one relevant item: the first hit that
overlaps one. Its rank decides every metric, and there are few ranks: each is looked up once.
"""

from __future__ import annotations

from functools import cache

from rag.evaluate.outcomes import DEPTH

RANKING = ("recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10")

Scores = dict[str, float]


@cache
def scores_by_rank() -> dict[int | None, Scores]:
    """Return the metrics of a question whose first right hit has that rank; None: no right hit."""
    import ir_measures
    from ir_measures import RR, R, nDCG

    measures = dict(zip(RANKING, (R @ 1, R @ 5, R @ DEPTH, RR @ DEPTH, nDCG @ DEPTH), strict=True))
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
