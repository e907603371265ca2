"""Which vectors stand for all, against the definition written out."""

from __future__ import annotations

import numpy as np
import pytest

from rag.answering.overview.centrality import FOLLOWING, centrality, choose
from rag.embed import normalize


def test_it_is_the_weighted_sum_of_likenesses_to_the_other_parts() -> None:
    random = np.random.default_rng(7)
    parts = normalize(random.normal(size=(6, 5)))
    vectors, places = normalize(random.normal(size=(9, 5))), [0, 0, 1, 2, 2, 3, 4, 5, 5]
    expected = [
        sum(
            (FOLLOWING if j > place else 1 - FOLLOWING) * float(vector @ parts[j])
            for j in range(6)
            if j != place
        )
        / 5
        for vector, place in zip(vectors, places, strict=True)
    ]
    assert centrality(vectors, places, parts) == pytest.approx(expected, abs=1e-5)


def test_of_equal_ones_the_first_is_the_most_central() -> None:
    same = normalize(np.ones((4, 3)))
    scores = centrality(same, range(4), same)
    assert scores.tolist() == sorted(scores, reverse=True)
    assert scores[0] > scores[-1]


def test_the_only_part_is_what_counts_where_there_is_one() -> None:
    part = normalize(np.array([[1.0, 0.0]]))
    vectors = normalize(np.array([[0.0, 1.0], [1.0, 0.1]]))
    scores = centrality(vectors, [0, 0], part)
    assert scores[1] > scores[0]


def test_what_says_the_same_again_is_not_chosen() -> None:
    vectors = normalize(np.array([[1.0, 0.0], [1.0, 0.01], [0.3, 0.95]]))
    scores = np.array([1.0, 0.99, 0.9])
    assert choose(scores, vectors, 2) == [0, 2]
    assert choose(scores, vectors, 9) == [0, 2, 1]
    assert choose(scores, vectors, 2, first=1) == [1, 2]
    assert choose(np.array([]), vectors[:0], 3) == []
