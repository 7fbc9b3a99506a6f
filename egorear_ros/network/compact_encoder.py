"""The image encoder of egorear-s: fine where it is cheap, deep where it is small.

A ResNet-18 of half width on 64 px images costs little, but a hand is one pixel there. So the images have 128 px, one
convolution brings them to stride 4, and the residual blocks see maps of stride 8 and more, as small as those of the 64
px images. Only the neck, with few channels, comes back to stride 4, where the heatmaps are read. That costs 1.3 times
what the ResNet-18 costs on 64 px images; on 128 px images it would cost 4 times as much.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from egorear_ros.network.backbone import BasicBlock, conv_relu, initialise_convolutions, residual_level, upsample2
from egorear_ros.network.config import EgoRearSConfig
from egorear_ros.skeleton import NUM_HEATMAP_JOINTS

BLOCKS = 2
POSITION_CELLS = 4  # the map of where in which camera, brought to the size of the coarsest features


class CompactBackbone(nn.Module):
    """Two convolutions at stride 4, then four levels of two residual blocks at strides 8 to 64.

    Args:
        width: channels at strides 4 and 8; doubled with every further level.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.channels = (width, width, 2 * width, 4 * width, 8 * width)
        self.conv1 = nn.Conv2d(3, width, 7, 4, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        steps = itertools.pairwise(self.channels)
        self.levels = nn.ModuleList(residual_level(BasicBlock, BLOCKS, before, after, 2) for before, after in steps)
        self.apply(initialise_convolutions)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Images (N, 3, H, W), ImageNet-normalised -> five maps (N, C_i, H / 2^i, W / 2^i), i = 2 ... 6."""
        x = torch.relu(self.bn1(self.conv1(images)))
        found = [torch.relu(self.bn2(self.conv2(x)))]
        for level in self.levels:
            found.append(level(found[-1]))
        return tuple(found)


class CompactNeck(nn.Module):
    """Brings all levels to one map as fine as the first: from the coarsest up, upsample, add, smooth.

    Args:
        in_channels: of the levels, finest first.
        channels: of the neck, level by level.
    """

    def __init__(self, in_channels: tuple[int, ...], channels: tuple[int, ...]) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(c, width, 1) for c, width in zip(in_channels, channels, strict=True))
        # Before the upsampling, with which a 1x1 convolution commutes: a quarter of the pixels.
        steps = itertools.pairwise(channels)
        self.below = nn.ModuleList(nn.Conv2d(coarser, finer, 1, bias=False) for finer, coarser in steps)
        self.smooth = nn.ModuleList(nn.Sequential(*conv_relu(width, width, 3)) for width in channels[:-1])
        self.up = upsample2()

    def forward(self, levels: tuple[Tensor, ...]) -> Tensor:
        """Maps (N, C_i, H_i, W_i), each half the size of the one before -> (N, channels[0], H_0, W_0)."""
        fused = torch.relu(self.lateral[-1](levels[-1]))
        for i in reversed(range(len(self.smooth))):
            fused = self.smooth[i](torch.relu(self.lateral[i](levels[i]) + self.up(self.below[i](fused))))
        return fused


class ViewEncoder(nn.Module):
    """Features and heatmap logits of single views; knows which view it looks at, and where in it."""

    def __init__(self, config: EgoRearSConfig) -> None:
        super().__init__()
        self.backbone = CompactBackbone(config.width)
        coarse, coarser = self.backbone.channels[-1], len(self.backbone.channels) - 1
        self.position = nn.Parameter(0.02 * torch.randn(len(config.views), coarse, POSITION_CELLS, POSITION_CELLS))
        self.neck = CompactNeck(self.backbone.channels, (config.channels, *[config.neck_channels] * coarser))
        self.heatmaps = nn.Conv2d(config.channels, NUM_HEATMAP_JOINTS, 1)
        self.summary = nn.Linear(coarse, config.dim)

    def forward(self, images: Tensor, view: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode.

        Args:
            images: (N, 3, H, W) RGB, ImageNet-normalised; H and W multiples of 64.
            view: (N,) number of each image's view.

        Returns:
            Features (N, channels, H/4, W/4), heatmap logits (N, 15, H/4, W/4) and a summary of the view (N, dim).
        """
        *levels, coarsest = self.backbone(images)
        place = F.adaptive_avg_pool2d(self.position[view], coarsest.shape[-2:])
        coarse = coarsest + place
        features = self.neck((*levels, coarse))
        return features, self.heatmaps(features), self.summary(coarse.mean(dim=(2, 3)))
