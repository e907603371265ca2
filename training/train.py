"""Train the reader: `python -m training.train --data DIR --out DIR`.

A run is resumed with `--resume` from the last state saved in `--out`, and leaves there
`settings.json`, `log.jsonl` and the weights: `step_N.pt` on the way, `final.pt` at the end. It is
deterministic by its seed and steps; a resumption with another seed goes on with a fresh stream of
the data as they are then.

The rate warms up, stays level, and falls to zero over the last `--decay-steps`. So a run that is
stopped can go on at the level rate for as long as one likes, and a copy of its state can be brought
to its end at any time: with `--steps` as many more as `--decay-steps`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from training.data import SOURCES, read_training
from training.edits import Neighbours
from training.facts import fillers_of, make_examples
from training.layout import open_layout
from training.model import (
    TABLE,
    SpanReader,
    Weights,
    default_backbone,
    from_backbone,
    load_weights,
)
from training.passages import Passages
from training.stream import Mix, Stream
from training.windows import IGNORED, Batch


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run depends on, beside its data; saved with it."""

    seed: int = 0
    steps: int = 100_000
    rate: float = 1e-4
    head_rate: float = 6e-4
    warm_up: int = 150
    decay_steps: int = 600
    weight_decay: float = 0.01
    clip: float = 1.0
    batch_tokens: int = 3072
    dropout: float = 0.0
    answerable_weight: float = 0.6
    frozen_layers: int = 4
    mix: Mix = field(default_factory=Mix)
    save_minutes: float = 4.0
    keep_steps: int = 1000
    limit: int | None = None
    facts: int = 40_000
    threads: int = 2
    bfloat16: bool = False
    device: str = "cpu"


TINY = Settings(
    steps=8, batch_tokens=512, limit=48, facts=48, warm_up=2, decay_steps=2, save_minutes=60.0
)


@dataclass(slots=True)
class Progress:
    """Where a run stands: optimiser steps, seconds spent, tokens and windows read.

    The stream of `seed` began at step `began`.
    """

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    windows: int = 0
    seed: int = 0
    began: int = 0


def make_stream(data: Path, backbone: Path, settings: Settings) -> Stream:
    """Read the data, rank the hard passages and return the stream of batches.

    Related words come from the bundled MiniLM whatever the backbone: its word pieces are words.
    """
    examples = read_training(data, settings.limit)
    examples += make_examples(settings.facts, settings.seed, fillers_of(examples))
    hard = [i for i, e in enumerate(examples) if SOURCES[e.source].negatives]
    tokenizer, layout = open_layout(backbone)
    passages = Passages(examples, hard)
    neighbours = Neighbours(default_backbone())
    return Stream(
        examples, passages, neighbours, tokenizer, layout, settings.seed, settings.batch_tokens
    )


class Masters:
    """The trained weights in fp32: the model's own or, where its body is in bfloat16, copies.

    A bfloat16 weight is too coarse to add small steps to; autocast instead would cast all weights
    and many activations again and again.
    """

    def __init__(self, model: SpanReader, bfloat16: bool) -> None:
        """Take the weights of a model in fp32, and put its body into bfloat16 if asked to."""
        model.body.get_input_embeddings().requires_grad_(False)
        self.model = model
        self.weights = {
            name: weight.detach().clone() if bfloat16 and name.startswith("body.") else weight
            for name, weight in model.named_parameters()
            if name != TABLE
        }
        if bfloat16:
            model.body.bfloat16()
        self._copied = [
            (weight, self.weights[name])
            for name, weight in model.named_parameters()
            if name != TABLE and self.weights[name] is not weight
        ]

    def take_gradients(self) -> None:
        """Move the gradients of the copied weights to the fp32 ones."""
        for weight, master in self._copied:
            master.grad = None if weight.grad is None else weight.grad.float()
            weight.grad = None

    @torch.no_grad()
    def give_back(self) -> None:
        """Copy the fp32 weights into the model."""
        for weight, master in self._copied:
            weight.copy_(master)

    def state(self) -> Weights:
        """Return the weights in fp32, without the word embeddings."""
        return {name: weight.detach() for name, weight in self.weights.items()}

    @torch.no_grad()
    def load(self, weights: Weights) -> None:
        """Take other weights."""
        for name, weight in self.weights.items():
            weight.copy_(weights[name])
        self.give_back()


