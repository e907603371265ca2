"""Fusion, on candidates made by hand: exact order, exact scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rag.answering.question import Question
from rag.answering.retrieve import lexical_weight, retrieve, tokens_per_word
from rag.answering.scales import SCALES, Scale, scale_of
from rag.embed import E5_MODEL, BundledEmbedder, E5Embedder, HashingEmbedder
from rag.fusion import FOREIGN, FUSIONS, RRF_K, TYPED, WEAK_BM25, WRITTEN, ranked, weighted
from rag.settings import Settings
from rag.types import Candidate, Chunk, Document, Hit, Progress, Vectors

TEXT = "One sentence. Another one. And a third."


def candidate(source: str, dense: float, lexical: float, start: int = 0) -> Candidate:
    return Candidate(Chunk(Document(source, TEXT), start, len(TEXT)), dense, lexical)


class ListedStore:
    """Answers every search with the same candidates, and remembers what it was asked."""

    def __init__(self, *found: Candidate) -> None:
        self.found = list(found)
        self.asked: list[tuple[str, list[float], int]] = []

    def search(self, question: str, vector: Vectors, n: int) -> list[Candidate]:
        self.asked.append((question, vector.tolist(), n))
        return self.found

    def document(self, source: str) -> Document:
        return Document(source, TEXT)

    def sources(self) -> list[str]:
        return sorted({c.chunk.source for c in self.found})

    def mentions(self, words: str) -> bool:
        return any(words in candidate.chunk.text for candidate in self.found)


class PiecewiseEmbedder:
    """Knows words of up to four letters; cuts longer ones into pieces of four."""

    name = "pieces of four"
    dimension = 2
    max_tokens = 100

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [sum(-(-len(word) // 4) for word in text.split()) for text in texts]

    def embed_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        return np.array([self.embed_query(text) for text in texts], dtype=np.float32)

    def embed_query(self, text: str) -> Vectors:
        return np.array([0.0, 1.0], dtype=np.float32)


def fuse(found: Sequence[Candidate], weight: float) -> list[Hit]:
    return ranked(found, weighted(found, weight))


def sources_and_scores(store: ListedStore, question: str, k: int) -> list[tuple[str, float]]:
    hits = retrieve(Question(question), store, HashingEmbedder(), k)
    return [(hit.source, round(hit.score, 9)) for hit in hits]


def test_the_better_side_wins_by_its_margin() -> None:
    store = ListedStore(
        candidate("both", 0.5, 10.0), candidate("meaning", 0.6, 0.0), candidate("words", 0.1, 15.0)
    )
    both, meaning, words = (0.5, 10 / (15 + WEAK_BM25)), (0.6, 0.0), (0.1, 15 / (15 + WEAK_BM25))

    def score(side: tuple[float, float], weight: float) -> float:
        return round((side[0] + weight * side[1]) / (1 + weight), 9)

    assert sources_and_scores(store, "where it is", 3) == [
        ("both", score(both, TYPED)),
        ("meaning", score(meaning, TYPED)),
        ("words", score(words, TYPED)),
    ]
    assert sources_and_scores(store, "Where is it?", 3) == [
        ("both", score(both, WRITTEN)),
        ("words", score(words, WRITTEN)),
        ("meaning", score(meaning, WRITTEN)),
    ]


def test_asks_for_enough_candidates() -> None:
    store = ListedStore(candidate("a", 0.5, 1.0))
    retrieve(Question("q"), store, PiecewiseEmbedder(), 5)
    retrieve(Question("q"), store, PiecewiseEmbedder(), 70)
    retrieve(Question("q"), store, PiecewiseEmbedder(), 5, candidates=3)
    assert store.asked == [("q", [0.0, 1.0], n) for n in (50, 70, 5)]


def test_gives_k_hits() -> None:
    store = ListedStore(*(candidate(str(i), i / 10, 0.0) for i in range(1, 10)))
    assert [source for source, _ in sources_and_scores(store, "q", 3)] == ["9", "8", "7"]


def test_k_must_be_positive() -> None:
    with pytest.raises(ValueError, match="k is 0"):
        retrieve(Question("q"), ListedStore(), HashingEmbedder(), 0)


def test_no_candidates_no_hits() -> None:
    assert retrieve(Question("q"), ListedStore(), HashingEmbedder(), 5) == []


def test_what_shares_nothing_is_no_hit() -> None:
    hits = fuse(
        [
            candidate("nothing", 0.0, 0.0),
            candidate("opposite", -0.4, 0.0),
            candidate("words", -0.4, 5.0),
            candidate("meaning", 0.01, 0.0),
        ],
        weight=1.0,
    )
    assert [(hit.source, hit.score, hit.dense, hit.lexical) for hit in hits] == [
        ("words", 0.25, -0.4, 5.0),
        ("meaning", 0.005, 0.01, 0.0),
    ]


def test_a_weak_match_by_words_does_not_beat_meaning() -> None:
    """One common word in common is the best BM25 here, and still next to nothing."""
    hits = fuse([candidate("meaning", 0.5, 0.0), candidate("word", 0.4, 0.01)], weight=1.0)
    assert [hit.source for hit in hits] == ["meaning", "word"]


def test_equal_scores_are_ordered_by_source_and_position() -> None:
    found = [candidate(s, 0.5, 2.0, start) for s, start in (("b", 0), ("a", 14), ("a", 0))]
    hits = fuse(found, weight=0.5)
    assert [(hit.source, hit.start) for hit in hits] == [("a", 0), ("a", 14), ("b", 0)]
    assert {hit.score for hit in hits} == {(0.5 + 0.5 * 2 / (2 + WEAK_BM25)) / 1.5}


def test_noise_in_the_last_digits_does_not_order() -> None:
    hits = fuse([candidate("b", 0.5 + 1e-9, 0.0), candidate("a", 0.5, 0.0)], weight=1.0)
    assert [hit.source for hit in hits] == ["a", "b"]


def test_the_same_passage_in_two_documents_is_found_in_both() -> None:
    hits = fuse([candidate("copy", 0.5, 3.0), candidate("original", 0.5, 3.0)], weight=1.0)
    assert [(hit.source, hit.text) for hit in hits] == [("copy", TEXT), ("original", TEXT)]


def test_scores_are_shares() -> None:
    hits = fuse([candidate("best", 1.0 + 1e-7, 1e9), candidate("least", 1e-9, 0.0)], weight=2.0)
    assert hits[0].score == pytest.approx(1.0)
    assert all(0 <= hit.score <= 1 for hit in hits)


@pytest.mark.parametrize(
    ("question", "weight"),
    [
        ("who won it", TYPED),
        ("who won it?", (TYPED + WRITTEN) / 2),
        ("Who won it", (TYPED + WRITTEN) / 2),
        ("Who won it? ", WRITTEN),
        ("Wer hat gewonnen?", WRITTEN),  # 4 pieces, 3 words
        ("Wann haben viele dort gewonnen?", (WRITTEN + FOREIGN) / 2),  # 8 pieces, 5 words
        ("gewonnen", FOREIGN),
        ("", TYPED),
        ("???", (TYPED + WRITTEN) / 2),
    ],
)
def test_the_weight_fits_the_question(question: str, weight: float) -> None:
    assert lexical_weight(Question(question), PiecewiseEmbedder()) == pytest.approx(weight)


def test_pieces_a_word_leaves_punctuation_out() -> None:
    embedder = PiecewiseEmbedder()
    assert tokens_per_word("one, two - three!", embedder) == pytest.approx(4 / 3)
    assert tokens_per_word("他们赢了", embedder) == 0.5  # two words; one piece for this embedder
    assert tokens_per_word("... !", embedder) == 1.0


SIDES = [
    candidate("both", 0.5, 10.0),
    candidate("meaning", 0.6, 0.0),
    candidate("neither", 0.0, 0.0),
    candidate("words", -0.1, 15.0),
]


@pytest.mark.parametrize(
    ("fusion", "expected"),
    [
        ("dense", {"meaning": 0.6, "both": 0.5}),
        ("lexical", {"words": 15 / (15 + WEAK_BM25), "both": 10 / (15 + WEAK_BM25)}),
        (
            "rrf",
            {
                "both": (RRF_K + 1) / (RRF_K + 2),  # second on both sides
                "meaning": 0.5,
                "words": 0.5,
            },
        ),
        (
            "average",
            {
                "both": (0.5 + WRITTEN * 10 / (15 + WEAK_BM25)) / (1 + WRITTEN),
                "meaning": 0.6 / (1 + WRITTEN),
                "words": WRITTEN * 15 / (15 + WEAK_BM25) / (1 + WRITTEN),
            },
        ),
    ],
)
def test_other_fusions(fusion: str, expected: dict[str, float]) -> None:
    hits = retrieve(
        Question("typed in passing"), ListedStore(*SIDES), HashingEmbedder(), 9, fusion=fusion
    )
    ordered = sorted(expected, key=lambda source: (-expected[source], source))
    assert [hit.source for hit in hits] == ordered
    assert {hit.source: hit.score for hit in hits} == pytest.approx(expected)


def test_equal_scores_have_equal_ranks() -> None:
    found = [candidate(s, 0.5, lexical) for s, lexical in (("a", 3.0), ("b", 3.0), ("c", 1.0))]
    a, b, c = FUSIONS["rrf"](found, 0.0)
    assert a == b == 1.0
    assert c == pytest.approx((1 + (RRF_K + 1) / (RRF_K + 3)) / 2)


def test_a_row_in_the_registry_is_all_that_a_fusion_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        FUSIONS, "shortest", lambda found, weight: [1 / len(c.chunk.source) for c in found]
    )
    fusion = Settings(fusion="shortest").fusion
    hits = retrieve(Question("q"), ListedStore(*SIDES), HashingEmbedder(), 9, fusion=fusion)
    assert [hit.source for hit in hits] == ["both", "words", "meaning", "neither"]


# Scales of embedders

COMPRESSED = (
    candidate("words", 0.79, 10.0),
    candidate("meaning", 0.95, 0.0),
    candidate("far", 0.6, 0),
)


class CompressedEmbedder(PiecewiseEmbedder):
    """Its cosines are those of e5."""

    name = f"{E5_MODEL}@0"


def test_each_shipped_embedder_has_its_scale() -> None:
    assert scale_of(E5Embedder()) is SCALES[E5_MODEL]
    assert scale_of(BundledEmbedder()) == Scale()


def test_a_compressed_cosine_counts_as_any_other_does() -> None:
    store = ListedStore(*COMPRESSED)
    assert [h.source for h in retrieve(Question("who won it"), store, PiecewiseEmbedder(), 3)] == [
        "meaning", "words", "far"
    ]  # fmt: skip
    first, second = retrieve(Question("Who won it?"), store, CompressedEmbedder(), 3)
    unrelated, written = SCALES[E5_MODEL].unrelated, SCALES[E5_MODEL].written
    assert first.source == "meaning"
    assert first.score == pytest.approx((0.95 - unrelated) / (1 - unrelated) / (1 + written))
    assert first.dense == 0.95  # a hit tells the cosine itself
    words = written * 10 / (10 + WEAK_BM25)
    assert second.score == pytest.approx(
        ((0.79 - unrelated) / (1 - unrelated) + words) / (1 + written)
    )


def test_what_is_no_nearer_than_unrelated_texts_are_is_no_hit() -> None:
    store = ListedStore(*COMPRESSED)
    found = retrieve(Question("who won it"), store, CompressedEmbedder(), 3)
    assert [hit.source for hit in found] == ["meaning", "words"]


def test_an_embedder_of_many_languages_is_trusted_with_them() -> None:
    german = Question("wann haben viele dort gewonnen")  # 8 pieces, 5 words
    assert lexical_weight(german, CompressedEmbedder()) == TYPED
    assert lexical_weight(german, PiecewiseEmbedder()) > TYPED
    assert lexical_weight(Question("bundesversammlung"), CompressedEmbedder()) == FOREIGN
