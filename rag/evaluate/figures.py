"""The evaluation as JSON-ready values: figures, their intervals, and both by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rag.evaluate.intervals import Interval, intervals
from rag.evaluate.kinds import KINDS
from rag.evaluate.metrics import METRICS, Metric, Table, figures, table
from rag.evaluate.outcomes import Outcome
from rag.evaluate.scored import STAGES, VERDICTS, ScoredOutcome, score

MIN_QUESTIONS = 10
"""Questions that a group needs for its figures to have intervals."""

Values = dict[str, Any]


def summarize(outcomes: Iterable[Outcome]) -> Values:
    """Return the metrics of a set of outcomes; None where a metric is not defined for the set."""
    scored = [score(outcome) for outcome in outcomes]
    return _figures(scored, table(scored)) | {"seconds": seconds(scored)}


def full_report(scored: Sequence[ScoredOutcome]) -> Values:
    """Return the metrics, and beside them ``verdicts``, ``intervals`` and the figures of groups.

    ``by_type`` and ``by_source`` map each kind of question, and each document that holds
    evidence, to the same figures; a question with evidence in two documents belongs to both.
    Only the top level has times. A group of fewer than :data:`MIN_QUESTIONS` has no
    intervals.
    """
    kinds = {kind: [one for one in scored if one.kind == kind] for kind in KINDS}
    answerable = {
        "answerable": [one for one in scored if one.answerable],
        "unanswerable": [one for one in scored if not one.answerable],
    }
    verdicts = Counter(one.verdict for one in scored)
    found = table(scored)
    return _figures(scored, found) | {
        "seconds": seconds(scored),
        "intervals": _intervals(found),
        "verdicts": {code: verdicts[code] for code in VERDICTS if verdicts[code]},
        "by_type": _groups(kinds),
        "by_answerable": _groups(answerable),
        "by_source": _groups(_by_source(scored)),
    }


def _by_source(scored: Sequence[ScoredOutcome]) -> dict[str, list[ScoredOutcome]]:
    groups: dict[str, list[ScoredOutcome]] = {}
    for one in scored:
        for source in one.sources:
            groups.setdefault(source, []).append(one)
    return dict(sorted(groups.items()))


def _groups(groups: Mapping[str, Sequence[ScoredOutcome]]) -> dict[str, Values]:
    return {name: _group(members) for name, members in groups.items() if members}


def _group(scored: Sequence[ScoredOutcome]) -> Values:
    found = table(scored)
    spread = _intervals(found) if len(scored) >= MIN_QUESTIONS else None
    return _figures(scored, found) | {"intervals": spread}


def _figures(scored: Sequence[ScoredOutcome], found: Table) -> Values:
    counts = {"questions": len(scored), "answerable": sum(one.answerable for one in scored)}
    return counts | _nested(figures(found))


def _intervals(found: Table) -> Values:
    return _nested(intervals(found), _listed)


def _listed(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _nested(
    values: Mapping[Metric, Any], convert: Callable[[Any], Any] = lambda value: value
) -> Values:
    nested: Values = {}
    for group, name in METRICS:
        nested.setdefault(group, {})[name] = convert(values[group, name])
    return nested


def seconds(scored: Sequence[ScoredOutcome], stage: str = "total") -> dict[str, float | None]:
    """Return the percentiles of an answer's seconds."""
    place = STAGES.index(stage)
    times = [one.seconds[place] for one in scored if one.asked]
    return {
        f"p{share}": float(np.percentile(times, share)) if times else None for share in (50, 95)
    }