def make_optimizer(weights: Weights, settings: Settings) -> torch.optim.AdamW:
    """Return AdamW with a higher rate on the heads and no decay on biases and norms."""
    groups: dict[tuple[bool, bool], list[Tensor]] = {}
    for name, weight in weights.items():
        groups.setdefault((not name.startswith("body."), weight.dim() > 1), []).append(weight)
    params = [
        {
            "params": members,
            "peak": settings.head_rate if head else settings.rate,
            "weight_decay": settings.weight_decay if matrix else 0.0,
        }
        for (head, matrix), members in groups.items()
    ]
    return torch.optim.AdamW(params, lr=settings.rate, betas=(0.9, 0.98), fused=True)


def freeze(model: SpanReader, layers: int) -> None:
    """Leave the embeddings and the first layers untrained."""
    model.body.get_submodule("embeddings").requires_grad_(False)
    for index, layer in enumerate(model.body.get_submodule("encoder.layer").children()):
        layer.requires_grad_(index >= layers)


def rate_factor(step: int, settings: Settings) -> float:
    """Return the share of the peak rate: up, level, then straight down to zero."""
    left = settings.steps - step
    return max(0.01, min(1.0, (step + 1) / settings.warm_up, left / max(1, settings.decay_steps)))


def frozen_layers(step: int, settings: Settings) -> int:
    """Return how many of the first layers are left as they are: none once the rate falls."""
    return settings.frozen_layers if step < settings.steps - settings.decay_steps else 0


