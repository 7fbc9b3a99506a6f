"""egorear-s as a task of the trainer."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from egorear_ros.data.frame_sets import FrameSource
from egorear_ros.evaluation.metrics import mpjpe_mm
from egorear_ros.network.egorear_s import EgoRearS
from egorear_ros.training.batches import Batch
from egorear_ros.training.compact_losses import compact_losses
from egorear_ros.training.sources import mean_pose_m, spread
from egorear_ros.training.tasks import Task
from egorear_ros.training.validation import predict


class CompactTask(Task):
    """egorear-s: any views, heatmaps as probabilities, predicted deviations."""

    def begin(self, train: FrameSource) -> None:
        """Start from the training data's mean pose."""
        cast(EgoRearS, self.network).mean_pose_m.copy_(torch.from_numpy(mean_pose_m(train)))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """See `compact_losses`."""
        network = cast(EgoRearS, self.network)
        with torch.autocast(batch.images.device.type, torch.bfloat16, enabled=self.config.bf16):
            stages, poses, log_std = network.stages(batch.images, batch.camera_from_device, batch.view_mask)
        return compact_losses(stages, poses, log_std, batch)

    def validate(self, network: nn.Module, source: FrameSource) -> float:
        """MPJPE in mm: the mean of all views and of the front pair, both must be good."""
        picked = source.take(spread(len(source), self.config.validation_sets))
        compact, truth = cast(EgoRearS, network), picked.joints_device_m
        masks = {(True,) * len(self.job.views), tuple(view.startswith("front") for view in self.job.views)}
        errors = [
            mpjpe_mm(predict(compact, picked, mask, self.config.bf16).joints_m, truth).mean()
            for mask in sorted(masks)
            if any(mask)
        ]
        return float(np.mean(errors))
