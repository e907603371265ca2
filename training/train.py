"""Train the reader: `python -m training.train --data DIR --out DIR`.

A run is deterministic by its seed and steps. It is resumed with `--resume` from the last state
saved in `--out`, and leaves there `settings.json`, `log.jsonl` and the weights: `step_N.pt` on the
way, `final.pt` at the end. The rate is level until the last part of the run, so `--steps` may be
changed at a resumption as long as that part has not begun: the weights are those of a run that had
the new number from the start.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from rag.inference import sha256
from training.data import SOURCES, read_training
from training.doubts import UNKNOWN
from training.edits import Neighbours
from training.exported import load_weights
from training.facts import fillers_of, make_examples
from training.model import SpanReader, default_backbone, from_backbone
from training.passages import Passages
from training.stream import Mix, Stream
from training.windows import Batch


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run depends on, beside its data; saved with it."""

    seed: int = 0
    steps: int = 9_400
    rate: float = 1e-4
    head_rate: float = 6e-4
    warm_up: int = 300
    decay: float = 0.35
    weight_decay: float = 0.01
    clip: float = 1.0
    batch_tokens: int = 1024
    dropout: float = 0.0
    answerable_weight: float = 0.6
    doubt_weight: float = 0.3
    frozen_layers: int = 2
    mix: Mix = field(default_factory=Mix)
    save_minutes: float = 4.0
    keep_steps: int = 1000
    limit: int | None = None
    facts: int = 40_000
    threads: int = 2
    bfloat16: bool = False


TINY = Settings(
    steps=8, batch_tokens=512, limit=48, facts=48, warm_up=2, decay=0.25, save_minutes=60.0
)


@dataclass(slots=True)
class Progress:
    """Where a run stands: optimiser steps, seconds spent, tokens and windows read."""

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    windows: int = 0


def make_stream(data: Path, backbone: Path, settings: Settings) -> Stream:
    """Read the data, rank the hard passages and return the stream of batches."""
    examples = read_training(data, settings.limit)
    examples += make_examples(settings.facts, settings.seed, fillers_of(examples))
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


def rate_factor(step: int, settings: Settings) -> float:
    """Return the share of the peak rate: up, level, then straight down to zero."""
    left = 1 - step / settings.steps
    return max(0.01, min(1.0, (step + 1) / settings.warm_up, left / settings.decay))


def frozen_layers(step: int, settings: Settings) -> int:
    """Return how many of the first layers are left as they are: none once the rate falls."""
    return settings.frozen_layers if step < (1 - settings.decay) * settings.steps else 0