def losses(model: SpanReader, batch: Batch, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """Return the span loss and the answerability loss of a batch, window means.

    Spans point to the first token where the window does not answer; question tokens are never
    pointed to.
    """
    ids, mask, types, start, end, answers = (
        torch.from_numpy(getattr(batch, f.name)).to(device) for f in fields(batch)
    )
    start_logits, end_logits, answerable = model(ids, mask, types)
    asked = (types == 0) & (mask == 1)
    asked[:, 0] = False
    span = sum(
        functional.cross_entropy(logits.masked_fill(asked, -1e4), place, ignore_index=IGNORED)
        for logits, place in ((start_logits, start), (end_logits, end))
    )
    known = functional.binary_cross_entropy_with_logits(answerable, answers.float())
    return torch.as_tensor(span) / 2, known


class Trainer:
    """Runs the steps, saves and logs; holds nothing that a saved state does not restore."""

    def __init__(self, stream: Stream, model: SpanReader, settings: Settings, out: Path) -> None:
        """Set up a run from its beginning."""
        self.stream, self.model, self.settings, self.out = stream, model, settings, out
        self.masters = Masters(model, settings.bfloat16)
        self.optimizer = make_optimizer(self.masters.weights, settings)
        self.progress = Progress(seed=settings.seed)
        self._sums = [0.0, 0.0, 0.0]

    def resume(self) -> None:
        """Go back to the last state saved, if there is one."""
        path = self.out / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.settings.device, weights_only=True)
        self.masters.load(state["model"])
        peaks = [(group["peak"], group["weight_decay"]) for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state["optimizer"])
        for group, (peak, decay) in zip(self.optimizer.param_groups, peaks, strict=True):
            group["peak"], group["weight_decay"] = peak, decay
        self.progress = Progress(**state["progress"])
        torch.set_rng_state(state["random"].cpu())
        if self.progress.seed != self.settings.seed:
            self.progress.seed, self.progress.began = self.settings.seed, self.progress.step

    def run(self) -> None:
        """Train until the steps are done."""
        done, total = self.progress.step, self.settings.steps
        began_at = self.progress.began
        drawn = self.stream.batches(self.settings.mix)
        batches = itertools.islice(drawn, done - began_at, total - began_at)
        before, began = self.progress.seconds, time.monotonic()
        saved = began
        for batch in tqdm(batches, initial=done, total=total, unit="step", mininterval=20):
            freeze(self.model, frozen_layers(self.progress.step, self.settings))
            self._step(batch)
            now = time.monotonic()
            self.progress.seconds = before + now - began
            if self.progress.step % self.settings.keep_steps == 0:
                self._save_weights(f"step_{self.progress.step}")
            if now - saved > 60 * self.settings.save_minutes:
                saved = now
                self._save_state()
        self._log()
        self._save_weights("final")
        self._save_state()

    def _save_weights(self, name: str) -> None:
        torch.save(self.masters.state(), self.out / f"{name}.pt")

    def _save_state(self) -> None:
        """Save what a resumed run needs; the last state stays until the new one is whole."""
        state = {
            "model": self.masters.state(),
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
            "random": torch.get_rng_state(),
        }
        part = self.out / "state.pt.part"
        torch.save(state, part)
        part.replace(self.out / "state.pt")

    def _step(self, batch: Batch) -> None:
        factor = rate_factor(self.progress.step, self.settings)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        span, known = losses(self.model, batch, self.settings.device)
        loss = span + self.settings.answerable_weight * known
        loss.backward()  # type: ignore[no-untyped-call]
        self.masters.take_gradients()
        torch.nn.utils.clip_grad_norm_(list(self.masters.weights.values()), self.settings.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.masters.give_back()
        self.progress.step += 1
        self.progress.tokens += batch.ids.size
        self.progress.windows += len(batch.ids)
        for i, value in enumerate((span, known)):
            self._sums[i] += float(value.detach())
        self._sums[-1] += 1
        if self.progress.step % 25 == 0:
            self._log()

    def _log(self) -> None:
        """Add a line with the means since the last one to the log."""
        span, known, count = self._sums
        self._sums = [0.0, 0.0, 0.0]
        line = asdict(self.progress) | {
            "rate": self.optimizer.param_groups[0]["lr"],
            "span_loss": round(span / max(count, 1), 4),
            "answerable_loss": round(known / max(count, 1), 4),
        }
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")


def train(
    data: Path,
    backbone: Path,
    out: Path,
    settings: Settings,
    resume: bool = False,
    start: Path | None = None,
) -> Path:
    """Run a training; return the path of its final weights.

    It begins with the backbone's weights or, given `start`, with those of a run's `.pt` file.
    """
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"data": sorted(SOURCES)} | asdict(settings), indent=2)
    (out / "settings.json").write_text(text + "\n", encoding="utf-8")
    stream = make_stream(data, backbone, settings)
    model = from_backbone(backbone, stream.layout.segments, settings.dropout)
    if start is not None:
        load_weights(model, start)
    trainer = Trainer(stream, model.to(settings.device), settings, out)
    if resume:
        trainer.resume()
    trainer.model.train()
    trainer.run()
    return out / "final.pt"


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds train/")
    parser.add_argument("--backbone", type=Path, help="model folder (default: the bundled MiniLM)")
    parser.add_argument("--start", type=Path, help="train this .pt file of a run further")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="length of the run")
    parser.add_argument("--decay-steps", type=int, help="the last ones, over which the rate falls")
    parser.add_argument("--rate", type=float, help="peak learning rate of the body")
    parser.add_argument("--head-rate", type=float, help="peak learning rate of the heads")
    parser.add_argument("--dropout", type=float, help="of the hidden states")
    parser.add_argument("--batch-tokens", type=int, help="tokens a step, padding counted")
    parser.add_argument("--frozen-layers", type=int, help="first layers untrained at level rate")
    parser.add_argument("--device", help="cpu (the default) or cuda")
    parser.add_argument(
        "--bfloat16",
        action="store_true",
        default=None,
        help="the body; on a CPU only with AMX or avx512_bf16",
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tiny", action="store_true", help="a slice, in under a minute: a test")
    parser.add_argument("--resume", action="store_true", help="go on from the last saved state")
    given = parser.parse_args(arguments)
    settings = replace(TINY if given.tiny else Settings(), seed=given.seed, threads=given.threads)
    names = "rate head_rate steps decay_steps dropout batch_tokens frozen_layers device bfloat16"
    chosen = {name: getattr(given, name) for name in names.split()}
    settings = replace(settings, **{k: v for k, v in chosen.items() if v is not None})
    backbone = given.backbone or default_backbone()
    train(given.data, backbone, given.out, settings, given.resume, given.start)


if __name__ == "__main__":
    main()
