"""The training code: offsets survive every step, and near misses stay apart from questions."""

import random
from typing import cast

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from torch import nn
from transformers import BertConfig, BertModel

from rag.answering.read.contrast import opposites_of
from rag.answering.read.layout import Layout, layout_of
from rag.answering.read.spans import Logits
from training.data import Example, detokenise
from training.edits import Edit, Neighbours, swap_opposite, swap_other
from training.exchanges import ask_of_answer, exchange_names, swap_alike, swap_told_word
from training.layout import open_layout
from training.metrics import auroc, best_threshold
from training.model import SpanReader, default_backbone
from training.near_miss import near_miss
from training.noise import misspelt, noisy
from training.outliers import Tamed, peaks_of, tame
from training.paraphrase import (
    exchanged,
    opened,
    paraphrased,
    plain_words,
    reworded,
    synonyms,
)
from training.passages import Passages
from training.phrases import swap_phrase
from training.reading import Model
from training.stream import Mix, Stream, edited_piece
from training.trials import TABLE, draw, read_trials
from training.windows import IGNORED, Piece, Window, crop, encode, without_answer
from training.yes_no import base_form, statements, yes_no

PASSAGE = (
    "The Isar rises in the Karwendel range. Munich lies on the Isar and has 1.5 million people. "
    "Its brewery was founded in 1589 by Duke Wilhelm. The river ends in the Danube near Deggendorf."
)


def unigram() -> Tokenizer:
    """A tokenizer of the kind that multilingual bodies have, of five words."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    words = [*special, "▁a", "▁an", "▁b", "▁", "n"]
    tokenizer = Tokenizer(models.Unigram([(w, -float(i)) for i, w in enumerate(words)], unk_id=3))
    tokenizer.add_special_tokens(special)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return tokenizer


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
    tokenizer, layout = open_layout(default_backbone())
    start = PASSAGE.index("Duke Wilhelm")
    whole = Piece(PASSAGE, start, start + 12)
    for seed in range(20):
        piece = crop(whole, 25, random.Random(seed))
        assert piece.text[piece.start : piece.end] == "Duke Wilhelm"
        window = encode(tokenizer, layout, "Who founded it?", piece, 64)
        assert window is not None
        ids = window.ids[window.start : window.end + 1]
        assert tokenizer.decode(ids) == "duke wilhelm"
    assert encode(tokenizer, layout, "Who founded it?", whole, 24) is None


def test_layouts_of_bert_and_of_a_tokenizer_with_blanks_in_its_words() -> None:
    assert open_layout(default_backbone())[1] == Layout(101, (102,), 102, segments=True)
    tokenizer = unigram()
    layout = layout_of(tokenizer)
    assert layout == Layout(0, (2, 2), 2, segments=False)
    assert layout.join([7], [8, 9]) == [0, 7, 2, 2, 8, 9, 2]
    piece = Piece("an b an", 3, 4)
    window = encode(tokenizer, layout, "a", piece, 64)
    assert window is not None
    assert tokenizer.decode(window.ids[window.start : window.end + 1]) == "b"
    assert window.types == [0] * window.ids.index(2) + [0, 0] + [1] * 4
    answered = Model(lambda *_: picked(window), tokenizer).read([("a", piece.text)])
    assert piece.text[answered[0].start : answered[0].end] == "b"


def picked(window: Window) -> tuple[Logits, Logits, Logits]:
    """Logits of a model that points to the window's answer."""
    places = np.arange(len(window.ids))[None]
    start, end = (np.float32(9) * (places == p) for p in (window.start, window.end))
    return start.astype(np.float32), end.astype(np.float32), np.ones(1, np.float32)


def test_chinese_is_cut_at_its_sentences() -> None:
    text = "河流很长。城市在河边。酿酒厂很老。"
    start = text.index("河边")
    piece = crop(Piece(text, start, start + 2), 6, random.Random(0))
    assert piece.text == "城市在河边。"
    assert piece.text[piece.start : piece.end] == "河边"


def near_misses(source: str, answer: str) -> Stream:
    """A stream of one unanswerable and one answerable question to a passage."""
    start = PASSAGE.index(answer)
    examples = [
        Example(source, "g", PASSAGE, "Who sold the brewery?", 0, 0),
        Example("squad1_more", "g", PASSAGE, "Who founded it?", start, start + len(answer)),
        Example("privacyqa_clauses", "g", PASSAGE, "Is it old?", start, start + len(answer)),
    ]
    tokenizer, layout = open_layout(default_backbone())
    alike = cast(Neighbours, Alike(0.0))
    return Stream(examples, Passages(examples, []), alike, tokenizer, layout, 1, 512)


def test_an_unanswerable_question_comes_with_an_answerable_one_to_its_passage() -> None:
    mix, rng = Mix(edit=0, passage=0, paraphrase=0, noise=0), random.Random(0)
    stream = near_misses("squad2_train_near_misses", "Duke Wilhelm")
    windows = list(stream.windows(iter([0]), 96, mix, rng))
    assert [w.answerable for w in windows] == [False, True]
    other = near_misses("squad2_train_other_paragraph", "Duke Wilhelm")
    assert [w.answerable for w in other.windows(iter([0]), 96, mix, rng)] == [False]


