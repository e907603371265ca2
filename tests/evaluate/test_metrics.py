"""Metrics and intervals, against scikit-learn and against what must hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from fakes_evaluate import random_outcomes, scored
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from rag.evaluate import ScoredOutcome, full_report
from rag.evaluate.intervals import draws, intervals
from rag.evaluate.kinds import question_kind
from rag.evaluate.metrics import auroc, figures, levels_of, table
from rag.evaluate.report.curves import reliability, risk_coverage, wilson
from rag.evaluate.squad import exact_match, holds_answer

OUTCOMES = random_outcomes(150, seed=5)


def test_refusals_and_auroc_as_scikit_learn_has_them() -> None:
    found = figures(table(OUTCOMES))
    should = [not one.answerable for one in OUTCOMES]
    did = [one.refused for one in OUTCOMES]
    expected = precision_recall_fscore_support(should, did, average="binary")[:3]
    assert [found["refusal", name] for name in ("precision", "recall", "f1")] == pytest.approx(
        expected
    )
    doubt = [1 - one.confidence for one in OUTCOMES]
    assert found["refusal", "auroc"] == pytest.approx(roc_auc_score(should, doubt))


def test_weighted_auroc_with_ties_as_scikit_learn_has_it() -> None:
    rng = np.random.default_rng(3)
    scores, positive = rng.integers(0, 6, 40) / 5, rng.random(40) < 0.4
    weights = rng.integers(0, 4, (5, 40)).astype(float)
    levels, count = levels_of(scores)
    found = auroc(levels[None, :], count, positive, weights)
    assert found == pytest.approx(
        [roc_auc_score(positive, scores, sample_weight=row) for row in weights]
    )
    assert np.isnan(auroc(levels[None, :], count, np.ones(40, bool), weights)).all()


def test_calibration_error_and_curves_by_hand() -> None:
    outcomes = [
        scored(1, confidence=0.95, right=True),
        scored(2, confidence=0.91, right=False),
        scored(3, confidence=0.52, right=False),
        scored(4, confidence=0.1, refused=True),
    ]
    expected = (abs(0.95 + 0.91 - 1) + 0.52) / 3
    assert figures(table(outcomes))["calibration", "ece"] == pytest.approx(expected)
    assert [(b.count, b.confidence, b.right) for b in reliability(outcomes)] == [
        (1, 0.52, 0.0),
        (2, pytest.approx(0.93), 0.5),
    ]
    assert [(p.coverage, p.risk) for p in risk_coverage(outcomes)] == [
        (0.25, 0.0),
        (0.5, 0.5),
        (0.75, pytest.approx(2 / 3)),
    ]


def test_equally_sure_answers_are_one_point() -> None:
    outcomes = [scored(i, confidence=0.9, right=i > 0) for i in range(4)]
    (point,) = risk_coverage(outcomes)
    assert (point.coverage, point.risk) == (1.0, 0.25)


def test_wilson_interval() -> None:
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_intervals_are_those_of_drawing_questions_anew() -> None:
    f1 = np.array([one.f1 for one in OUTCOMES if one.answerable])
    answerable = [one for one in OUTCOMES if one.answerable]
    low, high = intervals(table(answerable))["answer", "f1"] or (0.0, 0.0)
    reach = 1.96 * f1.std() / np.sqrt(len(f1))
    assert (low, high) == pytest.approx((f1.mean() - reach, f1.mean() + reach), abs=0.008)
    rows = np.concatenate(list(draws(7, resamples=50)))
    assert rows.shape == (50, 7)
    assert set(rows.sum(axis=1)) == {7.0}


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(11)
    held, truth = 0, 0.3
    for _ in range(200):
        sample = [scored(i, f1=float(rng.random() < truth)) for i in range(80)]
        low, high = intervals(table(sample), resamples=300)["answer", "f1"] or (0.0, 0.0)
        held += low <= truth <= high
    assert 0.90 <= held / 200 <= 0.99


def test_every_interval_holds_its_figure_and_is_the_same_every_time() -> None:
    found, again = intervals(table(OUTCOMES)), intervals(table(OUTCOMES))
    assert found == again
    for metric, value in figures(table(OUTCOMES)).items():
        low, high = found[metric] or (2.0, -2.0)
        assert value is not None
        assert low <= value <= high, metric


def test_blocks_of_draws_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(draws(30, resamples=40)))
    monkeypatch.setattr("rag.evaluate.intervals._BLOCK", 90)
    blocks = list(draws(30, resamples=40))
    assert len(blocks) == 14
    assert np.array_equal(np.concatenate(blocks), whole)


def test_groups_have_the_figures_of_their_members() -> None:
    outcomes = [
        *(scored(i, kind="when", sources=("a.txt",), f1=1.0) for i in range(10)),
        scored(10, kind="who", sources=("a.txt", "b.txt"), f1=0.5),
        scored(11, answerable=False, kind="who", refused=True),
    ]
    report = full_report(outcomes)
    assert {kind: group["questions"] for kind, group in report["by_type"].items()} == {
        "when": 10,
        "who": 2,
    }
    assert report["by_type"]["when"]["answer"]["f1"] == 1.0
    assert report["by_type"]["when"]["intervals"]["answer"]["f1"] == [1.0, 1.0]
    assert report["by_type"]["who"]["intervals"] is None
    assert report["by_source"]["a.txt"]["answer"]["f1"] == pytest.approx(10.5 / 11)
    assert report["by_source"]["b.txt"]["answer"]["f1"] == 0.5
    assert report["by_answerable"]["unanswerable"]["refusal"]["recall"] == 1.0
    assert report["verdicts"] == {"wrong": 11, "rightly_refused": 1}


def verdicts(outcomes: Sequence[ScoredOutcome]) -> list[str]:
    return [one.verdict for one in outcomes]


def test_verdicts() -> None:
    asked = [
        scored(1, right=True),
        scored(2),
        scored(3, refused=True),
        scored(4, answerable=False),
        scored(5, answerable=False, refused=True),
    ]
    assert verdicts(asked) == [
        "right", "wrong", "wrongly_refused", "should_refuse", "rightly_refused",
    ]  # fmt: skip
    searched = [
        scored(1, asked=False, evidence_ranks=(3,)),
        scored(2, asked=False),
        scored(3, answerable=False, asked=False),
    ]
    assert verdicts(searched) == ["found", "not_found", "not_judged"]


def test_retrieval_alone_has_no_figures_of_answers() -> None:
    report = full_report([scored(i, asked=False, evidence_ranks=(i,)) for i in range(1, 11)])
    assert report["retrieval"]["recall@5"] == 0.5
    for group in ("answer", "citation", "refusal", "calibration", "seconds"):
        assert set(report[group].values()) == {None}


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("In what year did it begin?", "when"),
        ("who won", "who"),
        ("Since when and why?", "when"),
        ("How many were there when it ended?", "how many"),
        ("How did it end?", "how"),
        ("In which town?", "which"),
        ("What is it?", "what"),
        ("Is it so?", "yes or no"),
        ("Somewhere, somehow", "other"),
        ("Wie viele waren es?", "how many"),
        ("¿Por qué?", "why"),
        ("贾里德有多少次擒杀？", "how many"),
        ("这是什么时候的事？", "when"),
    ],
)
def test_question_kinds(question: str, kind: str) -> None:
    assert question_kind(question) == kind


def test_an_answer_is_held_by_whole_words() -> None:
    assert holds_answer("It began in May 1957.", ["the May, 1957"])
    assert not holds_answer("It began in 1957.", ["5", "195"])
    assert holds_answer("他去了北京市", ["北京"])
    assert not holds_answer("anything", ["the", "…"[:0]])
    assert exact_match("The 5.", ["5"]) == 1.0
