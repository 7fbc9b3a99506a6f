"""What every network of this folder returns."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class NetworkOutput(NamedTuple):
    """Results of all stages, the final one last; None where a network has no such output.

    Attributes:
        heatmaps: per stage (B, V, J, H/4, W/4), a joint's peak is about 1. J is 15 (`skeleton.HEATMAP_JOINTS`), or 30
            for EgoTAP's limb network: 15 maps times cos, then the same 15 times sin of the limb's angle.
        poses: per stage (B, 16, 3) in metres, joints as in `skeleton.JOINTS`, in the network's own frame: the device
            frame for EgoRear; for EgoPoseFormer and EgoTAP trained on UnrealEgo, relative to the pelvis.
        log_std: (B, 16, 3), logarithm of the last pose's standard deviation in metres, per axis of the same frame.
    """

    heatmaps: tuple[Tensor, ...] | None = None
    poses: tuple[Tensor, ...] | None = None
    log_std: Tensor | None = None
