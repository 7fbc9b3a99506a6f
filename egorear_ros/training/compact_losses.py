"""Losses of `egorear-s`: heatmaps as probabilities, visibility, poses, and how far they may be off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from egorear_ros.network.spatial_softmax import MapReading
from egorear_ros.training.batches import Batch
from egorear_ros.training.losses import POSE_WEIGHT, joint_distance

Stage = tuple[Tensor, MapReading, Tensor]

TARGET_SIGMA_CELLS: Final = 1.0
HIDDEN_WEIGHT: Final = 0.3
"""A hidden joint's place can only be guessed: worth learning, but not at the cost of the joints that are seen."""

POSITION_WEIGHT: Final = 5.0
VISIBILITY_WEIGHT: Final = 0.2
PROPOSAL_WEIGHT: Final = 0.3
STD_WEIGHT: Final = 0.2


def compact_losses(
    stages: Sequence[Stage], poses: Sequence[Tensor], log_std: Tensor, batch: Batch
) -> dict[str, Tensor]:
    """Every term, weighted; their sum is trained.

    Args:
        stages: heatmap stages of `EgoRearS.stages`.
        poses: (B, 16, 3) metres, proposal first.
        log_std: (B, 16, 3) of the last pose.
        batch: the truth.
    """
    there = batch.view_mask[..., None]
    weight = (batch.in_view & there) * torch.where(batch.visible, 1.0, HIDDEN_WEIGHT)
    distances = [joint_distance(pose, batch.joints_m) for pose in poses]
    return {
        "heatmap": torch.stack([heatmap_cross_entropy(logits, batch.uv, weight) for logits, _, _ in stages]).sum(),
        "position": POSITION_WEIGHT
        * torch.stack([_position(reading.uv, batch.uv, weight) for _, reading, _ in stages]).sum(),
        "visibility": VISIBILITY_WEIGHT
        * torch.stack([_visibility(logit, batch.visible, there) for _, _, logit in stages]).sum(),
        "proposal": PROPOSAL_WEIGHT * POSE_WEIGHT * distances[0],
        "pose": POSE_WEIGHT * torch.stack(distances[1:]).mean(),
        "std": STD_WEIGHT * laplace_nll(poses[-1].detach() - batch.joints_m, log_std),
    }


def heatmap_cross_entropy(logits: Tensor, uv: Tensor, weight: Tensor) -> Tensor:
    """Cross entropy between the map's softmax and a Gaussian around the joint, both over the cells.

    Args:
        logits: (B, V, J, h, w).
        uv: (B, V, J, 2) fractions of the image.
        weight: (B, V, J).
    """
    height, width = logits.shape[-2:]
    log_probability = logits.flatten(-2).float().log_softmax(dim=-1).view_as(logits)
    rows, columns = _profile(uv[..., 1], height), _profile(uv[..., 0], width)
    entropy = -(rows[..., None] * columns[..., None, :] * log_probability).sum(dim=(-2, -1))
    return _weighted_mean(entropy, weight)


def laplace_nll(error_m: Tensor, log_std: Tensor) -> Tensor:
    """Negative log-likelihood of errors under Laplace distributions of the given standard deviation, per axis.

    Laplace rather than Gauss: errors of joints out of sight have long tails.
    """
    return (math.sqrt(2.0) * error_m.abs() / log_std.exp() + log_std + 0.5 * math.log(2.0)).mean()


def _profile(position: Tensor, count: int) -> Tensor:
    """(...,) fractions -> (..., count) Gaussian over the cells i / count, summing to 1 also at the border."""
    cells = torch.arange(count, dtype=position.dtype, device=position.device)
    return (-0.5 * ((cells - count * position[..., None]) / TARGET_SIGMA_CELLS) ** 2).softmax(dim=-1)


def _position(predicted: Tensor, uv: Tensor, weight: Tensor) -> Tensor:
    return _weighted_mean((predicted - uv).abs().sum(dim=-1), weight)


def _visibility(logit: Tensor, visible: Tensor, there: Tensor) -> Tensor:
    entropy = F.binary_cross_entropy_with_logits(logit, visible.float(), reduction="none")
    return _weighted_mean(entropy, there.expand_as(entropy).float())


def _weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp(min=1.0)
