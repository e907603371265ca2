"""Train the reader: `python -m training.train --data DIR --out DIR`.

The run is cut into stages of growing windows. A run of `--steps` is deterministic by its seed; a
run of `--minutes` fits its learning rate and stages to the clock. Either is resumed with
`--resume` from the last state saved in `--out`, and leaves there `settings.json`, `log.jsonl` and
the weights: `step_N.pt` on the way, `final.pt` at the end.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from training.data import SOURCES, read_training
from training.edits import Neighbours
from training.model import SpanReader, default_backbone, from_backbone
from training.passages import Passages
from training.stream import Mix, Stream
from training.windows import Batch


@dataclass(frozen=True, slots=True)
class Stage:
    """Windows of at most `length` tokens, until the share `until` of the run is done.

    The embeddings and the first `frozen` layers of the body are left as they are.
    """

    length: int
    until: float
    mix: Mix
    frozen: int = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run depends on, beside its data; saved with it."""

    seed: int = 0
    steps: int | None = None
    minutes: float | None = None
    rate: float = 1.2e-4
    head_rate: float = 6e-4
    warm_up: float = 0.04
    weight_decay: float = 0.01
    clip: float = 1.0
    batch_tokens: int = 1024
    dropout: float = 0.0
    answerable_weight: float = 0.6
    stages: tuple[Stage, ...] = (
        Stage(64, 0.55, Mix(edit=0.2, passage=0.1)),
        Stage(96, 0.8, Mix(edit=0.42, passage=0.16)),
        Stage(128, 1.0, Mix(edit=0.42, passage=0.16)),
    )
    save_minutes: float = 4.0
    keep_share: float = 0.1
    limit: int | None = None
    threads: int = 2


TINY = Settings(steps=12, batch_tokens=512, limit=24, save_minutes=60.0)


@dataclass(slots=True)
class Progress:
    """Where a run stands: optimiser steps, seconds spent, stage, batches read of that stage."""

    step: int = 0
    seconds: float = 0.0
    stage: int = 0
    batch: int = 0
    tokens: int = 0
    windows: int = 0

    def share(self, settings: Settings) -> float:
        """Return the share of the run that is done, 0 to 1."""
        if settings.steps is not None:
            return min(1.0, self.step / settings.steps)
        return min(1.0, self.seconds / 60 / (settings.minutes or 1.0))