def losses(
    model: SpanReader, batch: Batch, bfloat16: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the span loss, the answerability loss and the doubt loss of a batch, window means.

    Spans point to [CLS] where the window does not answer; question tokens are never pointed to.
    A window's doubt loss is the sum over its question's tokens; windows where it is not known
    which words are in doubt do not count.
    With `bfloat16` the matrix products are made in it; weights and losses stay fp32.
    """
    ids, mask, types = (torch.from_numpy(a) for a in (batch.ids, batch.mask, batch.types))
    start, end = torch.from_numpy(batch.start), torch.from_numpy(batch.end)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        logits = model(ids, mask, types)
    start_logits, end_logits, answerable, doubts = (part.float() for part in logits)
    asked = (types == 0) & (mask == 1)
    asked[:, 0] = False
    span = sum(
        functional.cross_entropy(logits.masked_fill(asked, -1e4), place)
        for logits, place in ((start_logits, start), (end_logits, end))
    )
    known = functional.binary_cross_entropy_with_logits(answerable, (start > 0).float())
    labels = torch.from_numpy(batch.doubts)
    told = labels != UNKNOWN
    doubted = functional.binary_cross_entropy_with_logits(
        doubts[told], labels[told].float(), reduction="sum"
    )
    windows = told.any(dim=1).sum().clamp(min=1)
    return torch.as_tensor(span) / 2, known, doubted / windows


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
        self._sums = [0.0, 0.0, 0.0, 0.0]

    def resume(self) -> None:
        """Go back to the last state saved, if there is one."""
        path = self.out / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress(**state["progress"])
        torch.set_rng_state(state["random"])

    def run(self) -> None:
        """Train until the steps are done."""
        done, total = self.progress.step, self.settings.steps
        batches = itertools.islice(self.stream.batches(self.settings.mix), done, total)
        before, began = self.progress.seconds, time.monotonic()
        saved = began
        for batch in tqdm(batches, initial=done, total=total, unit="step", mininterval=20):
            freeze(self.model, frozen_layers(self.progress.step, self.settings))
            self._step(batch)
            now = time.monotonic()
            self.progress.seconds = before + now - began
            if self.progress.step % self.settings.keep_steps == 0:
                save_weights(self.out, self.model, f"step_{self.progress.step}")
            if now - saved > 60 * self.settings.save_minutes:
                saved = now
                save_state(self.out, self.model, self.optimizer, self.progress)
        self._log()
        save_weights(self.out, self.model, "final")
        save_state(self.out, self.model, self.optimizer, self.progress)

    def _step(self, batch: Batch) -> None:
        factor = rate_factor(self.progress.step, self.settings)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        span, known, doubted = losses(self.model, batch, self.settings.bfloat16)
        loss = span + self.settings.answerable_weight * known
        loss = loss + self.settings.doubt_weight * doubted
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.progress.step += 1
        self.progress.tokens += batch.ids.size
        self.progress.windows += len(batch.ids)
        for i, value in enumerate((span, known, doubted)):
            self._sums[i] += float(value.detach())
        self._sums[-1] += 1
        if self.progress.step % 25 == 0:
            self._log()

    def _log(self) -> None:
        """Add a line with the means since the last one to the log."""
        span, known, doubted, count = self._sums
        self._sums = [0.0, 0.0, 0.0, 0.0]
        line = asdict(self.progress) | {
            "rate": self.optimizer.param_groups[0]["lr"],
            "span_loss": round(span / max(count, 1), 4),
            "answerable_loss": round(known / max(count, 1), 4),
            "doubt_loss": round(doubted / max(count, 1), 4),
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

    It begins with the backbone's weights or, given `start`, with those of a reader's ONNX file or
    of a run's `.pt` file.
    """
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    out.mkdir(parents=True, exist_ok=True)
    begun = {"data": sorted(SOURCES), "start": sha256(start) if start else None}
    text = json.dumps(begun | asdict(settings), indent=2)
    (out / "settings.json").write_text(text + "\n", encoding="utf-8")
    stream = make_stream(data, backbone, settings)
    model = from_backbone(backbone, settings.dropout)
    if start is not None:
        load_weights(model, start)
    trainer = Trainer(stream, model, settings, out)
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
    parser.add_argument("--start", type=Path, help="train this .onnx or .pt file further")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="length of the run")
    parser.add_argument("--rate", type=float, help="peak learning rate of the body")
    parser.add_argument("--head-rate", type=float, help="peak learning rate of the heads")
    parser.add_argument("--dropout", type=float, help="of the hidden states")
    parser.add_argument("--batch-tokens", type=int, help="tokens a step, padding counted")
    parser.add_argument("--frozen-layers", type=int, help="first layers untrained at level rate")
    parser.add_argument(
        "--bfloat16",
        action="store_true",
        default=None,
        help="only on a CPU with AMX or avx512_bf16",
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tiny", action="store_true", help="a slice, in under a minute: a test")
    parser.add_argument("--resume", action="store_true", help="go on from the last saved state")
    given = parser.parse_args(arguments)
    settings = replace(TINY if given.tiny else Settings(), seed=given.seed, threads=given.threads)
    names = "rate head_rate steps dropout batch_tokens frozen_layers bfloat16".split()
    chosen = {name: getattr(given, name) for name in names}
    settings = replace(settings, **{k: v for k, v in chosen.items() if v is not None})
    backbone = given.backbone or default_backbone()
    train(given.data, backbone, given.out, settings, given.resume, given.start)


if __name__ == "__main__":
    main()
