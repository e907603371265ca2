"""Average the weights of two readers: `python -m training.average ONE OTHER --out FILE.pt`.

ONE and OTHER are `.onnx` or `.pt` files, OTHER trained on from ONE, or both from one reader.
Between the two lies a reader that keeps what each of them does better (Wortsman et al. 2022,
"Robust fine-tuning of zero-shot models" and "Model soups").
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
    model = from_backbone(default_backbone())
    load_weights(model, given.other)
    other = {name: weight.clone() for name, weight in model.state_dict().items()}
    load_weights(model, given.one)  # one that was trained without doubts keeps OTHER's head
    torch.save(average(model.state_dict(), other, given.share), given.out)


if __name__ == "__main__":
    main()
