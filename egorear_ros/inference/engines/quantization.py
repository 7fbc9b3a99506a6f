"""Eight-bit layers: ranges measured on simulated images, written into the network as fake quantisation.

OpenVINO turns a convolution or a product of fake quantisations into one of 8-bit integers; torch computes the same
numbers with floats, so what it costs in accuracy can be measured anywhere.
"""

from __future__ import annotations

from typing import Final, TypeGuard

import torch
from torch import Tensor, nn

from egorear_ros.inference.engines.base import PoseConfig
from egorear_ros.inference.engines.sample_images import sample_images
from egorear_ros.inference.optimised import FastNetwork
from egorear_ros.skeleton import NUM_HEATMAP_JOINTS

CALIBRATION_SETS: Final = 12
WEIGHT_LIMIT: Final = 63
"""Seven bits: CPUs without VNNI add products of two bytes in 16 bits, which eight bits would overflow."""

WEIGHT_RANGE: Final = (-127, 127)
"""What the weights are declared as: OpenVINO takes 255 levels for eight bits, and 127 for nothing it knows."""

LARGE: Final = 2**20
"""Weights from which on a linear layer mostly waits for memory, and bytes in place of floats make it faster."""

QUANTILE: Final = 0.9999
"""Of the activations; a few outliers are cut off for the sake of all others."""


class Quantized(nn.Module):
    """A convolution or linear layer of 8-bit inputs and 7-bit weights, simulated.

    Args:
        layer: its weights are rounded, channel by channel.
        low, high: range of its input.
    """

    weight_scale: Tensor
    zero: Tensor

    def __init__(self, layer: nn.Conv2d | nn.Linear, low: float, high: float) -> None:
        super().__init__()
        self.layer = layer
        largest = layer.weight.detach().abs().flatten(1).amax(dim=1).clamp(min=1e-12)
        self.register_buffer("weight_scale", largest / WEIGHT_LIMIT)
        self.register_buffer("zero", torch.zeros(len(largest), dtype=torch.int32))
        self.signed = low < 0
        self.scale = max(high, -low) / 127 if self.signed else max(high, 1e-6) / 255

    def forward(self, x: Tensor) -> Tensor:
        """Apply."""
        levels = (-128, 127) if self.signed else (0, 255)
        x = torch.fake_quantize_per_tensor_affine(x, self.scale, 0, *levels)
        layer = self.layer
        weight = torch.fake_quantize_per_channel_affine(layer.weight, self.weight_scale, self.zero, 0, *WEIGHT_RANGE)
        if isinstance(layer, nn.Linear):
            return nn.functional.linear(x, weight, layer.bias)
        return nn.functional.conv2d(x, weight, layer.bias, layer.stride, layer.padding)


@torch.no_grad()
def quantize(network: FastNetwork, config: PoseConfig, extrinsics: Tensor) -> None:
    """Replace convolutions and large linear layers by quantised ones, in place; those that draw heatmaps stay.

    Args:
        network: see `optimise`.
        config: its configuration.
        extrinsics: (1, V, 4, 4) metres.
    """
    ranges: dict[nn.Module, list[float]] = {}

    def observe(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        high = inputs[0].flatten()[:: max(1, inputs[0].numel() // 2**16)].quantile(QUANTILE).item()
        low = inputs[0].min().item()
        old = ranges.setdefault(layer, [0.0, 0.0])
        ranges[layer] = [min(low, old[0]), max(high, old[1])]

    layers = {name: module for name, module in network.named_modules() if _worth_quantizing(module)}
    hooks = [layer.register_forward_pre_hook(observe) for layer in layers.values()]
    for images in sample_images(config, CALIBRATION_SETS):
        network(images, extrinsics, None)
    for hook in hooks:
        hook.remove()
    for name, layer in layers.items():
        parent, _, leaf = name.rpartition(".")
        setattr(network.get_submodule(parent), leaf, Quantized(layer, *ranges[layer]))


def _worth_quantizing(module: nn.Module) -> TypeGuard[nn.Conv2d | nn.Linear]:
    if isinstance(module, nn.Linear):
        return module.weight.numel() >= LARGE
    return isinstance(module, nn.Conv2d) and module.out_channels != NUM_HEATMAP_JOINTS
