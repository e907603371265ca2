"""Weights read back from an exported reader, so that training can go on from it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from training.model import SpanReader

# The exporter names a matrix product by its module's path; a linear layer's weight has no name.
_PRODUCT = re.compile(r"/(?:judge/)?(?P<module>.+?)/(?:MatMul|Gemm)(?:_MatMul)?(?:_quant)?")

Arrays = dict[str, npt.NDArray[np.float32]]

DOUBT_HEAD = frozenset({"doubt.weight", "doubt.bias"})
"""The weights that a reader trained without doubts lacks."""


def load_exported(model: SpanReader, path: Path) -> None:
    """Put the weights of the ONNX file at `path`, fp32 or int8, into `model`.

    int8 weights come back as the fp32 values that they stand for. Raises `ValueError` if the file
    lacks a weight of the model, but for those of `DOUBT_HEAD`.
    """
    graph = onnx.load(str(path)).graph
    found = _whole({i.name: numpy_helper.to_array(i) for i in graph.initializer})
    for node in graph.node:
        named = _PRODUCT.fullmatch(node.name)
        weight = node.input[1].removesuffix("_quantized") if named else ""
        if named and weight in found:
            turned = any(a.name == "transB" and a.i for a in node.attribute)
            matrix = found[weight]
            found[f"{named['module'].replace('/', '.')}.weight"] = matrix if turned else matrix.T
    lacking = sorted(set(model.state_dict()) - set(found) - DOUBT_HEAD)
    if lacking:
        raise ValueError(f"{path.name} lacks {len(lacking)} weights of a reader: {lacking[:3]}")
    names = set(model.state_dict()) & set(found)
    _load(model, {name: torch.tensor(found[name]) for name in names})


def _whole(stored: dict[str, npt.NDArray[np.generic]]) -> Arrays:
    """Return the float arrays, with those that are kept as integers put back into floats."""
    found: Arrays = {
        name: a.astype(np.float32) for name, a in stored.items() if a.dtype == np.float32
    }
    for name, integers in stored.items():
        if name.endswith("_quantized"):
            plain = name.removesuffix("_quantized")
            zero = stored[f"{plain}_zero_point"].astype(np.float32)
            centred = integers.astype(np.float32) - zero
            found[plain] = centred * stored[f"{plain}_scale"].astype(np.float32)
    return found


def load_weights(model: SpanReader, path: Path) -> None:
    """Give a model the weights of an exported `.onnx` file or of a run's `.pt` file."""
    if path.suffix == ".onnx":
        load_exported(model, path)
    else:
        _load(model, torch.load(path, map_location="cpu", weights_only=True))


def _load(model: SpanReader, weights: dict[str, Tensor]) -> None:
    """Load weights; of a reader without doubts, so that the judgement sees none of them."""
    if not weights.keys() & DOUBT_HEAD:
        fresh, judge = model.state_dict(), weights["judge.0.weight"]
        unseen = torch.zeros(len(judge), fresh["judge.0.weight"].shape[1] - judge.shape[1])
        weights = weights | {"judge.0.weight": torch.cat([judge, unseen], dim=1)}
        weights |= {name: fresh[name] for name in DOUBT_HEAD}
    model.load_state_dict(weights)
