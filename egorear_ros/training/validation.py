"""How good a network is on frame sets in memory: with all views, with the front pair, with each camera lost."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray

from egorear_ros.data.frame_sets import FrameSets
from egorear_ros.evaluation.metrics import joint_errors_mm, mpjpe_mm, pa_mpjpe_mm
from egorear_ros.network.egorear_s import EgoRearS
from egorear_ros.training.batches import make_batch, to_device

BATCH = 32
INTERVAL_90 = 0.5 * np.log(10.0) * np.sqrt(2.0)
"""Half width of a Laplace distribution's central 90 %, in standard deviations."""


class Predictions(NamedTuple):
    """(N, 16, 3) poses and standard deviations, metres."""

    joints_m: NDArray[np.float32]
    std_m: NDArray[np.float32]


@torch.inference_mode()
def predict(network: EgoRearS, sets: FrameSets, view_mask: tuple[bool, ...], bf16: bool = False) -> Predictions:
    """Run the network in eval mode, with the rig's nominal extrinsics as a user would."""
    was_training, device = network.training, network.mean_pose_m.device
    network.eval()
    joints, std = [], []
    for start in range(0, len(sets), BATCH):
        indices = np.arange(start, min(start + BATCH, len(sets)))
        batch = to_device(make_batch(sets, indices), device)
        mask = torch.tensor(view_mask, device=device).expand(len(indices), -1)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            output = network(batch.images, None, mask)
        poses, log_std = cast(Any, output.poses), cast(Any, output.log_std)
        joints.append(poses[-1].float().cpu().numpy())
        std.append(log_std.float().exp().cpu().numpy())
    network.train(was_training)
    return Predictions(np.concatenate(joints), np.concatenate(std))


def view_sets(views: tuple[str, ...]) -> dict[str, tuple[bool, ...]]:
    """The subsets that are compared: all, the front pair, and all but each."""
    subsets = {"all views": (True,) * len(views), "front pair": tuple(view.startswith("front") for view in views)}
    subsets.update({f"without {lost}": tuple(view != lost for view in views) for lost in views})
    return subsets


def evaluate(network: EgoRearS, sets: FrameSets, train_mean_m: NDArray[np.floating]) -> dict[str, Any]:
    """Errors on every subset of `view_sets`, and of always answering the training data's mean pose.

    Returns:
        Plain values: "sets", "mean_pose_mm", "mpjpe_mm" and "pa_mpjpe_mm" per subset; for all views also
        "within_90_percent" (share of coordinates inside their 90 % interval), "joint_mm" and "error_by_std_mm" (mean
        error of the joints in each tenth of predicted standard deviation, from the surest).
    """
    sets = sets.resized(network.config.image_size)
    truth = sets.joints_device_m
    result: dict[str, Any] = {
        "sets": len(sets),
        "mean_pose_mm": _rounded(mpjpe_mm(train_mean_m[None], truth).mean()),
        "mpjpe_mm": {},
        "pa_mpjpe_mm": {},
    }
    for name, mask in view_sets(network.config.views).items():
        predicted = predict(network, sets, mask)
        result["mpjpe_mm"][name] = _rounded(mpjpe_mm(predicted.joints_m, truth).mean())
        result["pa_mpjpe_mm"][name] = _rounded(pa_mpjpe_mm(predicted.joints_m, truth).mean())
        if all(mask):
            errors = joint_errors_mm(predicted.joints_m, truth)
            inside = np.abs(predicted.joints_m - truth) <= INTERVAL_90 * predicted.std_m
            result["within_90_percent"] = _rounded(100 * inside.mean())
            result["joint_mm"] = [_rounded(error) for error in errors.mean(axis=0)]
            order = np.argsort(np.linalg.norm(predicted.std_m, axis=-1).ravel())
            result["error_by_std_mm"] = [_rounded(part.mean()) for part in np.array_split(errors.ravel()[order], 10)]
    return result


def _rounded(value: Any) -> float:
    return round(float(value), 1)
