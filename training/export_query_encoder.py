"""Write the graph that embeds questions: `python -m training.export_query_encoder`.

The file holds no weights. Its initializers have the names of the tensors in the backbone's
`model.safetensors`, which `rag.embed.bundled` hands to ONNX Runtime when it opens the graph.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from transformers import BertModel

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


def traced(folder: Path) -> onnx.ModelProto:
    """Return the model with its weights, under the names that they have in the module."""
    example = torch.ones(2, 24, dtype=torch.long)
    axes = {name: {0: "batch", 1: "length"} for name in ("input_ids", "attention_mask")}
    with (
        tempfile.TemporaryDirectory() as scratch,
        torch.inference_mode(),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        path = Path(scratch) / "whole.onnx"
        torch.onnx.export(
            MeanOfPieces(folder).eval(),
            (example, example),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            do_constant_folding=False,
            input_names=list(axes),
            output_names=["vector"],
            dynamic_axes=axes | {"vector": {0: "batch"}},
        )
        return onnx.load(str(path))


def without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph with every parameter left to be given, named as in the weights file."""
    for node in model.graph.node:
        for i, name in enumerate(node.input):
            node.input[i] = name.removeprefix("body.")
    for tensor in model.graph.initializer:
        if tensor.name.startswith("body."):
            tensor.name = tensor.name.removeprefix("body.")
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            place = tensor.external_data.add()
            place.key, place.value = "location", "model.safetensors"
    return model


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and write the graph."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("rag/assets/query_encoder.onnx"))
    given = parser.parse_args(arguments)
    model = without_weights(traced(default_backbone()))
    given.out.write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
