"""Average the weights of a run: `python -m training.average A.pt B.pt --out MEAN.pt`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch


def average(paths: Sequence[Path], out: Path) -> None:
    """Write the mean of several weights files of one model."""
    states = [torch.load(path, map_location="cpu", weights_only=True) for path in paths]
    mean = {
        key: torch.stack([state[key].float() for state in states]).mean(0).to(value.dtype)
        for key, value in states[0].items()
    }
    torch.save(mean, out)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and average."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    average(given.weights, given.out)


if __name__ == "__main__":
    main()
