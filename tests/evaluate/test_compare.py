"""Comparing two evaluations: what is found, what is not, and how often by chance."""

from __future__ import annotations

import itertools
import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from fakes_evaluate import ScriptedReader, random_outcomes, scored
from samples import write_folder

from rag import KnowledgeBase
from rag.cli import main
from rag.embed import HashingEmbedder
from rag.evaluate.compare import compare_scored
from rag.evaluate.metrics import figures, table
from rag.evaluate.permutation import holm, permutation_p_values
from rag.evaluate.results import read_results, scored_from, write_results
from rag.evaluate.run import run_evaluation
from rag.question_sets import Evidence, GoldQuestion

TOWNS = [f"Town{i:02d}" for i in range(60)]
FOLDER = {f"{town}.txt": f"{town} was founded in {1500 + i}." for i, town in enumerate(TOWNS)}
QUESTIONS = [
    GoldQuestion(
        town, f"When was {town} founded?", (str(1500 + i),), (Evidence(f"{town}.txt", 22, 26),)
    )
    for i, town in enumerate(TOWNS)
]
SCRIPT = {question.question: (question.answers[0], 0.9) for question in QUESTIONS}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Result files of a good reader, of the same again, and of a handicapped one."""
    folder = tmp_path_factory.mktemp("compare")
    write_folder(folder / "docs", FOLDER)
    handicapped = SCRIPT | {q.question: (q.id, 0.9) for q in QUESTIONS[::4]}
    files = {}
    for name, script in (("good", SCRIPT), ("again", SCRIPT), ("bad", handicapped)):
        reader = ScriptedReader(script)
        with KnowledgeBase(folder / "index", embedder=HashingEmbedder(), reader=reader) as kb:
            kb.sync(folder / "docs")
            with run_evaluation(kb, QUESTIONS) as evaluation:
                files[name] = folder / f"{name}.json"
                evaluation.write(files[name])
    return files


def compare(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, arguments)], catch_exceptions=False)


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k != "seconds"}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def test_the_same_run_twice_is_equal_but_for_times(results: dict[str, Path]) -> None:
    good, again = (json.loads(results[name].read_text()) for name in ("good", "again"))
    assert len(good["outcomes"]) == 60
    assert good["answer"]["f1"] == 1.0
    assert without_times(good) == without_times(again)


def test_two_equal_runs_are_silent(results: dict[str, Path]) -> None:
    found = compare(results["good"], results["again"])
    assert found.exit_code == 0
    assert "Nothing got significantly worse." in found.stdout
    assert "Better" not in found.stdout


def test_a_handicapped_reader_is_found(results: dict[str, Path]) -> None:
    found = compare(results["good"], results["bad"])
    assert found.exit_code == 1
    # Its wrong words stand in the right sentence, which is what is cited.
    assert found.stdout.endswith("Significantly worse: answer em, answer f1\n")
    assert "Worse: 15 questions" in found.stdout
    assert "Town00: When was Town00 founded? (right -> wrong)" in found.stdout
    again = compare(results["good"], results["bad"], "--json")
    assert again.exit_code == 1
    comparison = json.loads(again.stdout)
    assert comparison["worse"] is True
    assert [change["id"] for change in comparison["worsened"]] == TOWNS[::4]
    em = comparison["metrics"]["answer"]["em"]
    assert (em["before"], em["after"], em["verdict"]) == (1.0, 0.75, "worse")
    assert em["interval"][0] < em["difference"] == -0.25 < em["interval"][1] < 0
    assert comparison["metrics"]["retrieval"]["ndcg@10"]["verdict"] == "same"


def test_a_gain_is_no_alarm(results: dict[str, Path]) -> None:
    found = compare(results["bad"], results["good"])
    assert found.exit_code == 0
    assert "Better: 15 questions" in found.stdout


def test_null_pairs_seldom_alarm() -> None:
    alarms = 0
    for pair in range(200):
        a, b = (table(random_outcomes(90, seed=1000 + 2 * pair + k)) for k in (0, 1))
        corrected = holm(permutation_p_values(a, b, permutations=400))
        assert len(corrected) >= 10
        alarms += min(corrected.values()) < 0.05
    # At most 5 % of 200 by design; 99 % of binomial samples are below 18.
    assert alarms <= 17


def test_a_difference_of_skill_is_found() -> None:
    rows = compare_scored(random_outcomes(300, seed=1), random_outcomes(300, seed=2, skill=-0.8))
    worse = {row.metric for row in rows if row.verdict == "worse"}
    assert {("retrieval", "ndcg@10"), ("answer", "f1"), ("citation", "recall")} <= worse
    by_metric = {row.metric: row for row in rows}
    assert by_metric["answer", "f1"].p < by_metric["answer", "f1"].p_holm < 0.05


def test_p_values_are_those_of_all_exchanges() -> None:
    rng = np.random.default_rng(2)
    a = [scored(i, f1=float(rng.random()), confidence=float(rng.random())) for i in range(6)]
    a += [scored(6 + i, answerable=False, confidence=float(rng.random())) for i in range(4)]
    b = [replace(one, f1=float(rng.random()), confidence=float(rng.random())) for one in a]
    found = permutation_p_values(table(a), table(b), permutations=20_000)
    for metric in (("answer", "f1"), ("refusal", "auroc"), ("calibration", "ece")):
        extreme, observed = 0, difference(a, b, metric)
        for swaps in itertools.product((False, True), repeat=10):
            first = [y if swap else x for x, y, swap in zip(a, b, swaps, strict=True)]
            second = [x if swap else y for x, y, swap in zip(a, b, swaps, strict=True)]
            extreme += abs(difference(first, second, metric)) >= abs(observed) - 1e-12
        assert found[metric] == pytest.approx(extreme / 2**10, abs=0.015), metric
    assert ("retrieval", "mrr@10") not in found  # no exchange changes it


def difference(a: list[Any], b: list[Any], metric: tuple[str, str]) -> float:
    first, second = figures(table(a))[metric], figures(table(b))[metric]
    assert first is not None
    assert second is not None
    return second - first


def test_holm() -> None:
    names = [("g", str(i)) for i in range(4)]
    # The example of Holm's procedure: each ordered p times the number of hypotheses left.
    p = dict(zip(names, (0.01, 0.04, 0.03, 0.005), strict=True))
    assert list(holm(p).values()) == pytest.approx([0.02, 0.03, 0.06, 0.06])
    assert holm(p)[names[1]] == pytest.approx(0.06)


def test_records_keep_every_number(results: dict[str, Path], tmp_path: Path) -> None:
    read = read_results(results["bad"])
    data = json.loads(results["bad"].read_text())
    assert figures(table(read.scored))["answer", "f1"] == data["answer"]["f1"]
    write_results(tmp_path / "b.json", {}, map(json.dumps, data["outcomes"]))
    assert read_results(tmp_path / "b.json").scored == read.scored
    assert scored_from(data["outcomes"][0]) == read.scored[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no 'outcomes'"),
        ('{"format": 9, "outcomes": []}', "has format 9"),
        ('{"format": 1, "outcomes": []}', "holds no outcomes"),
        ('{"format": 1, "outcomes": [{"id": 1}]}', "an outcome is malformed: KeyError('answer')"),
        (None, "cannot read"),
    ],
)
def test_a_file_that_is_no_result_is_explained(
    results: dict[str, Path], tmp_path: Path, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "a.json").write_text(content)
    found = compare(tmp_path / "a.json", results["good"])
    assert (found.exit_code, found.stdout) == (1, "")
    assert said in found.stderr
    assert "rag eval" in found.stderr
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        ((), "evidence_ranks", ["first"]),
        ((), "evidence_ranks", [11]),
        ((), "evidence_ranks", [None, 0]),
        (("answer",), "confidence", 1.5),
        (("answer",), "confidence", float("nan")),
        (("answer",), "f1", -1),
        (("answer",), "citations", None),
    ],
)
def test_a_result_with_an_impossible_number_is_explained(
    results: dict[str, Path], tmp_path: Path, where: tuple[str, ...], name: str, value: Any
) -> None:
    data = json.loads(results["good"].read_text())
    outcome = data["outcomes"][7]
    for key in where:
        outcome = outcome[key]
    outcome[name] = value
    (tmp_path / "a.json").write_text(json.dumps(data))
    found = compare(tmp_path / "a.json", results["good"])
    assert (found.exit_code, found.stdout) == (1, "")
    assert "an outcome is malformed" in found.stderr
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_a_result_in_another_form_reads_alike(
    results: dict[str, Path], tmp_path: Path, indent: int | None
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(json.loads(results["bad"].read_text()), indent=indent))
    assert replace(read_results(path), path=results["bad"]) == read_results(results["bad"])


def test_a_result_file_that_was_cut_is_none(results: dict[str, Path], tmp_path: Path) -> None:
    lines = results["good"].read_text().splitlines(keepends=True)
    for kept in (lines[:-1], lines[:-9], [*lines[:-2], lines[-2][:40]]):
        (tmp_path / "a.json").write_text("".join(kept))
        assert "is not JSON" in compare(tmp_path / "a.json", results["good"]).stderr


def test_results_are_read_in_little_memory(results: dict[str, Path], tmp_path: Path) -> None:
    (outcome, *_) = json.loads(results["good"].read_text())["outcomes"]
    path = tmp_path / "large.json"
    lines = (json.dumps(outcome | {"id": str(i), "filler": "x" * 9000}) for i in range(4000))
    write_results(path, {}, lines)
    assert path.stat().st_size > 36e6
    tracemalloc.start()
    try:
        assert len(read_results(path).scored) == 4000
        assert tracemalloc.get_traced_memory()[1] < 12e6  # the numbers, and one line at a time
    finally:
        tracemalloc.stop()


def test_different_question_sets_are_not_compared(results: dict[str, Path], tmp_path: Path) -> None:
    data = json.loads(results["good"].read_text())
    shorter, other = tmp_path / "shorter.json", tmp_path / "other.json"
    shorter.write_text(json.dumps(data | {"outcomes": data["outcomes"][:50]}))
    assert "share 50 questions and differ in 10" in compare(results["good"], shorter).stderr
    shared = compare(results["good"], shorter, "--common")
    assert (shared.exit_code, shared.stdout.split("\n")[0]) == (0, "50 questions")
    data["outcomes"][3]["answers"] = ["else"]
    other.write_text(json.dumps(data))
    found = compare(results["good"], other)
    assert found.exit_code == 1
    assert "question 'Town03' differs" in found.stderr
