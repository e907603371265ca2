"""The training code: offsets survive every step, and near misses stay apart from questions."""

import random

import pytest

from rag.inference import open_tokenizer
from rag.read.contrast import opposites_of
from training.data import detokenise
from training.edits import Edit, misspelt, near_miss, noisy, swap_opposite, swap_other
from training.metrics import auroc, best_threshold
from training.model import default_backbone
from training.stream import edited_piece
from training.windows import Piece, crop, encode, without_answer

PASSAGE = (
    "The Isar rises in the Karwendel range. Munich lies on the Isar and has 1.5 million people. "
    "Its brewery was founded in 1589 by Duke Wilhelm. The river ends in the Danube near Deggendorf."
)


@pytest.mark.parametrize(
    ("text", "answer", "plain", "moved"),
    [
        ("He did n't pay -LRB- much -RRB- .", "much", "He didn't pay (much).", "much"),
        ("<P> The `` Old Town '' lies here . </P>", "Old Town", 'The "Old Town" lies here. ', None),
        ("It cost $ 5 , all told", "$ 5", "It cost $5, all told", "$5"),
        ("nothing changes here", "changes", "nothing changes here", "changes"),
    ],
)
def test_detokenise_moves_the_answer(text: str, answer: str, plain: str, moved: str | None) -> None:
    start = text.index(answer)
    got, low, high = detokenise(text, start, start + len(answer))
    assert (got, got[low:high]) == (plain, moved or answer)


def test_window_holds_the_answer() -> None:
    tokenizer = open_tokenizer(default_backbone() / "tokenizer.json")
    start = PASSAGE.index("Duke Wilhelm")
    whole = Piece(PASSAGE, start, start + 12)
    for seed in range(20):
        piece = crop(whole, 25, random.Random(seed))
        assert piece.text[piece.start : piece.end] == "Duke Wilhelm"
        window = encode(tokenizer, "Who founded it?", piece, 64)
        assert window is not None
        ids = window.ids[window.start : window.end + 1]
        assert tokenizer.decode(ids) == "duke wilhelm"
    assert encode(tokenizer, "Who founded it?", whole, 24) is None


def test_without_answer_drops_its_sentence_alone() -> None:
    start = PASSAGE.index("1589")
    lacking = without_answer(Piece(PASSAGE, start, start + 4))
    assert lacking is not None
    assert "1589" not in lacking.text
    assert "Karwendel" in lacking.text
    assert "Danube" in lacking.text


def test_edited_piece_keeps_the_answer() -> None:
    start = PASSAGE.index("Duke Wilhelm")
    piece = edited_piece(Piece(PASSAGE, start, start + 12), Edit("Munich", "Passau"))
    assert piece is not None
    assert "Passau lies on" in piece.text
    assert piece.text[piece.start : piece.end] == "Duke Wilhelm"
    assert edited_piece(Piece(PASSAGE, start, start + 12), Edit("Duke", "Count")) is None
    assert edited_piece(Piece(PASSAGE, start, start + 12), Edit("Berlin", "Passau")) is None


def test_a_passage_without_the_answer_is_cut_around_what_is_most_like_the_question() -> None:
    text = "It rains in May. The duke built a brewery. Trams run to the north. Nobody came."
    piece = crop(Piece(text), 10, random.Random(0), "Who sold the brewery of the duke?")
    assert "The duke built a brewery." in piece.text
    assert "It rains" not in piece.text or "Nobody" not in piece.text


def test_swaps_of_opposites_and_of_others() -> None:
    rng = random.Random(0)
    edit = swap_opposite("Who lost the cup?", rng)
    assert edit is not None
    assert (edit.old, edit.new in opposites_of("lost")) == ("lost", True)
    edit = swap_other("Who came in April?", "He came in May.", rng)
    assert edit == Edit("April", "May")
    assert swap_other("Which one came?", "Two came.", rng) is None


def test_near_miss_changes_the_question() -> None:
    class NoNeighbours:
        def of(self, word: str) -> list[str]:
            return []

    question = "Which river flows through Munich since 1589?"
    edits = {
        near_miss(question, PASSAGE, "Isar", NoNeighbours(), random.Random(i))  # type: ignore[arg-type]
        for i in range(60)
    }
    made = {edit.apply(question) for edit in edits if edit is not None}
    assert question not in made
    assert any("Munich" not in q for q in made)
    assert any("1589" not in q for q in made)


def test_noise_is_seeded_and_keeps_first_letters() -> None:
    question = "Which brewery was founded by Duke Wilhelm?"
    assert noisy(question, random.Random(4)) == noisy(question, random.Random(4))
    slipped = misspelt(question, random.Random(1))
    assert slipped != question
    assert [w[0] for w in slipped.split()] == [w[0] for w in question.split()]


def test_squad_metrics() -> None:
    assert auroc([2.0, 3.0], [1.0, 2.0]) == pytest.approx(0.875)
    best, threshold = best_threshold([3.0, 2.0, 1.0], [1.0, 0.0, 0.5], [0.0, 1.0, 0.0])
    assert (best, threshold) == (pytest.approx(2 / 3), 3.0)  # type: ignore[comparison-overlap]
