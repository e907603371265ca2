"""Average the weights of two readers: `python -m training.average ONE OTHER --out FILE.pt`.

ONE and OTHER are `.onnx` or `.pt` files, OTHER trained on from ONE. Between the two lies a reader
that keeps what each of them does better (Wortsman et al. 2022, "Robust fine-tuning of zero-shot
models").
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from training.exported import load_weights
from training.model import default_backbone, from_backbone

Weights = dict[str, Tensor]


def average(one: Weights, other: Weights, share: float) -> Weights:
    """Return `share` of `other` and the rest of `one`."""
    return {
        name: torch.lerp(one[name], weight, share) if weight.is_floating_point() else weight
        for name, weight in other.items()
    }


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and average."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of OTHER")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    found = []
    for path in (given.one, given.other):
        model = from_backbone(default_backbone())
        load_weights(model, path)
        found.append(model.state_dict())
    torch.save(average(found[0], found[1], given.share), given.out)


if __name__ == "__main__":
    main()