def make_stream(data: Path, backbone: Path, settings: Settings) -> Stream:
    """Read the data, rank the hard passages and return the stream of batches."""
    examples = read_training(data, settings.limit)
    hard = [i for i, e in enumerate(examples) if SOURCES[e.source].negatives]
    tokenizer = Tokenizer.from_file(str(backbone / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    passages = Passages(examples, hard)
    neighbours = Neighbours(backbone)
    return Stream(examples, passages, neighbours, tokenizer, settings.seed, settings.batch_tokens)


def make_optimizer(model: SpanReader, settings: Settings) -> torch.optim.AdamW:
    """Return AdamW with a higher rate on the heads and no decay on biases and norms."""
    groups: dict[tuple[bool, bool], list[Tensor]] = {}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            groups.setdefault((not name.startswith("body."), weight.dim() > 1), []).append(weight)
    params = [
        {
            "params": weights,
            "peak": settings.head_rate if head else settings.rate,
            "weight_decay": settings.weight_decay if matrix else 0.0,
        }
        for (head, matrix), weights in groups.items()
    ]
    return torch.optim.AdamW(params, lr=settings.rate, betas=(0.9, 0.98), fused=True)


def freeze(model: SpanReader, layers: int) -> None:
    """Leave the first layers and, with any, the embeddings untrained; word embeddings always."""
    for index, layer in enumerate(model.body.encoder.layer):
        layer.requires_grad_(index >= layers)
    model.body.embeddings.requires_grad_(layers == 0)
    model.body.embeddings.word_embeddings.weight.requires_grad_(False)


def set_rate(optimizer: torch.optim.AdamW, share: float, settings: Settings) -> float:
    """Set the rates for a share of the run: up in the warm-up, then down in a straight line."""
    if share < settings.warm_up:
        factor = 0.05 + 0.95 * share / settings.warm_up
    else:
        factor = max(0.01, (1 - share) / (1 - settings.warm_up))
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor
    return factor


def losses(model: SpanReader, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the mean span loss and the mean answerability loss of a batch.

    Spans point to [CLS] where the window does not answer; question tokens are never pointed to.
    """
    ids, mask, types = (torch.from_numpy(a) for a in (batch.ids, batch.mask, batch.types))
    start, end = torch.from_numpy(batch.start), torch.from_numpy(batch.end)
    start_logits, end_logits, answerable = model(ids, mask, types)
    asked = (types == 0) & (mask == 1)
    asked[:, 0] = False
    span = sum(
        functional.cross_entropy(logits.masked_fill(asked, -1e4), place)
        for logits, place in ((start_logits, start), (end_logits, end))
    )
    known = functional.binary_cross_entropy_with_logits(answerable, (start > 0).float())
    return torch.as_tensor(span) / 2, known


def save_state(
    out: Path, model: SpanReader, optimizer: torch.optim.AdamW, progress: Progress
) -> None:
    """Save what a resumed run needs, replacing the last state only once the new one is whole."""
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "progress": asdict(progress),
        "random": torch.get_rng_state(),
    }
    part = out / "state.pt.part"
    torch.save(state, part)
    part.replace(out / "state.pt")


def save_weights(out: Path, model: SpanReader, name: str) -> None:
    """Save the weights alone."""
    torch.save(model.state_dict(), out / f"{name}.pt")


class Trainer:
    """Runs the steps, saves and logs; holds nothing that a saved state does not restore."""

    def __init__(self, stream: Stream, model: SpanReader, settings: Settings, out: Path) -> None:
        """Set up a run from its beginning."""
        self.stream, self.model, self.settings, self.out = stream, model, settings, out
        self.optimizer = make_optimizer(model, settings)
        self.progress = Progress()
        self._kept = 0.0
        self._sums = [0.0, 0.0, 0.0]

    def resume(self) -> None:
        """Go back to the last state saved, if there is one."""
        path = self.out / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress(**state["progress"])
        self._kept = self.progress.share(self.settings)
        torch.set_rng_state(state["random"])

    def run(self) -> None:
        """Train until the steps or minutes are spent."""
        began = saved = time.monotonic()
        before = self.progress.seconds
        with tqdm(total=100, unit="%", file=sys.stderr, mininterval=20) as bar:
            for batch in self._batches():
                self._step(batch)
                now = time.monotonic()
                self.progress.seconds = before + now - began
                share = self.progress.share(self.settings)
                bar.update(100 * share - bar.n)
                if now - saved > 60 * self.settings.save_minutes:
                    saved = now
                    self._save(share)
        self._log()
        save_weights(self.out, self.model, "final")
        save_state(self.out, self.model, self.optimizer, self.progress)

    def _save(self, share: float) -> None:
        save_state(self.out, self.model, self.optimizer, self.progress)
        if share - self._kept >= self.settings.keep_share or share > 0.9:
            self._kept = share
            save_weights(self.out, self.model, f"step_{self.progress.step}")

    def _batches(self) -> Iterator[Batch]:
        """Yield batches of the stage that the share done asks for, past those read before."""
        progress, stages = self.progress, self.settings.stages
        while (share := progress.share(self.settings)) < 1:
            stage = next(i for i, s in enumerate(stages) if share < s.until or s is stages[-1])
            if stage != progress.stage:
                progress.stage, progress.batch = stage, 0
            freeze(self.model, stages[stage].frozen)
            made = self.stream.batches(stage, stages[stage].length, stages[stage].mix)
            for index, batch in enumerate(made):
                if index < progress.batch:
                    continue
                progress.batch += 1
                yield batch
                share = progress.share(self.settings)
                if share >= stages[stage].until or share >= 1:
                    break

    def _step(self, batch: Batch) -> None:
        set_rate(self.optimizer, self.progress.share(self.settings), self.settings)
        span, known = losses(self.model, batch)
        loss = span + self.settings.answerable_weight * known
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.progress.step += 1
        self.progress.tokens += batch.ids.size
        self.progress.windows += len(batch.ids)
        for i, value in enumerate((float(span.detach()), float(known.detach()), 1.0)):
            self._sums[i] += value
        if self.progress.step % 25 == 0:
            self._log()

    def _log(self) -> None:
        """Add a line with the means since the last one to the log."""
        span, known, count = self._sums
        self._sums = [0.0, 0.0, 0.0]
        line = asdict(self.progress) | {
            "share": round(self.progress.share(self.settings), 4),
            "rate": self.optimizer.param_groups[0]["lr"],
            "span_loss": round(span / max(count, 1), 4),
            "answerable_loss": round(known / max(count, 1), 4),
        }
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")


def train(data: Path, backbone: Path, out: Path, settings: Settings, resume: bool = False) -> Path:
    """Run a training; return the path of its final weights."""
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"data": sorted(SOURCES), **asdict(settings)}, indent=2)
    (out / "settings.json").write_text(text + "\n", encoding="utf-8")
    stream = make_stream(data, backbone, settings)
    trainer = Trainer(stream, from_backbone(backbone, settings.dropout), settings, out)
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
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="length of the run; deterministic")
    parser.add_argument("--minutes", type=float, help="length of the run by the clock")
    parser.add_argument("--rate", type=float, help="peak learning rate of the body")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tiny", action="store_true", help="a slice, in under a minute: a test")
    parser.add_argument("--resume", action="store_true", help="go on from the last saved state")
    given = parser.parse_args(arguments)
    settings = replace(TINY if given.tiny else Settings(), seed=given.seed, threads=given.threads)
    if given.rate:
        settings = replace(settings, rate=given.rate)
    if given.minutes:
        settings = replace(settings, minutes=given.minutes, steps=None)
    if given.steps:
        settings = replace(settings, steps=given.steps, minutes=None)
    if settings.steps is None and settings.minutes is None:
        parser.error("one of --steps, --minutes, --tiny is needed")
    train(given.data, given.backbone or default_backbone(), given.out, settings, given.resume)


if __name__ == "__main__":
    main()
