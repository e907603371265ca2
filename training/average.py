"""Average the weights of two readers: `python -m training.average ONE OTHER --out FILE.pt`.

ONE and OTHER are `.pt` files of runs, OTHER trained on from ONE, or both from one reader.
Between the two lies a reader that keeps what each of them does better (Wortsman et al. 2022,
"Robust fine-tuning of zero-shot models" and "Model soups").
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.model import Weights, read_weights


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
    one, other = read_weights(given.one), read_weights(given.other)
    torch.save(average(one, other, given.share), given.out)


if __name__ == "__main__":
    main()
