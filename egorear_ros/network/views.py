"""Views of a frame set: which belong to one stereo pair, which are there at all, and what a missing one means.

A missing view is one whose `view_mask` is False. Whatever its image holds (even NaN), it is replaced by zeros at the
entrance of a network, and it contributes nothing afterwards: its anchors are invalid, its features and heatmaps zero.
A view that no sample of the batch has is not computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import torch
from torch import Tensor

Pair = Literal["front", "rear"]

STEREO_PAIRS: Final[dict[Pair, tuple[str, ...]]] = {
    "front": ("front_left", "front_right"),
    "rear": ("rear_left", "rear_right"),
}
"""The views that share one heatmap estimator."""


def pairs_of(views: Sequence[str]) -> dict[Pair, list[int]]:
    """Return, per stereo pair with at least one view, the indices of its views."""
    found = {pair: [i for i, view in enumerate(views) if view in members] for pair, members in STEREO_PAIRS.items()}
    return {pair: indices for pair, indices in found.items() if indices}


def exporting() -> bool:
    """Whether the network is being exported, traced or compiled: its graph must not depend on its inputs' content."""
    return torch.compiler.is_compiling() or bool(torch._C._get_tracing_state())


def present_views(view_mask: Tensor | None, count: int) -> list[bool]:
    """Return, per view, whether any sample of the batch has it.

    While exporting the answer is always yes.
    """
    if view_mask is None or exporting():
        return [True] * count
    return [bool(present) for present in view_mask.any(dim=0).tolist()]


def blank_missing(x: Tensor, view_mask: Tensor | None) -> Tensor:
    """Replace the missing views of `x` (B, V, ...) by zeros; unlike a product, this also stops NaN."""
    if view_mask is None:
        return x
    return x.masked_fill(~view_mask.view(*view_mask.shape, *[1] * (x.ndim - 2)), 0.0)


def stack_views(maps: Sequence[Tensor | None]) -> Tensor:
    """Stack per-view maps (B, ...) to (B, V, ...); None, a view that was not computed, becomes zeros."""
    blank = torch.zeros_like(next(m for m in maps if m is not None))
    return torch.stack([blank if m is None else m for m in maps], dim=1)


def check_views(images: Tensor, view_mask: Tensor | None, views: Sequence[str]) -> None:
    """Raise ValueError unless `images` is (B, V, 3, H, W) and `view_mask`, if any, a boolean (B, V)."""
    if images.ndim != 5 or images.shape[1] != len(views) or images.shape[2] != 3:
        raise ValueError(
            f"images have shape {tuple(images.shape)}, expected (B, {len(views)}, 3, H, W) for the views "
            f"{', '.join(views)}"
        )
    if view_mask is not None and (view_mask.dtype != torch.bool or view_mask.shape != images.shape[:2]):
        raise ValueError(
            f"view_mask has shape {tuple(view_mask.shape)} and type {view_mask.dtype}, expected bool of shape "
            f"{tuple(images.shape[:2])}"
        )
    if view_mask is not None and not any(present_views(view_mask, len(views))):
        raise ValueError("view_mask is False everywhere: there is no view to look at")
