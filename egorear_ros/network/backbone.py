"""The image encoder: a ResNet and a top-down neck that brings its four levels to one map of stride 4.

Parameter names of `ResNet` are torchvision's, so an ImageNet file loads as it is (without its `fc`). Source: EgoRear
and EgoPoseFormer, official code; ResNet of He et al. (CVPR 2016).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

RESNET_BLOCKS: Final[dict[str, tuple[int, int, int, int]]] = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
}
"""Blocks per level; resnet50's are bottlenecks."""


def conv_relu(in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1) -> list[nn.Module]:
    """Return a convolution with bias that keeps the size (at stride 1), and its ReLU."""
    return [nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2), nn.ReLU()]


def upsample2() -> nn.Upsample:
    """Bilinear upsampling by 2 with aligned corners, the only kind the three systems use."""
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(in_channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, width, H / stride, W / stride)."""
        out = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(out)) + self.downsample(x))


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions and a shortcut; the stride sits in the 3x3 one, as in torchvision."""

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = _shortcut(in_channels, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, 4 * width, H / stride, W / stride)."""
        out = torch.relu(self.bn1(self.conv1(x)))
        out = torch.relu(self.bn2(self.conv2(out)))
        return torch.relu(self.bn3(self.conv3(out)) + self.downsample(x))


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels))


class BackboneLevels(NamedTuple):
    """Feature maps of a ResNet, named by their stride; channels are those of resnet18 on 256 x 256 images."""

    s2: Tensor  # (B, 64, 128, 128), before the max pooling: only EgoTAP's decoder reads it
    s4: Tensor  # (B, 64, 64, 64)
    s8: Tensor  # (B, 128, 32, 32)
    s16: Tensor  # (B, 256, 16, 16)
    s32: Tensor  # (B, 512, 8, 8)


class ResNet(nn.Module):
    """ResNet-18, -34 or -50 without its classifier; `width` is that of its first level, 64 for the standard ones."""

    def __init__(self, name: str = "resnet18", width: int = 64) -> None:
        super().__init__()
        block = Bottleneck if name == "resnet50" else BasicBlock
        counts = RESNET_BLOCKS[name]
        self.channels = tuple(scale * width * block.expansion for scale in (1, 2, 4, 8))
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = residual_level(block, counts[0], width, width, stride=1)
        self.layer2 = residual_level(block, counts[1], self.channels[0], 2 * width, stride=2)
        self.layer3 = residual_level(block, counts[2], self.channels[1], 4 * width, stride=2)
        self.layer4 = residual_level(block, counts[3], self.channels[2], 8 * width, stride=2)
        self.apply(initialise_convolutions)

    def forward(self, images: Tensor) -> BackboneLevels:
        """Run all levels.

        Args:
            images: (B, 3, H, W) RGB, ImageNet-normalised; H and W divisible by 32.
        """
        s2 = torch.relu(self.bn1(self.conv1(images)))
        s4 = self.layer1(self.maxpool(s2))
        s8 = self.layer2(s4)
        s16 = self.layer3(s8)
        return BackboneLevels(s2, s4, s8, s16, self.layer4(s16))


def residual_level(
    block: type[BasicBlock] | type[Bottleneck], count: int, in_channels: int, width: int, stride: int
) -> nn.Sequential:
    """`count` blocks; the first one changes size and channels."""
    first = block(in_channels, width, stride)
    return nn.Sequential(first, *(block(width * block.expansion, width, 1) for _ in range(count - 1)))


def initialise_convolutions(module: nn.Module) -> None:
    """Draw the weights of a convolution that a ReLU follows (He et al., ICCV 2015); leaves other modules alone."""
    if isinstance(module, nn.Conv2d) and not module.weight.is_meta:  # drawing numbers for no memory is slow
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


class TopDownNeck(nn.Module):
    """Brings four levels to one map of stride 4: from the coarsest up, upsample, concatenate, fuse."""

    def __init__(self, in_channels: tuple[int, ...], channels: int = 128) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Sequential(*conv_relu(c, channels)) for c in in_channels)
        self.fuse = nn.ModuleList(nn.Sequential(*conv_relu(2 * channels, channels)) for _ in in_channels[1:])
        self.smooth = nn.ModuleList(nn.Sequential(*conv_relu(channels, channels, 3)) for _ in in_channels[1:])
        self.up = upsample2()

    def forward(self, levels: tuple[Tensor, ...]) -> Tensor:
        """Maps of strides 4, 8, 16, 32, (B, C_i, H_i, W_i) -> (B, channels, H_0, W_0)."""
        laterals = [conv(x) for conv, x in zip(self.lateral, levels, strict=True)]
        fused = laterals[-1]
        for i in reversed(range(len(laterals) - 1)):
            fused = self.smooth[i](self.fuse[i](torch.cat([laterals[i], self.up(fused)], dim=1)))
        return fused


class ImageEncoder(nn.Module):
    """Backbone and neck, for a batch of views."""

    def __init__(self, backbone: str = "resnet18", channels: int = 128, width: int = 64) -> None:
        super().__init__()
        self.backbone = ResNet(backbone, width)
        self.neck = TopDownNeck(self.backbone.channels, channels)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Encode each view by itself, all with the same weights.

        Args:
            images: (B, V, 3, H, W) RGB, ImageNet-normalised.

        Returns:
            Features (B, V, channels, H/4, W/4) and the backbone's coarsest map (B, V, C, H/32, W/32).
        """
        levels = self.backbone(images.flatten(0, 1))
        features = self.neck((levels.s4, levels.s8, levels.s16, levels.s32))
        views = images.shape[:2]
        return features.unflatten(0, views), levels.s32.unflatten(0, views)
