"""Probabilities fitted to one knowledge base: the fit, what it is worth, and where it is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes_evaluate import ScriptedReader, scored
from hypothesis import given
from hypothesis import strategies as st

from rag import KnowledgeBase, RagError, Settings
from rag.answering.read import Calibration
from rag.errors import QuestionSetError
from rag.evaluate.calibrate import calibrate, cross_fitted, fit
from rag.evaluate.scored import ScoredOutcome
from rag.question_sets import Evidence, GoldQuestion

WORDS = "amber birch cedar daisy elder fern grape hazel iris jade kelp lilac maple nettle".split()


def drawn(count: int, scale: float, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and outcomes as likely as ``scale * logit + shift`` says."""
    rng = np.random.default_rng(5)
    logits = rng.normal(0.0, 1.5, count)
    right = rng.random(count) < 1 / (1 + np.exp(-(scale * logits + shift)))
    return 1 / (1 + np.exp(-logits)), right


def outcomes(count: int, scale: float = 0.6, shift: float = -1.0) -> list[ScoredOutcome]:
    return [
        scored(i, True, confidence=float(p), right=bool(r), f1=float(r))
        for i, (p, r) in enumerate(zip(*drawn(count, scale, shift), strict=True))
    ]


def test_the_fit_finds_what_the_outcomes_were_drawn_by() -> None:
    found = Calibration.fit("1", *drawn(20_000, 0.6, -1.0))
    assert found.scale == pytest.approx(0.6, abs=0.03)
    assert found.shift == pytest.approx(-1.0, abs=0.05)


def test_few_questions_move_the_probabilities_little() -> None:
    few = Calibration.fit("1", [0.5] * 3, [False] * 3)
    many = Calibration.fit("1", [0.5] * 300, [False] * 300)
    assert 0.05 < few.apply([0.5])[0] < 0.4
    assert many.apply([0.5])[0] < 0.03


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_the_order_of_answers_stays(answers: list[tuple[float, bool]]) -> None:
    probabilities, right = zip(*answers, strict=True)
    found = Calibration.fit("1", probabilities, right)
    assert np.isfinite([found.scale, found.shift]).all()
    if found.scale > 0:
        fitted = found.apply(sorted(probabilities))
        assert (np.diff(fitted) >= 0).all()


def test_the_threshold_is_where_the_answers_are_right_that_often() -> None:
    found = Calibration("1", 1.0, 0.0, (0.2, 0.4, 0.6, 0.8))
    assert found.threshold(0.5) == 0.0  # all: their mean is 0.5
    assert found.threshold(0.6) == 0.4
    assert found.threshold(0.75) == 0.8
    assert found.threshold(0.81) == 1.0


def test_what_is_kept_is_what_was_fitted() -> None:
    found = Calibration.fit("1", *drawn(40, 0.6, -1.0))
    assert Calibration.from_json(found.to_json()) == found


def test_probabilities_that_are_too_high_are_mended() -> None:
    fitted = fit(outcomes(400), "1", 0.6, 0.3)
    before, after = fitted.before["ece"], fitted.after["ece"]
    assert before is not None
    assert after is not None
    assert after < 0.5 * before
    assert fitted.after["right of answered"] == pytest.approx(0.6, abs=0.12)
    assert fitted.to_dict()["questions"] == 400


def test_no_answer_is_judged_by_a_fit_that_has_seen_it() -> None:
    shipped = np.array([0.5, 0.5] * 20 + [0.999])
    right = np.array([True, False] * 20 + [False])
    fitted, _ = cross_fitted(shipped, right, "1", 0.6)
    seen = Calibration.fit("1", shipped, right).apply(shipped)
    assert fitted[-1] > seen[-1], "the one sure and wrong answer weighs on the others alone"


def test_a_set_that_decides_nothing_is_refused() -> None:
    with pytest.raises(QuestionSetError, match="nothing can be fitted"):
        fit([scored(i, True, confidence=0.5, right=True) for i in range(30)], "1", 0.6, 0.3)


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeBase:
    """Documents of which half the questions are answered rightly, all with probability 0.9."""
    docs = tmp_path / "docs"
    docs.mkdir()
    script = {}
    for i, word in enumerate(WORDS * 2):
        name = f"{word}{i}"
        (docs / f"{name}.txt").write_text(f"The {name} stands in row {i}. It is tall.\n")
        script[f"Where does {name} stand?"] = (f"row {i}" if i % 2 else "tall", 0.9)
    reader = ScriptedReader(script)
    made = KnowledgeBase(tmp_path / "index", Settings(embedder="hashing"), reader=reader)
    made.sync(docs)
    return made


def questions(kb: KnowledgeBase) -> list[GoldQuestion]:
    found = []
    for i, word in enumerate(WORDS * 2):
        name = f"{word}{i}"
        start = kb.document(f"{name}.txt").text.index(f"row {i}")
        place = Evidence(f"{name}.txt", start, start + len(f"row {i}"))
        found.append(GoldQuestion(str(i), f"Where does {name} stand?", (f"row {i}",), (place,)))
    return found


def test_a_calibration_is_used_until_it_is_cleared(kb: KnowledgeBase) -> None:
    question = f"Where does {WORDS[1]}1 stand?"
    with kb:
        assert kb.ask(question).confidence == pytest.approx(0.9)
        fitted = calibrate(kb, questions(kb))
        assert kb.calibration is None, "fitting stores nothing"
        kb.set_calibration(fitted.calibration)
        assert kb.ask(question).confidence == pytest.approx(0.5, abs=0.1)
        assert kb.status()["calibrated"] is True
        shipped = kb.variant(kb.path, Settings(embedder="hashing", calibration="shipped"))
        with shipped:
            assert shipped.ask(question).confidence == pytest.approx(0.9)
        again = calibrate(kb, questions(kb))
        assert again.calibration == fitted.calibration, "made of the probabilities that ship"
        kb.set_calibration(None)
        assert kb.ask(question).confidence == pytest.approx(0.9)


def test_a_calibration_of_another_reader_is_not_used(kb: KnowledgeBase) -> None:
    with kb:
        kb.set_calibration(Calibration("another", 1.0, -5.0, (0.1,)))
        assert kb.calibration is None
        assert kb.ask(f"Where does {WORDS[1]}1 stand?").confidence == pytest.approx(0.9)


def test_too_few_questions_are_refused(kb: KnowledgeBase) -> None:
    with kb, pytest.raises(QuestionSetError, match="too few"):
        calibrate(kb, questions(kb)[:5])


def test_an_empty_knowledge_base_keeps_none(tmp_path: Path) -> None:
    with (
        KnowledgeBase(tmp_path / "none", Settings(embedder="hashing")) as empty,
        pytest.raises(RagError, match="sync a folder first"),
    ):
        empty.set_calibration(None)
