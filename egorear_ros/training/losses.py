"""Losses of the three systems. Lengths are metres; the official constants, meant for centimetres, are converted here.

Source: EgoRear, EgoPoseFormer and EgoTAP, official training code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from egorear_ros.skeleton import PARENTS

POSE_WEIGHT: Final = 10.0
"""Weight of a pose error in metres: the official 0.1 per centimetre."""

HEATMAP_WEIGHT: Final = 10.0

LIMB_COSINE_WEIGHT: Final = -0.001
"""EgoTAP's reward for limbs that point the right way: the official 0.1 * -0.01."""


def joint_distance(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean Euclidean distance over the last axis: (..., D), (..., D) -> scalar, in the unit of the inputs."""
    return torch.linalg.vector_norm(predicted - target, dim=-1).mean()


def pose_losses(poses: Sequence[Tensor], target_m: Tensor) -> list[Tensor]:
    """Loss of each stage's pose (B, 16, 3) in metres; their sum is trained."""
    return [POSE_WEIGHT * joint_distance(pose, target_m) for pose in poses]


def heatmap_losses(heatmaps: Sequence[Tensor], target: Tensor) -> list[Tensor]:
    """Loss of each stage's heatmaps (B, V, J, h, w) in EgoRear's stages 1 and 2: squared error, summed over views."""
    return [HEATMAP_WEIGHT * ((maps - target) ** 2).mean(dim=(0, 2, 3, 4)).sum() for maps in heatmaps]


def heatmap_row_losses(heatmaps: Sequence[Tensor], target: Tensor) -> list[Tensor]:
    """Loss of each stage's heatmaps (B, V, J, h, w) in EgoRear's stage 3: length of a row's error, summed over views.

    The official stage 3 hands heatmaps to its pose criterion, so a row of a map counts as a point in w dimensions. Its
    weights are trained so; the paper does not mention it.
    """
    rows = [torch.linalg.vector_norm(maps - target, dim=-1) for maps in heatmaps]
    return [HEATMAP_WEIGHT * row.mean(dim=(0, 2, 3)).sum() for row in rows]


def egotap_heatmap_loss(heatmaps: Tensor, target: Tensor, pixel_length: Tensor | None = None) -> Tensor:
    """EgoTAP's heatmap loss: squared error, summed over views.

    Args:
        heatmaps: (B, V, maps, h, w).
        target: the same shape.
        pixel_length: for limb maps, each limb's length in heatmap pixels plus 1, to broadcast to (B, V, maps); long
            limbs have more pixels and would outweigh short ones, so each map is divided by the root of it.
    """
    error = (heatmaps - target) ** 2
    if pixel_length is not None:
        error = error / pixel_length[..., None, None]
    return error.mean(dim=(0, 2, 3, 4)).sum()


def limb_cosine_loss(pose_m: Tensor, target_m: Tensor) -> Tensor:
    """EgoTAP's limb direction loss: cosine between the bones of (B, 16, 3), summed, mean over the batch, weighted."""
    parents = torch.tensor(PARENTS[1:], device=pose_m.device)
    cosine = cosine_similarity(pose_m[:, 1:] - pose_m[:, parents], target_m[:, 1:] - target_m[:, parents], dim=-1)
    return LIMB_COSINE_WEIGHT * cosine.sum(dim=-1).mean()
