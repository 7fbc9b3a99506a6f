"""From frame sets in memory to batches: order, augmentation, normalisation.

Everything random in step k follows from (seed, k), so that a resumed run goes on exactly as it would have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from egorear_ros.data.frame_sets import FrameSets
from egorear_ros.inference.preprocessing import IMAGENET_MEAN, IMAGENET_STD

GAIN_STD: Final = 0.15
COLOUR_STD: Final = 0.05
OFFSET_STD: Final = 0.04
"""Light. Exposure and white balance of four real cameras differ more than the simulator's; logarithms, and grey levels
of 1."""

ALL_VIEWS_SHARE: Final = 0.5
FRONT_ONLY_SHARE: Final = 0.15
ONE_LOST_SHARE: Final = 0.2
"""Views. Cameras fail, and helmets have fewer of them; the rest of the batch has any subset."""

NOMINAL_SHARE: Final = 0.5
"""Calibration. A user's extrinsics are the drawing's, not those of the helmet as built: so the network sees both."""


@dataclass(frozen=True)
class Batch:
    """Frame sets as the network and its losses want them.

    Attributes:
        images: (B, V, 3, S, S) float32, ImageNet-normalised.
        joints_m: (B, 16, 3) device frame.
        uv: (B, V, 15, 2) fractions of the image.
        in_view, visible: (B, V, 15) bool.
        camera_from_device: (B, V, 4, 4).
        view_mask: (B, V) bool.
    """

    images: Tensor
    joints_m: Tensor
    uv: Tensor
    in_view: Tensor
    visible: Tensor
    camera_from_device: Tensor
    view_mask: Tensor


def indices_of_step(step: int, batch: int, count: int, seed: int) -> NDArray[np.int64]:
    """Frame sets of a step: every set once per epoch, in an order of that epoch's own.

    Args:
        step: number of the step, from 0.
        batch: sets per step; at most `count`.
        count: sets in all.
        seed: of the order.
    """
    batch = min(batch, count)
    epoch, within = divmod(step, count // batch)
    order = np.random.default_rng([seed, epoch, 11]).permutation(count)
    return order[within * batch : (within + 1) * batch]


def make_batch(
    sets: FrameSets,
    indices: NDArray[np.int64],
    nominal_camera_from_device: Tensor | None = None,
    rng: np.random.Generator | None = None,
) -> Batch:
    """Gather frame sets; augment them where `rng` is given.

    Args:
        sets: where from.
        indices: which.
        nominal_camera_from_device: (V, 4, 4), what a user would know; None: as built.
        rng: source of the augmentation; None for none.
    """
    picked = sets.take(indices)
    count, views = picked.images.shape[:2]
    extrinsics = torch.from_numpy(picked.camera_from_device)
    mask = torch.ones(count, views, dtype=torch.bool)
    gain, offset = np.ones((count, views, 3), np.float32), np.zeros((count, views, 3), np.float32)
    if nominal_camera_from_device is not None:
        nominal = np.ones(count, bool) if rng is None else rng.random(count) < NOMINAL_SHARE
        extrinsics[torch.from_numpy(nominal)] = nominal_camera_from_device
    if rng is not None:
        mask = torch.from_numpy(random_views(rng, count, views))
        gain = np.exp(rng.normal(0, GAIN_STD, (count, views, 1)) + rng.normal(0, COLOUR_STD, (count, views, 3)))
        offset = np.broadcast_to(rng.normal(0, OFFSET_STD, (count, views, 1)), gain.shape)
    return Batch(
        images=_normalised(torch.from_numpy(picked.images), gain, offset),
        joints_m=torch.from_numpy(picked.joints_device_m),
        uv=torch.from_numpy(picked.pixels[:, :, 1:]),
        in_view=torch.from_numpy(picked.in_view[:, :, 1:]),
        visible=torch.from_numpy(picked.visible[:, :, 1:]),
        camera_from_device=extrinsics,
        view_mask=mask,
    )


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Move every tensor."""
    return Batch(**{name: tensor.to(device, non_blocking=True) for name, tensor in vars(batch).items()})


def random_views(rng: np.random.Generator, count: int, views: int) -> NDArray[np.bool_]:
    """(count, views) of which views are there, at least one; the first two are the front pair."""
    mask = np.ones((count, views), bool)
    kind = rng.random(count)
    for i in np.flatnonzero(kind >= ALL_VIEWS_SHARE):
        if kind[i] < ALL_VIEWS_SHARE + FRONT_ONLY_SHARE:
            mask[i, 2:] = False
        elif kind[i] < ALL_VIEWS_SHARE + FRONT_ONLY_SHARE + ONE_LOST_SHARE:
            mask[i, rng.integers(views)] = views == 1
        else:
            mask[i] = rng.random(views) < 0.5
            mask[i, rng.integers(views)] = True
    return mask


def _normalised(images: Tensor, gain: NDArray[np.floating], offset: NDArray[np.floating]) -> Tensor:
    """(B, V, S, S, 3) uint8 -> (B, V, 3, S, S), stored channels last; light and ImageNet statistics in one product."""
    std = np.array(IMAGENET_STD)
    scale = torch.from_numpy((gain / 255 / std).astype(np.float32))[:, :, None, None]
    shift = torch.from_numpy(((offset - np.array(IMAGENET_MEAN)) / std).astype(np.float32))[:, :, None, None]
    return torch.addcmul(shift, images.float(), scale).permute(0, 1, 4, 2, 3)
