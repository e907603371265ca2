"""The span reader: windows with exact offsets, spans from logits, evidence, probabilities."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answering.question import Question
from rag.answering.read import SpanReader, missing_words
from rag.answering.read.confidence import WEIGHTS, ConfidenceModel
from rag.answering.read.evidence import FEATURES, Candidate, features, sentence_around
from rag.answering.read.layout import word_pieces
from rag.answering.read.model import (
    OUTPUTS,
    PADDING,
    WORD_VECTORS,
    ReaderSettings,
    SpanModel,
    open_model,
    open_predict,
)
from rag.answering.read.reader import MODEL
from rag.answering.read.spans import Logits, Reading, best_apart, window_readings
from rag.answering.read.windows import IntArray, Passage, Window, batches, cut, token_ranges
from rag.embed import HashingEmbedder
from rag.embed.bundled import bundled_model_path
from rag.embed.onnx import open_tokenizer
from rag.errors import ModelError
from rag.types import Chunk, Document, Hit, Vectors

TEXT = (
    "The Isar rises in the Karwendel range. Munich lies on the Isar and has 1.5 million people. "
    "Its brewery was founded in 1589 by Duke Wilhelm. The river ends in the Danube near Deggendorf."
)
TOKENIZER = bundled_model_path() / "tokenizer.json"


def hit(text: str, source: str = "a.txt", score: float = 0.5, dense: float = 0.6) -> Hit:
    return Hit(Chunk(Document(source, text), 0, len(text)), score, dense, 3.0)


# Windows


def test_windows_cover_the_passage_with_its_own_offsets() -> None:
    tokenizer = open_tokenizer(TOKENIZER)
    text = f"Something before. {TEXT} Something after."
    start = text.index("The Isar")
    passages = [Passage(text, start, start + len(TEXT))]
    windows = cut(word_pieces(tokenizer), "Who?", passages, 24, 10)
    covered = {i for w in windows for low, high in w.offsets for i in range(low, high)}
    assert covered == {i for i in range(start, start + len(TEXT)) if not text[i].isspace()}
    for window in windows:
        assert len(window.ids) <= 24
        for position, (low, high) in enumerate(window.offsets, start=window.first):
            piece = tokenizer.decode([window.ids[position]]).strip("#")
            assert piece == text[low:high].lower()


def test_ranges_keep_sentences_whole_and_skip_nothing() -> None:
    assert token_ranges([0, 5, 12, 18, 25], room=14, stride=7) == [(0, 12), (5, 18), (12, 25)]
    assert token_ranges([0, 40], room=16, stride=10) == [(0, 16), (10, 26), (20, 36), (30, 40)]
    assert token_ranges([0, 9], room=16, stride=8) == [(0, 9)]
    assert token_ranges([0], room=16, stride=8) == []


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=20), st.integers(2, 60), st.integers(1, 60)
)
def test_ranges_cover_every_token(lengths: list[int], room: int, stride: int) -> None:
    starts = [0, *np.cumsum(lengths).tolist()]
    ranges = token_ranges(starts, room, min(stride, room))
    assert {i for low, high in ranges for i in range(low, high)} == set(range(starts[-1]))
    assert all(0 < high - low <= room for low, high in ranges)
    assert ranges == sorted(ranges)


def test_batches_are_padded_and_lose_no_window() -> None:
    windows = [Window(i, (101,) * n, 1, ((0, 1),)) for i, n in enumerate((5, 30, 12, 7, 40))]
    made = batches(windows, most_tokens=60)
    assert {w.passage for batch in made for w in batch.windows} == {0, 1, 2, 3, 4}
    for batch in made:
        assert batch.ids.size <= 60
        assert batch.mask.sum(axis=1).tolist() == [len(w.ids) for w in batch.windows]
        assert batch.types.sum(axis=1).tolist() == [len(w.ids) - 1 for w in batch.windows]


# Spans


def window(count: int) -> Window:
    return Window(0, (0,) * (count + 3), 2, tuple((10 * i, 10 * i + 9) for i in range(count)))


def test_the_span_is_the_best_sum_of_start_and_end() -> None:
    start, end = np.zeros(9, np.float32), np.zeros(9, np.float32)
    start[[0, 4, 7]], end[[0, 5, 3]] = (1, 5, 3), (1, 4, 8)
    best, second = window_readings(window(6), start, end, 2.0)
    assert (best.start, best.end) == (20, 39)  # the higher end at 3 would come before the start
    assert best.null_margin == pytest.approx(5 + 4 - 2)
    assert best.span_log_prob < 0
    assert best.rank == pytest.approx(7 + 2 * 2.0)
    assert second.null_margin < best.null_margin
    assert not best.overlaps(second)


def test_a_window_of_question_alone_has_no_span() -> None:
    logits = np.ones(4, np.float32)
    assert window_readings(Window(0, (0,) * 4, 3, ()), logits, logits, 0.0) == []


@settings(max_examples=60)
@given(st.integers(1, 50), st.integers(0, 2**32 - 1))
def test_spans_are_the_best_of_all(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    start, end = rng.normal(size=(2, count + 3)).astype(np.float32)
    found = window_readings(window(count), start, end, 0.0)
    sums = [start[2 + i] + end[2 + j] for i in range(count) for j in range(i, min(count, i + 30))]
    assert found[0].null_margin == pytest.approx(max(sums) - start[0] - end[0], abs=1e-4)
    assert all(not a.overlaps(b) for i, a in enumerate(found) for b in found[i + 1 :])


def test_of_overlapping_readings_the_best_is_kept() -> None:
    readings = [
        Reading(0, 10, 5.0, -0.1, 0.0),
        Reading(5, 12, 6.0, -0.1, 0.0),
        Reading(12, 20, 1.0, -0.1, 0.0),
    ]
    assert [(r.start, r.end) for r in best_apart(readings, 2)] == [(5, 12), (12, 20)]


# Evidence


def candidate(found: Hit, words: str, margin: float = 3.0) -> Candidate:
    start = found.text.index(words)
    return Candidate(found, Reading(start, start + len(words), margin, -0.5, 1.0), 1.2)


def embed(texts: Sequence[str]) -> Vectors:
    return HashingEmbedder().embed_documents(texts)


def row(question: str, *candidates: Candidate) -> dict[str, float]:
    return dict(zip(FEATURES, features(Question(question), candidates, embed)[0], strict=True))


def test_what_the_question_names_and_the_passage_lacks() -> None:
    found = candidate(hit(TEXT), "1589")
    good = row("When was the brewery of Munich founded?", found)
    bad = row("When was the brewery of Berlin founded in 1700?", found)
    assert (good["names_missing"], good["numbers_missing"]) == (0.0, 0.0)
    assert (bad["names_missing"], bad["numbers_missing"]) == (1.0, 1.0)
    assert good["passage_words"] > bad["passage_words"]
    assert good["words_nowhere"] == 0.0
    assert bad["words_nowhere"] == pytest.approx(2 / 4)
    assert (good["names_elsewhere"], bad["names_elsewhere"]) == (1.0, 1.0)
    question = Question("Was Munich's brewery in Berlin founded in 1700?")
    assert missing_words(question, [hit(TEXT)]) == [
        "Berlin",
        "1700",
    ]


def test_what_the_sentence_says_otherwise() -> None:
    kinds = ("opposites", "others", "numbers_differ", "negated")

    def told(question: str, answer: str) -> list[float]:
        found = row(question, candidate(hit(TEXT), answer))
        return [found[kind] for kind in kinds]

    assert told("Which river rises in the Karwendel range?", "The Isar") == [0.0, 0.0, 0.0, 0.0]
    assert told("Which river never falls there?", "The Isar") == [1.0, 0.0, 0.0, 1.0]
    assert told("Who founded it in 1590?", "Duke Wilhelm") == [0.0, 0.0, 1.0, 0.0]


def test_a_sentence_about_what_is_asked_is_closer() -> None:
    founded, flows = candidate(hit(TEXT), "1589"), candidate(hit(TEXT), "The Isar")
    question = "When was the brewery founded?"
    assert row(question, founded)["sentence_score"] > row(question, flows)["sentence_score"]
    whole = sentence_around(founded)
    assert row(whole, founded)["sentence_score"] == pytest.approx(1.0, abs=1e-5)


def test_a_reading_is_below_one_whose_text_has_more_of_the_question() -> None:
    question = "When was the brewery of Munich founded?"
    near, far = (
        candidate(hit(TEXT), "1589"),
        candidate(hit("Munich grew in 1850.", "b.txt"), "1850"),
    )
    kinds = ("sentence_words", "passage_words")
    first, second = row(question, near, far), row(question, far, near)
    for kind in kinds:
        assert first[f"{kind}_below"] == 0.0
        assert second[f"{kind}_below"] == pytest.approx(second[kind] - first[kind])
        assert second[f"{kind}_below"] < 0.0
    assert row(question, far)["passage_words_below"] == 0.0


def test_type_of_answer_and_words_repeated() -> None:
    assert row("When was it founded?", candidate(hit(TEXT), "1589"))["type"] == 1.0
    assert row("When was it founded?", candidate(hit(TEXT), "Duke Wilhelm"))["type"] == -1.0
    assert row("What was founded?", candidate(hit(TEXT), "1589"))["type"] == 0.0
    assert row("What is the Isar?", candidate(hit(TEXT), "The Isar"))["repeats"] == 1.0


def test_agreement_looks_at_the_other_passages() -> None:
    one, same = candidate(hit(TEXT), "1589"), candidate(hit(TEXT, "b.txt"), "1589")
    assert row("When?", one, same)["agreement"] == 1.0
    assert row("When?", one, candidate(hit(TEXT, "c.txt"), "1.5"))["agreement"] == 0.0


# Probabilities


JUDGE = ConfidenceModel(
    "",
    tuple(float(n == "null_margin") for n in FEATURES),
    -3.0,
    ((0.0, 0.5, 1.0), (0.4, 0.8, 0.6), (0.7, 0.95, 0.2)),
)


def test_the_threshold_reaches_the_precision_asked_for() -> None:
    assert [JUDGE.threshold(p) for p in (0.0, 0.5, 0.79, 0.9, 0.99)] == [0.0, 0.0, 0.4, 0.7, 1.0]


def points_at(words: str) -> SpanModel:
    """A model sure of the word pieces of ``words``, wherever they stand."""
    tokenizer = open_tokenizer(TOKENIZER)
    wanted = tokenizer.encode(words, add_special_tokens=False).ids

    def predict(ids: IntArray, mask: IntArray, types: IntArray) -> tuple[Logits, Logits, Logits]:
        start, end = (np.zeros(ids.shape, np.float32) for _ in range(2))
        start[(ids == wanted[0]) & (types == 1)] = 5.0
        end[(ids == wanted[-1]) & (types == 1)] = 5.0
        return start, end, start.max(axis=1)

    return SpanModel(predict, tokenizer)


def test_spans_are_exact_and_most_probable_first() -> None:
    reader = SpanReader(points_at("Duke Wilhelm"), JUDGE)
    other = hit("The Danube is long.", "b.txt")
    spans = reader.read("Who founded the brewery?", [other, hit(TEXT)])
    assert spans[0].text == "Duke Wilhelm"
    assert spans[0].hit.source == "a.txt"
    assert spans[0].probability > 0.9 > spans[-1].probability
    assert [s.probability for s in spans] == sorted((s.probability for s in spans), reverse=True)
    assert reader.read("Who?", []) == []
    assert reader.threshold(0.8) == 0.4


def test_a_pronoun_alone_is_no_answer() -> None:
    said = hit("Duke Wilhelm liked beer. He founded the brewery in 1589.")
    spans = SpanReader(points_at("he"), JUDGE).read("Who founded the brewery?", [said])
    assert spans
    assert "He" not in [span.text for span in spans]


def test_overlapping_hits_give_a_span_once() -> None:
    document = Document("a.txt", TEXT)
    hits = [Hit(Chunk(document, a, b), 0.5, 0.5, 1.0) for a, b in ((0, 140), (39, len(TEXT)))]
    spans = SpanReader(points_at("Duke Wilhelm"), JUDGE).read("Who?", hits)
    assert len({(s.start, s.end) for s in spans}) == len(spans)


def test_the_model_that_ships_reads(reader: SpanReader) -> None:
    [best, *_] = reader.read("Who founded the brewery?", [hit(TEXT)])
    assert best.text == "Duke Wilhelm"
    [year, *_] = reader.read("brewery founded when", [hit(TEXT)])
    assert year.text == "1589"
    assert best.probability > reader.read("Who is the king of Spain?", [hit(TEXT)])[0].probability


def test_reading_is_the_same_each_time(reader: SpanReader) -> None:
    hits = [hit(TEXT), hit("Munich was founded in 1158.", "b.txt")]
    assert reader.read("When was it founded?", hits) == reader.read("When was it founded?", hits)


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reader.onnx"
    with pytest.raises(ModelError, match="missing"):
        open_model(path)
    path.write_bytes(MODEL.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="damaged"):
        open_model(path, ConfidenceModel.load().sha256)
    path.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"cannot load reader\.onnx"):
        open_model(path)


def test_a_model_of_a_body_that_is_not_known_is_refused(tmp_path: Path) -> None:
    assert ReaderSettings.of({}) == ReaderSettings("all-MiniLM-L6-v2", 96, 48)
    made = onnx.load(str(MODEL))
    onnx.helper.set_model_props(made, {"body": "bert-of-tomorrow", "length": "224"})
    onnx.save(made, str(tmp_path / "reader.onnx"))
    with pytest.raises(ModelError, match="'bert-of-tomorrow'"):
        open_model(tmp_path / "reader.onnx")


def without_mask(path: Path) -> Path:
    """A model of windows by themselves: a token's start is its word vector's first value."""
    vectors = onnx.helper.make_tensor_value_info(WORD_VECTORS, onnx.TensorProto.FLOAT, [1, "n", 2])
    types = onnx.helper.make_tensor_value_info("token_type_ids", onnx.TensorProto.INT64, [1, "n"])
    nodes = [
        onnx.helper.make_node("Constant", [], [name], value_int=value)
        for name, value in (("zero", 0), ("one", 1))
    ]
    nodes += [
        onnx.helper.make_node("Gather", [WORD_VECTORS, "zero"], [OUTPUTS[0]], axis=2),
        onnx.helper.make_node("Gather", [WORD_VECTORS, "one"], [OUTPUTS[1]], axis=2),
        onnx.helper.make_node("Cast", ["token_type_ids"], ["kinds"], to=onnx.TensorProto.FLOAT),
        onnx.helper.make_node("ReduceSum", ["kinds", "one_axis"], [OUTPUTS[2]], keepdims=0),
    ]
    shapes: list[list[str | int | None]] = [[1, "n"], [1, "n"], [1]]
    outputs = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in zip(OUTPUTS, shapes, strict=True)
    ]
    axes = onnx.numpy_helper.from_array(np.array([1]), "one_axis")
    graph = onnx.helper.make_graph(nodes, "read", [vectors, types], outputs, [axes])
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), str(path))
    return path


def test_a_model_without_a_mask_reads_each_window_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Words:
        @staticmethod
        def word_vectors(ids: IntArray) -> Logits:
            return np.stack([ids, 10 * ids], axis=-1).astype(np.float32)

    monkeypatch.setattr("rag.answering.read.model.e5_file", Words)
    predict = open_predict(without_mask(tmp_path / "reader.onnx"))
    ids, mask = np.array([[5, 6, 7], [8, 9, 0]]), np.array([[1, 1, 1], [1, 1, 0]])
    start, end, answerable = predict(ids, mask, np.array([[0, 1, 1], [0, 1, 0]]))
    assert start.tolist() == [[5, 6, 7], [8, 9, PADDING]]
    assert end.tolist() == [[50, 60, 70], [80, 90, PADDING]]
    assert answerable.tolist() == [2, 1]


@pytest.mark.parametrize("broken", ["", "{}", '{"sha256": "", "weights": {}}', "[]"])
def test_settings_of_another_reader_are_refused(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "reader.json"
    path.write_text(broken)
    with pytest.raises(ModelError, match=r"reader\.json"):
        ConfidenceModel.load(path)


def test_the_shipped_settings_are_of_the_shipped_model() -> None:
    curve = json.loads(WEIGHTS.read_text())["curve"]
    assert [point[0] for point in curve] == sorted(point[0] for point in curve)
    coverage = [point[2] for point in curve]
    assert coverage == sorted(coverage, reverse=True)
