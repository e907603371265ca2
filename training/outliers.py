"""Channels that outgrow all others are brought down, so that int8 can tell the others apart.

int8 shares one scale among all activations that go into a weight matrix. In e5-small one channel in
384, or in 1,536, is ten to forty times as large as the rest, at `<s>` and `</s>` only, and the rest
is left with a few of the 256 steps. Each such channel is divided by a number and its row of the
weights multiplied with it (SmoothQuant, Xiao et al. 2022, for the outliers alone): in fp32 nothing
changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from training.model import SpanReader
from training.windows import Window

TAMED = ("intermediate.dense", "output.dense")
"""The two matrices of a feed-forward block; queries, keys and values gain nothing."""

LEFT_OUT = "attention.output.dense"

USUAL = 0.98
"""Share of a matrix's channels that are no outliers; the others come down to their largest."""


class Tamed(nn.Module):
    """A linear layer whose inputs are divided by `scale`, and its weights multiplied with it."""

    def __init__(self, linear: nn.Linear, scale: Tensor) -> None:
        """Take over the layer's weights."""
        super().__init__()
        self.linear = linear
        linear.weight.data *= scale
        self.register_buffer("inverse", 1.0 / scale)

    def forward(self, inputs: Tensor) -> Tensor:
        """Take and return what the layer did."""
        inverse = self.get_buffer("inverse")
        outputs: Tensor = self.linear(inputs * inverse)
        return outputs


def tame(model: SpanReader, windows: Iterable[Window]) -> None:
    """Bring down, in place, the channels that are outliers in any of the `windows`."""
    layers = {
        name: layer
        for name, layer in model.body.named_modules()
        if name.endswith(TAMED) and not name.endswith(LEFT_OUT) and isinstance(layer, nn.Linear)
    }

    def read() -> None:
        for window in windows:
            ids, types = (torch.tensor([row]) for row in (window.ids, window.types))
            model(ids, torch.ones_like(ids), types)

    for name, peaks in peaks_of(layers, read).items():
        scale = (peaks / peaks.quantile(USUAL)).clamp(min=1.0)
        parent, _, child = name.rpartition(".")
        setattr(model.body.get_submodule(parent), child, Tamed(layers[name], scale))


def peaks_of(layers: dict[str, nn.Linear], read: Callable[[], object]) -> dict[str, Tensor]:
    """Return the largest absolute value of each input channel of each layer while `read` runs."""
    peaks = {name: torch.zeros(layer.in_features) for name, layer in layers.items()}

    def watch(name: str) -> torch.utils.hooks.RemovableHandle:
        def seen(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            peaks[name] = torch.maximum(peaks[name], inputs[0].abs().flatten(0, -2).amax(0))

        return layers[name].register_forward_pre_hook(seen)

    handles = [watch(name) for name in layers]
    with torch.inference_mode():
        read()
    for handle in handles:
        handle.remove()
    return {name: peak.clone() for name, peak in peaks.items()}
