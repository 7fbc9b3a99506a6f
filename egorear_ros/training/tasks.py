"""What differs between the networks the trainer trains: losses, frozen parts, weight decay, validation.

`Task` is the common part; EgoRear's and EgoPoseFormer's three stages are here, EgoTAP's in `egotap_tasks`, egorear-s in
`compact_task`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from typing import Any, ClassVar, Final, cast

import numpy as np
import torch
from torch import Tensor, nn

from egorear_ros.data.frame_sets import FrameSets, FrameSource
from egorear_ros.evaluation.metrics import heatmap_mse, mpjpe_mm
from egorear_ros.network import NetworkOutput, build
from egorear_ros.network.views import blank_missing
from egorear_ros.training import losses
from egorear_ros.training.batches import Batch, make_batch, to_device
from egorear_ros.training.config import TrainingConfig
from egorear_ros.training.heatmap_targets import joint_heatmaps
from egorear_ros.training.parameter_groups import vectors, without_weight_decay
from egorear_ros.training.sources import spread
from egorear_ros.training.stages import Job

VALIDATION_BATCH: Final = 16


class Task(ABC):
    """A network and how it is trained.

    Args:
        job: which network.
        config: how long, how fast, with which quirks.

    Attributes:
        metric: what is validated; less is better.
        digits: decimals of it that mean something.
    """

    metric: ClassVar[str] = "mpjpe_mm"
    digits: ClassVar[int] = 1

    def __init__(self, job: Job, config: TrainingConfig) -> None:
        self.job, self.config = job, config
        self.network = build(job.network)
        for module in self.frozen():
            module.requires_grad_(False)

    def begin(self, train: FrameSource) -> None:  # noqa: B027, most tasks have nothing to do
        """Take from the training data what the network should start with."""

    def targets(self, sets: FrameSets) -> dict[str, Tensor]:
        """What the losses need to know beyond `Batch`."""
        return {}

    @abstractmethod
    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Every term, weighted; their sum is trained."""

    @abstractmethod
    def validate(self, network: nn.Module, source: FrameSource) -> float:
        """Error of a network, which may be the task's or an average of its past, on the validation sets."""

    def frozen(self) -> list[nn.Module]:
        """Modules that are not trained."""
        return []

    def undecayed(self) -> Collection[str]:
        """Names of the parameters without weight decay."""
        return vectors(self.network)

    def train_mode(self) -> None:
        """Set what learns to train mode; frozen modules only by the official quirk."""
        self.network.train()
        if "drifting_statistics" not in self.config.quirks:
            for module in self.frozen():
                module.eval()

    def run(self, batch: Batch, network: nn.Module | None = None) -> NetworkOutput:
        """The network's output for a batch, in bfloat16 where the configuration says so and it is safe."""
        extrinsics = batch.camera_from_device if getattr(self.job.network, "extrinsics", "") == "input" else None
        mask = batch.view_mask if self.config.augmentation.view_dropout else None
        with torch.autocast(batch.images.device.type, torch.bfloat16, enabled=self.config.bf16):
            return cast(NetworkOutput, (network or self.network)(batch.images, extrinsics, mask))

    @torch.inference_mode()
    def outputs(self, network: nn.Module, source: FrameSource) -> Iterator[tuple[NetworkOutput, Batch]]:
        """Run a network in eval mode over the validation sets; leave it so."""
        device = next(network.parameters()).device
        network.eval()
        picked = spread(len(source), self.config.validation_sets)
        for indices in np.array_split(picked, -(-len(picked) // VALIDATION_BATCH)):
            batch = to_device(make_batch(source, indices, targets=self.targets), device)
            yield self.run(batch, network), batch


class HeatmapTask(Task):
    """Stage 1, heatmaps of one stereo pair; EgoPoseFormer's heatmap network, too.

    The official code draws single images; here the images of a frame set come together, so that each is decoded once.
    """

    metric, digits = "heatmap_mse", 7

    def targets(self, sets: FrameSets) -> dict[str, Tensor]:
        """The joints' maps."""
        return joint_targets(sets)

    def undecayed(self) -> Collection[str]:
        """Stages 1 and 2 let everything decay."""
        return ()

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The heatmaps' squared error, every image a sample."""
        maps, target = heatmaps_of(self.run(batch))[-1], true_heatmaps(batch)
        return {"heatmap": losses.heatmap_losses([maps.flatten(0, 1)[:, None]], target.flatten(0, 1)[:, None])[0]}

    def validate(self, network: nn.Module, source: FrameSource) -> float:
        """Mean squared error of the last heatmaps."""
        errors, counts = [], []
        for output, batch in self.outputs(network, source):
            errors.append(heatmap_mse(heatmaps_of(output)[-1].cpu().numpy(), true_heatmaps(batch).cpu().numpy()))
            counts.append(len(batch.images))
        return float(np.average(errors, weights=counts))


class RefinementTask(HeatmapTask):
    """Stage 2: initial and refined heatmaps; the estimators are frozen."""

    def frozen(self) -> list[nn.Module]:
        """The estimators."""
        return [cast(Any, self.network).estimators]

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Squared errors of both, summed over the views."""
        initial, refined = losses.heatmap_losses(heatmaps_of(self.run(batch)), true_heatmaps(batch))
        return {"initial": initial, "refined": refined}


class PoseTask(Task):
    """Stage 3, the whole system: every pose, and the heatmaps where the network has any."""

    def targets(self, sets: FrameSets) -> dict[str, Tensor]:
        """The joints' maps."""
        return joint_targets(sets)

    def undecayed(self) -> Collection[str]:
        """Biases and scales; by the official rule not all of them."""
        official = "decayed_norms" in self.config.quirks
        return without_weight_decay(self.network) if official else vectors(self.network)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Distances of all poses, errors of all heatmaps."""
        output = self.run(batch)
        assert output.poses is not None
        terms = losses.pose_losses([pose.float() for pose in output.poses], batch.joints_m)
        names = ["proposal", *(f"pose_{number}" for number in range(1, len(terms)))]
        if output.heatmaps:
            measure = losses.heatmap_row_losses if "row_heatmap_loss" in self.config.quirks else losses.heatmap_losses
            terms += measure(heatmaps_of(output), true_heatmaps(batch))
            names += ["initial", "refined"][: len(output.heatmaps)]
        return dict(zip(names, terms, strict=True))

    def validate(self, network: nn.Module, source: FrameSource) -> float:
        """MPJPE in mm of the last pose."""
        return pose_error_mm(self.outputs(network, source))


def joint_targets(sets: FrameSets) -> dict[str, Tensor]:
    """EgoRear's joint maps (B, V, 15, h, w), of hidden joints, too."""
    maps = joint_heatmaps(sets.pixels[:, :, 1:], 1.0, sets.images.shape[2] // 4)
    return {"heatmaps": torch.from_numpy(maps)}


def pose_error_mm(outputs: Iterator[tuple[NetworkOutput, Batch]]) -> float:
    """Mean MPJPE of the last poses."""
    errors = [
        mpjpe_mm(cast(Any, output.poses)[-1].float().cpu().numpy(), batch.joints_m.cpu().numpy())
        for output, batch in outputs
    ]
    return float(np.concatenate(errors).mean())


def heatmaps_of(output: NetworkOutput) -> list[Tensor]:
    """The maps of all stages, float32."""
    return [maps.float() for maps in output.heatmaps or ()]


def true_heatmaps(batch: Batch) -> Tensor:
    """(B, V, maps, h, w), zero for views that are not there, as the networks' answers are."""
    return blank_missing(batch.targets["heatmaps"], batch.view_mask)
