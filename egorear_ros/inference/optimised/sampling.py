"""Deformable attention's look into feature maps, before any projection of them.

Bilinear sampling, the weighted sum over points and the projections of the memory are all linear, so they may change
places: here the raw features are summed at the few points asked for, and only the sums are projected. A bias of the
projection then counts as far as the points lie inside the map: `Look.inside`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Look(NamedTuple):
    """Where, and how strongly, every query and head looks into every view's map.

    Attributes:
        cells: (R, B, V, J, H, 4 P) int64, row-major number of each touched cell of the (size, size) map.
        weights: the same shape, attention times bilinear weight; 0 outside the map.
        inside: (R, B, V, J, H), sum of the weights: 1 where all points lie inside the map.
    """

    cells: Tensor
    weights: Tensor
    inside: Tensor


def look(anchors: Tensor, offsets: Tensor, attention: Tensor, size: int) -> Look:
    """Spread points around anchors over the cells they touch.

    Args:
        anchors: (B, V, J, 2) as (x, y), 0..1 over the map.
        offsets: (R, B, J, H, P, 2) from the anchor, in cells.
        attention: (R, B, J, H, P).
        size: height and width of the map.
    """
    position = anchors[None, :, :, :, None, None] * size + offsets[:, :, None] - 0.5  # (R, B, V, J, H, P, 2)
    # Far outside nothing is seen anyway; without the limit, the integer of a huge number would be anything.
    first = position.floor().clamp(-2.0, size + 1.0)
    part = position - first
    corners = torch.stack([first, first + 1], dim=-1)  # (..., 2: x or y, 2: low or high)
    nearest = corners.clamp(0, size - 1)
    inside = (1 - (corners - nearest).abs()).clamp(min=0)  # 1 or 0; OpenVINO compares much more slowly
    near = torch.stack([1 - part, part], dim=-1) * inside
    cells = nearest.to(torch.int64)
    number = cells[..., 1, :, None] * size + cells[..., 0, None, :]  # (..., P, 2, 2)
    weights = near[..., 1, :, None] * near[..., 0, None, :] * attention[:, :, None, ..., None, None]
    weights = weights.flatten(-3)
    return Look(number.flatten(-3), weights, weights.sum(dim=-1))


def gather(rows: Tensor, numbers: Tensor, weights: Tensor) -> Tensor:
    """Weighted sums of rows (N, C), one per entry of numbers and weights (..., K): (..., C)."""
    count = numbers.shape[-1]
    summed = F.embedding_bag(
        numbers.reshape(-1, count), rows, mode="sum", per_sample_weights=weights.reshape(-1, count)
    )
    return summed.reshape(*numbers.shape[:-1], rows.shape[-1])


def views_of(features: Tensor, look: Look) -> Tensor:
    """Features (B, V, C, h, w) as seen by a look: (R, B, V, J, H, C)."""
    batch, views, channels, height, width = features.shape
    rows = features.permute(0, 1, 3, 4, 2).reshape(-1, channels)
    start = torch.arange(batch * views, device=features.device).view(batch, views, 1, 1, 1) * (height * width)
    return gather(rows, look.cells + start, look.weights)
