"""EgoTAP's heatmap networks for joints and limbs, and its lifting."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from egorear_ros.data.frame_sets import FrameSets, FrameSource
from egorear_ros.network import EgoTapHeatmapConfig
from egorear_ros.skeleton import PARENTS
from egorear_ros.training import losses
from egorear_ros.training.batches import Batch
from egorear_ros.training.heatmap_targets import egotap_joint_heatmaps, egotap_limb_heatmaps, limb_angles
from egorear_ros.training.tasks import HeatmapTask, Task, heatmaps_of, pose_error_mm, true_heatmaps


class EgoTapHeatmapTask(HeatmapTask):
    """Joint maps, or limb maps times cos and sin of the limb's angle in the left view."""

    def targets(self, sets: FrameSets) -> dict[str, Tensor]:
        """(B, V, 15 or 30, h, w) maps; for limbs also the limbs' lengths, (B, V, 30)."""
        size = sets.images.shape[2] // 4
        if cast(EgoTapHeatmapConfig, self.job.network).maps == "joint":
            joints = [[egotap_joint_heatmaps(view, 1.0, size)[1:] for view in pixels] for pixels in sets.pixels]
            return {"heatmaps": torch.from_numpy(np.array(joints))}
        found = [_limbs(sets, index, size) for index in range(len(sets))]
        maps, lengths = (torch.from_numpy(np.stack(part)) for part in zip(*found, strict=True))
        return {"heatmaps": maps, "lengths": lengths}

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Squared error, that of limbs by length."""
        maps = heatmaps_of(self.run(batch))[-1]
        return {"heatmap": losses.egotap_heatmap_loss(maps, true_heatmaps(batch), batch.targets.get("lengths"))}


class EgoTapLiftingTask(Task):
    """The lifting, on the maps of frozen heatmap networks."""

    def frozen(self) -> list[nn.Module]:
        """Everything but the lifting."""
        return [module for name, module in self.network.named_children() if name != "lifting"]

    def undecayed(self) -> Collection[str]:
        """Nothing is spared; the official weight decay is zero."""
        return ()

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Distance of the joints, direction of the limbs."""
        pose = cast(Any, self.run(batch)).poses[-1].float()
        return {
            "pose": losses.pose_losses([pose], batch.joints_m)[0],
            "limb_direction": losses.limb_cosine_loss(pose, batch.joints_m),
        }

    def validate(self, network: nn.Module, source: FrameSource) -> float:
        """MPJPE in mm."""
        return pose_error_mm(self.outputs(network, source))


def _limbs(sets: FrameSets, index: int, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Limb maps (V, 30, size, size), cos then sin, and lengths (V, 30), of one frame set."""
    left = sets.camera_from_device[index, 0]
    angles = limb_angles(sets.joints_device_m[index] @ left[:3, :3].T + left[:3, 3], PARENTS)[:, None, None]
    views = [egotap_limb_heatmaps(pixels, PARENTS, 1.0, size) for pixels in sets.pixels[index]]
    maps = np.stack([np.concatenate([found * np.cos(angles), found * np.sin(angles)]) for found, _ in views])
    lengths = np.stack([np.tile(length, 2) for _, length in views])
    return maps.astype(np.float32), lengths.astype(np.float32)
