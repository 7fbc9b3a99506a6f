"""EgoRear-S for inference: the same network with batch norms folded."""

from __future__ import annotations

import copy

from torch import Tensor

from egorear_ros.inference.optimised.convolutions import fold_batch_norms
from egorear_ros.inference.optimised.results import FastNetwork, Results
from egorear_ros.network.egorear_s import EgoRearS


class FastEgoRearS(FastNetwork):
    """An `EgoRearS` for inference.

    Args:
        network: in eval mode; it is copied.
        heatmaps: whether heatmaps are wanted.
    """

    def __init__(self, network: EgoRearS, heatmaps: bool) -> None:
        super().__init__()
        self.heatmaps = heatmaps
        self.network = copy.deepcopy(network).requires_grad_(False)
        encoder = self.network.encoder
        encoder.backbone = fold_batch_norms(encoder.backbone)

    def forward(self, images: Tensor, camera_from_device: Tensor, view_mask: Tensor | None) -> Results:
        """See `FastNetwork.forward`."""
        output = self.network(images, camera_from_device, view_mask)
        return Results(output.poses[-1], output.log_std, output.heatmaps[-1] if self.heatmaps else None)
