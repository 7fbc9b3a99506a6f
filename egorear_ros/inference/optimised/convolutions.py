"""Convolutions with less work in them: batch norms folded, 1x1 convolutions moved before the upsampling they follow.

Both are exact. Bilinear weights sum to 1, so upsampling commutes with whatever is done to each pixel alike and is
linear, a bias included; the convolution then sees a quarter of the pixels.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import fuse_conv_bn_eval

from egorear_ros.network.backbone import ResNet, TopDownNeck, upsample2
from egorear_ros.network.compact_encoder import CompactBackbone

Backbone = TypeVar("Backbone", ResNet, CompactBackbone)


def fold_batch_norms(backbone: Backbone) -> Backbone:
    """Copy a backbone in eval mode with every batch norm folded into its convolution."""
    folded = copy.deepcopy(backbone)
    for module in list(folded.modules()):
        for number in (1, 2, 3):
            conv, norm = getattr(module, f"conv{number}", None), getattr(module, f"bn{number}", None)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, f"conv{number}", fuse_conv_bn_eval(conv, norm))
                setattr(module, f"bn{number}", nn.Identity())
        shortcut = getattr(module, "downsample", None)
        if isinstance(shortcut, nn.Sequential):
            conv, norm = shortcut[0], shortcut[1]
            assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
            module.downsample = fuse_conv_bn_eval(conv, norm)
    return folded


def upsample_late(layers: nn.Sequential) -> nn.Sequential:
    """The same layers (not copied), each upsampling after the 1x1 convolution that follows it instead of before."""
    order = list(layers)
    for i in range(len(order) - 1):
        after = order[i + 1]
        if isinstance(order[i], nn.Upsample) and isinstance(after, nn.Conv2d) and after.kernel_size == (1, 1):
            order[i], order[i + 1] = order[i + 1], order[i]
    return nn.Sequential(*order)


class FastNeck(nn.Module):
    """A `TopDownNeck` whose fusing convolutions run before the upsampling, on what is upsampled."""

    def __init__(self, neck: TopDownNeck) -> None:
        super().__init__()
        self.lateral, self.smooth = copy.deepcopy(neck.lateral), copy.deepcopy(neck.smooth)
        self.here, self.below = nn.ModuleList(), nn.ModuleList()
        for fuse in neck.fuse:
            assert isinstance(fuse, nn.Sequential) and isinstance(fuse[0], nn.Conv2d)
            weight, bias = fuse[0].weight.detach(), fuse[0].bias
            assert bias is not None
            half = weight.shape[1] // 2
            self.here.append(conv1x1(weight[:, :half], bias))
            self.below.append(conv1x1(weight[:, half:], None))
        self.up = upsample2()

    def forward(self, levels: tuple[Tensor, ...]) -> Tensor:
        """Maps of strides 4, 8, 16, 32, (N, C_i, H_i, W_i) -> (N, channels, H_0, W_0)."""
        laterals = [conv(x) for conv, x in zip(self.lateral, levels, strict=True)]
        fused = laterals[-1]
        for i in reversed(range(len(laterals) - 1)):
            fused = self.smooth[i](torch.relu(self.here[i](laterals[i]) + self.up(self.below[i](fused))))
        return fused


def conv1x1(weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    """Make a 1x1 convolution of (out, in, 1, 1) weights."""
    conv = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=bias is not None)
    conv.weight = nn.Parameter(weight.detach().clone(memory_format=torch.contiguous_format))
    if bias is not None:
        conv.bias = nn.Parameter(bias.detach().clone())
    return conv
