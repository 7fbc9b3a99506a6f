"""From images to heatmaps: the estimator of one stereo pair, and the anchors read from heatmaps.

Source: EgoRear section "initial heatmaps"; EgoPoseFormer's heatmap network is the same.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from egorear_ros.network.backbone import ImageEncoder
from egorear_ros.network.output import NetworkOutput
from egorear_ros.network.views import blank_missing

ANCHOR_THRESHOLD: Final = 0.5
"""A heatmap whose maximum is lower than this does not say where its joint is."""


class HeatmapEstimator(nn.Module):
    """Heatmaps of each view of a stereo pair; left and right share the weights.

    Args:
        joints: number of heatmaps; None to leave the heatmap layer out and only encode.
        backbone, channels, width: see `HeatmapConfig`.
    """

    def __init__(
        self, joints: int | None = 15, backbone: str = "resnet18", channels: int = 128, width: int = 64
    ) -> None:
        super().__init__()
        self.encoder = ImageEncoder(backbone, channels, width)
        if joints is not None:
            self.head = nn.Conv2d(channels, joints, 1)

    def heatmaps(self, features: Tensor) -> Tensor:
        """Features (B, V, channels, h, w) of the encoder -> heatmaps (B, V, J, h, w)."""
        return self.head(features.flatten(0, 1)).unflatten(0, features.shape[:2])

    def forward(
        self, images: Tensor, camera_from_device: Tensor | None = None, view_mask: Tensor | None = None
    ) -> NetworkOutput:
        """Estimate heatmaps, one stage.

        Args:
            images: (B, V, 3, H, W) RGB, ImageNet-normalised, any number of views.
            camera_from_device: ignored; here so that all image networks are called alike.
            view_mask: (B, V) bool, False for missing views, whose heatmaps are zero.

        Returns:
            heatmaps: one (B, V, J, H/4, W/4).
        """
        features, _ = self.encoder(blank_missing(images, view_mask))
        return NetworkOutput(heatmaps=(blank_missing(self.heatmaps(features), view_mask),))


def heatmap_anchors(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """Position of each heatmap's maximum, and whether it is high enough to be trusted.

    The position is the pixel's index divided by the size, without the half pixel to its centre, as in the official
    code: an anchor lies half a pixel up-left of the maximum's centre.

    Args:
        heatmaps: (B, V, J, h, w).

    Returns:
        Anchors (B, V, J, 2) as (x, y) in [0, 1), without gradient, and (B, V, J) bool.
    """
    height, width = heatmaps.shape[-2:]
    peak, index = heatmaps.detach().flatten(-2).max(dim=-1)
    x = (index % width) / width
    y = index.div(width, rounding_mode="floor") / height
    return torch.stack([x, y], dim=-1).to(heatmaps.dtype), peak >= ANCHOR_THRESHOLD
