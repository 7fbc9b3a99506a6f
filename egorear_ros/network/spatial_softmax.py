"""Reading heatmaps as probabilities: where the joint is, how sure that is, and what the features there say.

A softmax over a map's cells always sums to 1, so a network cannot lower its loss by predicting nothing: the collapse
that squared error on sparse maps begins with. Cell i of n stands for i / n of the image, as in the official targets.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class MapReading(NamedTuple):
    """What maps (B, V, J, h, w) say.

    Attributes:
        uv: (B, V, J, 2), expected position as fraction of the image.
        spread: (B, V, J, 2), standard deviation of the position, same unit.
        peak: (B, V, J), probability of the likeliest cell.
        features: (B, V, J, C), expected features.
        heatmap: (B, V, J, h, w), probabilities divided by their peak, 0..1.
    """

    uv: Tensor
    spread: Tensor
    peak: Tensor
    features: Tensor
    heatmap: Tensor


def read_maps(logits: Tensor, features: Tensor) -> MapReading:
    """Read logits (B, V, J, h, w) over features (B, V, C, h, w)."""
    probability = logits.flatten(-2).float().softmax(dim=-1)
    maps = probability.view_as(logits)
    x, spread_x = _moments(maps.sum(dim=-2))
    y, spread_y = _moments(maps.sum(dim=-1))
    expected = probability.to(features.dtype) @ features.flatten(-2).transpose(-2, -1)
    peak = probability.amax(dim=-1)
    return MapReading(
        uv=torch.stack([x, y], dim=-1),
        spread=torch.stack([spread_x, spread_y], dim=-1),
        peak=peak,
        features=expected,
        heatmap=maps / peak[..., None, None],
    )


def _moments(marginal: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of (..., n) probabilities of the positions 0, 1/n ... (n - 1)/n."""
    count = marginal.shape[-1]
    position = torch.arange(count, dtype=marginal.dtype, device=marginal.device) / count
    mean = (marginal * position).sum(dim=-1)
    variance = (marginal * (position - mean[..., None]) ** 2).sum(dim=-1)
    return mean, (variance + 1e-8).sqrt()
