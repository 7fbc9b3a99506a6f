"""EgoTAP's heatmap networks: one for joints, one for limbs, each for a stereo pair.

Source: EgoTAP (CVPR 2024), written from a description of the official network; its code is not used.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from egorear_ros.network.backbone import ResNet, conv_relu, upsample2
from egorear_ros.network.config import EgoTapHeatmapConfig
from egorear_ros.network.output import NetworkOutput
from egorear_ros.network.views import Pair, blank_missing, check_views, present_views


class StereoDecoder(nn.Module):
    """Decodes the levels of both views together: their channels are concatenated, left first.

    Args:
        maps: number of heatmaps, of both views together.
        width: that of the backbone.
    """

    def __init__(self, maps: int, width: int = 64) -> None:
        super().__init__()
        s4, s8, s16, s32 = (2 * scale * width for scale in (1, 2, 4, 8))
        lateral_s16 = s16 + 4  # not s16: a slip of the official network, 516, that its weights depend on
        self.lateral1 = nn.Sequential(*conv_relu(s4, s4))
        self.lateral2 = nn.Sequential(*conv_relu(s8, s8))
        self.lateral3 = nn.Sequential(*conv_relu(s16, lateral_s16))
        self.lateral4 = nn.Sequential(*conv_relu(s32, s32))
        self.up3 = nn.Sequential(*conv_relu(s32 + lateral_s16, s32, 3))
        self.up2 = nn.Sequential(*conv_relu(s32 + s8, s16, 3))
        self.up1 = nn.Sequential(*conv_relu(s16 + s4, s16, 3))
        self.head = nn.Conv2d(s16, maps, 1)
        self.upsample = upsample2()

    def forward(self, s4: Tensor, s8: Tensor, s16: Tensor, s32: Tensor) -> Tensor:
        """Levels (B, 2 * width, h, w) ... (B, 16 * width, h/8, w/8) -> (B, maps, h, w)."""
        x = torch.cat([self.upsample(self.lateral4(s32)), self.lateral3(s16)], dim=1)
        x = torch.cat([self.upsample(self.up3(x)), self.lateral2(s8)], dim=1)
        x = torch.cat([self.upsample(self.up2(x)), self.lateral1(s4)], dim=1)
        return self.head(self.up1(x))


class EgoTapHeatmaps(nn.Module):
    """Joint or limb heatmaps of a stereo pair."""

    def __init__(self, config: EgoTapHeatmapConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = ResNet("resnet18", config.width)
        self.decoder = StereoDecoder(2 * config.maps_per_view, config.width)
        self.decoder.apply(_kaiming)

    def forward(
        self, images: Tensor, camera_from_device: Tensor | None = None, view_mask: Tensor | None = None
    ) -> NetworkOutput:
        """Estimate heatmaps, one stage.

        Args:
            images: (B, 2, 3, H, W) RGB, ImageNet-normalised, left and right.
            camera_from_device: ignored; here so that all image networks are called alike.
            view_mask: (B, 2) bool; a missing view's features and heatmaps are zero.

        Returns:
            heatmaps: one (B, 2, 15, H/4, W/4), or (B, 2, 30, H/4, W/4) for limbs: 15 cos maps, then 15 sin maps.
        """
        check_views(images, view_mask, self.config.views)
        images = blank_missing(images, view_mask)
        # One call per view, not one batch: the official code does so, and batch normalisation in training notices.
        views = [self.backbone(images[:, view])[1:] for view in range(2)]
        levels = [
            blank_missing(torch.stack(level, dim=1), view_mask).flatten(1, 2) for level in zip(*views, strict=True)
        ]
        maps = self.decoder(*levels).unflatten(1, (2, self.config.maps_per_view))
        return NetworkOutput(heatmaps=(blank_missing(maps, view_mask),))


def heatmaps_of_pairs(
    networks: nn.ModuleDict, pairs: dict[Pair, list[int]], images: Tensor, view_mask: Tensor | None
) -> Tensor:
    """Run one network per stereo pair and join the maps, (B, V, maps, h, w); a pair nobody has is not computed."""
    present = present_views(view_mask, images.shape[1])
    found: dict[str, Tensor] = {}
    for pair, members in pairs.items():
        if any(present[view] for view in members):
            mask = None if view_mask is None else view_mask[:, members]
            found[pair] = _run(networks[pair], images[:, members], mask)
    blank = torch.zeros_like(next(iter(found.values())))
    return torch.cat([found.get(pair, blank) for pair in pairs], dim=1)


def _run(network: nn.Module, images: Tensor, view_mask: Tensor | None) -> Tensor:
    output: NetworkOutput = network(images, None, view_mask)
    assert output.heatmaps is not None
    return output.heatmaps[-1]


def _kaiming(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
