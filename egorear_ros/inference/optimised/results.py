"""What a rearranged network looks like from outside."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

from torch import Tensor, nn

from egorear_ros.network import NetworkOutput


class Results(NamedTuple):
    """The last stage's results only, as a flat tuple that exports; names as in `NetworkOutput`.

    Attributes:
        pose: (B, 16, 3) metres.
        log_std: (B, 16, 3), or None where the network does not predict it.
        heatmaps: (B, V, 15, h, w), or None where nobody asked for them or the network has none.
    """

    pose: Tensor
    log_std: Tensor | None = None
    heatmaps: Tensor | None = None

    def as_output(self) -> NetworkOutput:
        """Return the same as a network's output."""
        heatmaps = None if self.heatmaps is None else (self.heatmaps,)
        return NetworkOutput(heatmaps=heatmaps, poses=(self.pose,), log_std=self.log_std)


class FastNetwork(nn.Module):
    """A rearranged network: a pure function of three tensors, without gradients."""

    @abstractmethod
    def forward(self, images: Tensor, camera_from_device: Tensor, view_mask: Tensor | None) -> Results:
        """Compute the last stage's heatmaps and pose.

        Args:
            images: (B, V, 3, S, S) float32, ImageNet-normalised.
            camera_from_device: (B, V, 4, 4) float32, metres.
            view_mask: (B, V) bool, False for missing views; None when all are there.
        """