def test_an_answer_whose_words_are_not_marked_counts_as_answered_alone() -> None:
    mix, rng = Mix(edit=0, passage=0, paraphrase=0, noise=0), random.Random(0)
    stream = near_misses("squad2_train_near_misses", "Duke Wilhelm")
    [window] = stream.windows(iter([2]), 96, mix, rng)
    assert (window.start, window.end, window.answerable) == (IGNORED, IGNORED, True)


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


def test_a_paraphrase_asks_for_the_same_in_other_words() -> None:
    rng = random.Random(0)
    assert reworded("In what year was the bridge built?", rng) == "When was the bridge built?"
    assert reworded("Who was the author of Emma?", rng) == "Who wrote Emma?"
    assert reworded("Where is Ulm located?", rng) == "Where is Ulm?"
    bought = exchanged("Who purchased Purchased Ltd prior to 1990?", plain_words(), rng)
    assert bought == "Who bought Purchased Ltd before 1990?"
    assert "infant" in synonyms()["baby"]
    begun = opened("Who built it?", rng)
    assert begun.lower() != "who built it?"
    assert "who built it" in begun
    assert opened("Der Erbauer?", rng) == "Der Erbauer?"
    asked = "Who purchased the automobile?"
    assert paraphrased(asked, random.Random(5)) == paraphrased(asked, random.Random(5))


def test_noise_is_seeded_and_keeps_first_letters() -> None:
    question = "Which brewery was founded by Duke Wilhelm?"
    assert noisy(question, random.Random(4)) == noisy(question, random.Random(4))
    slipped = misspelt(question, random.Random(1))
    assert slipped != question
    assert [w[0] for w in slipped.split()] == [w[0] for w in question.split()]


def test_the_trials_are_drawn_as_they_stand() -> None:
    rows = read_trials()
    assert TABLE.with_suffix(".svg").read_text("utf-8") == draw(rows)
    dots = sum(bool(row["tokens_million"] and row["xquad_en_f1"]) for row in rows)
    assert draw(rows).count("<title>") >= dots > 0


def test_squad_metrics() -> None:
    assert auroc([2.0, 3.0], [1.0, 2.0]) == pytest.approx(0.875)
    best, threshold = best_threshold([3.0, 2.0, 1.0], [1.0, 0.0, 0.5], [0.0, 1.0, 0.0])
    assert (best, threshold) == (pytest.approx(2 / 3), 3.0)  # type: ignore[comparison-overlap]


def test_outliers_come_down_and_nothing_changes_in_fp32() -> None:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=20,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
    )
    model = SpanReader(BertModel(config, add_pooling_layer=False), segments=False).eval()
    block = model.body.get_submodule("encoder.layer.0")
    up, down = block.get_submodule("intermediate.dense"), block.get_submodule("output.dense")
    assert isinstance(up, nn.Linear)
    up.bias.data[7] = 50.0  # GELU lets it through: one channel in 64 outgrows the others
    windows = [Window([0, 5, 2, 2, 6, 7, 2], [0, 0, 0, 0, 1, 1, 1], 0, 0)]
    ids, types = torch.tensor([windows[0].ids]), torch.tensor([windows[0].types])

    def peaks() -> list[float]:
        layer = model.body.get_submodule("encoder.layer.0.output.dense")
        linear = layer.linear if isinstance(layer, Tamed) else layer
        assert isinstance(linear, nn.Linear)
        found = peaks_of({"down": linear}, lambda: model(ids, torch.ones_like(ids), types))
        return sorted(found["down"].tolist())

    with torch.inference_mode():
        before, high = model(ids, torch.ones_like(ids), types), peaks()
        tame(model, windows)
        after, low = model(ids, torch.ones_like(ids), types), peaks()
    assert high[-1] > 20 * high[-2]
    assert low[-1] < 2 * low[-2]
    assert low[:-2] == pytest.approx(high[:-2])
    assert down is not block.get_submodule("output.dense")
    for one, other in zip(before, after, strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_a_statement_becomes_a_question_that_its_predicate_decides() -> None:
    asked = {f"{verb} {subject} {rest}" for verb, subject, rest, _ in statements(PASSAGE)}
    assert "did Munich lie on the Isar" not in asked  # "lies" is no past tense
    told = "The library was opened in 1890 by a teacher. Its tower collapsed in the flood of 1913."
    made = {(f"{verb} {subject} {rest}", start) for verb, subject, rest, start in statements(told)}
    assert ("was the library opened in 1890 by a teacher", told.index("opened")) in made
    assert ("did its tower collapse in the flood of 1913", told.index("in the flood")) in made
    for seed in range(40):
        found = yes_no(Piece(told), random.Random(seed))
        assert found is not None
        question, piece = found
        decides = piece.text[piece.start : piece.end]
        assert decides in ("opened in 1890 by a teacher", "in the flood of 1913")
        assert question.startswith(("Was the library ", "Did its tower collapse "))


def test_questions_and_pronouns_are_no_statements() -> None:
    for text in ("Is it open?", "It was opened in 1890.", "There are nine.", "Which one is it?"):
        assert yes_no(Piece(text), random.Random(1)) is None


@pytest.mark.parametrize(
    ("past", "base"),
    [("opened", "open"), ("collapsed", "collapse"), ("carried", "carry"), ("stopped", "stop"),
     ("called", "call"), ("moved", "move"), ("became", "become"), ("red", None), ("lies", None)],
)  # fmt: skip
def test_the_base_form_of_a_past_tense(past: str, base: str | None) -> None:
    assert base_form(past) == base
