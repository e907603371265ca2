"""The training code: offsets survive every step, and near misses stay apart from questions."""

import random
from typing import cast

import pytest

from rag.inference import open_tokenizer
from rag.read.contrast import opposites_of
from training.data import detokenise
from training.doubts import UNKNOWN, labels, put_in
from training.edits import Edit, Neighbours, swap_opposite, swap_other
from training.exchanges import ask_of_answer, exchange_names, swap_alike, swap_told_word
from training.metrics import auroc, best_threshold
from training.model import default_backbone
from training.near_miss import near_miss
from training.noise import misspelt, noisy
from training.phrases import swap_phrase
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


def test_what_an_edit_changes_is_in_doubt() -> None:
    assert put_in("Who bought Jones Steel?", "Who sold Jones Steel?") == ("sold",)
    assert put_in("When did the old mine open?", "When did it not open?") == ("it not",)
    assert put_in("Who came?", "Who came?") is None


def test_doubts_are_labelled_by_word_piece() -> None:
    tokenizer = open_tokenizer(default_backbone() / "tokenizer.json")
    question = "Who sold the Karwendel brewery?"
    piece = Piece(PASSAGE, PASSAGE.index("Duke"), PASSAGE.index("Duke") + 12)
    window = encode(tokenizer, question, piece, 96, ("Karwendel",))
    assert window is not None
    doubted = [i for i, d in zip(window.ids, window.doubts, strict=True) if d == 1]
    assert tokenizer.decode(doubted) == "karwendel"
    assert {d for d, t in zip(window.doubts, window.types, strict=True) if t} == {UNKNOWN}
    assert window.doubts[0] == UNKNOWN
    plain = encode(tokenizer, question, piece, 96, ())
    assert plain is not None
    assert set(plain.doubts) == {0, UNKNOWN}
    # Noise may have changed the words, or which they are may not be known.
    assert labels("who sodl it", [(0, 3), (4, 8), (9, 11)], ("sold",)) == [UNKNOWN] * 3
    assert labels("who sold it", [(0, 3), (4, 8), (9, 11)], None) == [UNKNOWN] * 3
    assert labels("who SOLD it", [(0, 3), (4, 8), (9, 11)], ("sold",)) == [0, 1, 0]


def test_near_miss_changes_the_question() -> None:
    nothing_alike = cast(Neighbours, Alike(0.0))
    question = "Which river flows through Munich since 1589?"
    edits = {
        near_miss(question, PASSAGE, PASSAGE, "Isar", nothing_alike, random.Random(i))
        for i in range(60)
    }
    made = {edit.apply(question) for edit in edits if edit is not None}
    assert question not in made
    assert any("Munich" not in q for q in made)
    assert any("1589" not in q for q in made)


class Alike:
    """Neighbours to whom all words and names are as alike as said."""

    def __init__(self, likeness: float) -> None:
        self._likeness = likeness

    def of(self, word: str) -> list[str]:
        return []

    def likeness(self, name: str, other: str) -> float:
        return self._likeness


def test_who_did_it_changes_places_with_whom_it_was_done_to() -> None:
    told = "In 1990 Smith Motors bought Jones Steel from the town of Bray."
    alike, rng = cast(Neighbours, Alike(0.3)), random.Random(0)
    asked = "Who bought Jones Steel?"
    edit = ask_of_answer(asked, told, "Smith Motors", alike, rng)
    assert edit is not None
    assert edit.apply(asked) == "Who bought Smith Motors?"
    unlike = cast(Neighbours, Alike(0.1))
    assert ask_of_answer(asked, told, "Smith Motors", unlike, rng) is None
    assert ask_of_answer("Who bought Jones Steel with Bray?", told, "Smith", alike, rng) is None
    assert ask_of_answer("When did Smith buy it?", told, "1990", alike, rng) is None
    assert ask_of_answer("Which Bray company bought it?", told, "Smith Motors", alike, rng) is None
    exchanged = exchange_names("When did Smith Motors buy Jones Steel?")
    assert exchanged == Edit("Smith Motors buy Jones Steel", "Jones Steel buy Smith Motors", False)
    assert exchange_names("When was the Bray mayor paid by Smith?") is None


def test_one_of_two_alike_stands_for_the_other_unless_both_may_be_told() -> None:
    alike, rng = cast(Neighbours, Alike(0.3)), random.Random(0)
    passage = "Ford built the bridge. Opel painted it."
    assert swap_alike("Who paid Ford?", passage, "nobody", alike, rng) == Edit("Ford", "Opel")
    word = swap_told_word("What was constructed by Ford?", passage, "the bridge", alike, rng)
    assert word == Edit("constructed", "painted", mutual=False)
    for likeness in (0.0, 0.9):  # another part of speech, or a synonym
        other = cast(Neighbours, Alike(likeness))
        assert swap_told_word("What was constructed?", passage, "the bridge", other, rng) is None
    both = "Ford sold 20 cars, Opel 30."
    assert swap_alike("How many cars did Ford sell?", both, "20", alike, rng) is None


def test_a_phrase_of_the_passage_or_of_another_question_stands_for_one_like_it() -> None:
    alike, rng = cast(Neighbours, Alike(0.2)), random.Random(0)
    asked, passage = "What fell on the old roof?", "Snow fell on the old roof. It lay on the wall."
    edit = Edit("old roof", "wall")
    assert swap_phrase(asked, passage, [], "Snow", alike, rng) == edit
    assert swap_phrase(asked, passage, [], "the wall", alike, rng) is None  # it is the answer
    other = ["What stood on the mill?", "What grew on the Moon?"]
    assert swap_phrase(asked, "Snow.", other, "Snow", alike, rng) == Edit("old roof", "mill")
    for likeness in (0.0, 0.9):  # of another kind, or the same
        unlike = cast(Neighbours, Alike(likeness))
        assert swap_phrase(asked, passage, [], "Snow", unlike, rng) is None
    both = "They paid 20 for the roof. They paid 30 for the wall."
    assert swap_phrase("What did they pay for the roof?", both, [], "20", alike, rng) is None
    assert swap_phrase("Who is the author?", "Ask the wall.", [], "Jo", alike, rng) is None


def test_edits_of_the_passages_own_words_alone_are_made_where_only_they_are_told() -> None:
    alike = cast(Neighbours, Alike(0.2))
    asked, passage = "Why does the first bank lose?", "The old bank won. It was the last shop."
    edits = [
        near_miss(asked, passage, passage, "won", alike, random.Random(i), told=1.0)
        for i in range(30)
    ]
    made = {edit.new for edit in edits if edit is not None}
    assert made
    assert all(new in passage for new in made)


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
