"""Two evaluations of the same questions: which metrics differ by more than chance, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from rag.errors import ResultFileError
from rag.evaluate.intervals import SEED, Interval, difference_intervals
from rag.evaluate.metrics import LOWER_IS_BETTER, METRICS, Metric, figures, table
from rag.evaluate.permutation import PERMUTATIONS, holm, permutation_p_values
from rag.evaluate.results import Results
from rag.evaluate.scored import GOOD, ScoredOutcome

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Row:
    """One metric in both evaluations.

    ``difference`` is ``after - before`` and ``interval`` its bootstrap interval; ``p`` is two
    sided, ``p_holm`` corrected for all metrics compared. ``verdict``: ``better``, ``worse`` or
    ``same``.
    """

    metric: Metric
    before: float
    after: float
    difference: float
    interval: Interval | None
    p: float
    p_holm: float
    verdict: str


@dataclass(frozen=True, slots=True)
class Change:
    """A question whose verdict differs."""

    id: str
    question: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows, one a metric that is defined in both, and the questions that got better or worse."""

    questions: int
    rows: Sequence[Row]
    improved: Sequence[Change]
    worsened: Sequence[Change]
    settings: Mapping[str, tuple[Any, Any]]
    """What differs between how the two were made."""

    @property
    def is_worse(self) -> bool:
        """Whether any metric got significantly worse."""
        return any(row.verdict == "worse" for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON-ready values."""
        metrics: dict[str, dict[str, Any]] = {}
        for row in self.rows:
            group, name = row.metric
            values = asdict(row)
            del values["metric"]
            metrics.setdefault(group, {})[name] = values
        return {
            "questions": self.questions,
            "worse": self.is_worse,
            "metrics": metrics,
            "improved": [asdict(change) for change in self.improved],
            "worsened": [asdict(change) for change in self.worsened],
            "settings": {name: list(values) for name, values in self.settings.items()},
        }


def compare(
    before: Results, after: Results, *, common: bool = False, permutations: int = PERMUTATIONS
) -> Comparison:
    """Compare two result files.

    Raises :class:`ResultFileError` unless both hold the same questions with the same answers and
    evidence; with ``common`` those that both hold are compared.
    """
    ids = [one.id for one in before.scored if one.id in after.gold]
    alone = len(before.scored) + len(after.scored) - 2 * len(ids)
    if not ids or (alone and not common):
        raise ResultFileError(
            f"{before.path} and {after.path} share {len(ids)} questions and differ in {alone}: "
            "evaluate both on one question set"
            + (", or compare the shared ones with --common" if ids else "")
        )
    for each in ids:
        if before.gold[each] != after.gold[each]:
            raise ResultFileError(
                f"question {each!r} differs between {before.path} and {after.path} in its words, "
                "answers or evidence: evaluate both on one question set"
            )
    found = {one.id: one for one in after.scored}
    pairs = [_alike(one, found[one.id]) for one in before.scored if one.id in found]
    return Comparison(
        len(pairs),
        compare_scored([a for a, _ in pairs], [b for _, b in pairs], permutations=permutations),
        [_change(a, b) for a, b in pairs if a.verdict not in GOOD and b.verdict in GOOD],
        [_change(a, b) for a, b in pairs if a.verdict in GOOD and b.verdict not in GOOD],
        _differing(before.about, after.about),
    )


def _alike(before: ScoredOutcome, after: ScoredOutcome) -> tuple[ScoredOutcome, ScoredOutcome]:
    """Both by their retrieval alone, if one of them has no more."""
    if before.asked == after.asked:
        return before, after
    return replace(before, asked=False), replace(after, asked=False)


def _change(before: ScoredOutcome, after: ScoredOutcome) -> Change:
    return Change(before.id, before.question, before.verdict, after.verdict)


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = dict.fromkeys((*before, *after))
    return {
        name: (before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    }


def compare_scored(
    before: Sequence[ScoredOutcome],
    after: Sequence[ScoredOutcome],
    *,
    alpha: float = ALPHA,
    permutations: int = PERMUTATIONS,
    seed: int = SEED,
) -> list[Row]:
    """Return a row for each metric that is defined in both.

    The ``n``-th of each are of one question.
    """
    a, b = table(before), table(after)
    earlier, later = figures(a), figures(b)
    p_values = permutation_p_values(a, b, permutations, seed)
    p_values = {m: p for m, p in p_values.items() if None not in (earlier[m], later[m])}
    corrected = holm(p_values)
    spread = difference_intervals(a, b, seed=seed)
    rows = []
    for metric in METRICS:
        first, second = earlier[metric], later[metric]
        if first is None or second is None:
            continue
        difference = second - first
        p = corrected.get(metric, 1.0)
        gain = -difference if metric in LOWER_IS_BETTER else difference
        verdict = "same" if p >= alpha else "better" if gain > 0 else "worse"
        interval = spread[metric]
        single = p_values.get(metric, 1.0)
        rows.append(Row(metric, first, second, difference, interval, single, p, verdict))
    return rows
