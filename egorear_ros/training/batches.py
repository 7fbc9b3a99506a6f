"""From frame sets in memory to batches: order, augmentation, normalisation.

Everything random in step k follows from (seed, k), so that a resumed run goes on exactly as it would have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from egorear_ros.data.frame_sets import FrameSets, FrameSource
from egorear_ros.errors import EgorearError
from egorear_ros.inference.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from egorear_ros.training.augmentation import (
    AugmentationConfig,
    Draws,
    disturbed,
    draws_of,
    occluded,
    random_light,
    random_views,
    taken_at_other_times,
)

DEFAULT_AUGMENTATION = AugmentationConfig()


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
    sets: FrameSets | FrameSource,
    indices: NDArray[np.int64],
    nominal_camera_from_device: Tensor | None = None,
    rng: np.random.Generator | None = None,
    augmentation: AugmentationConfig = DEFAULT_AUGMENTATION,
) -> Batch:
    """Gather frame sets; augment them where `rng` is given.

    Args:
        sets: where from.
        indices: which.
        nominal_camera_from_device: (V, 4, 4), what a user would know; None: as built.
        rng: source of the augmentation; None for none.
        augmentation: what to vary.

    Raises:
        EgorearError: `augmentation` asks for neighbours in time, and there are none.
    """
    draws = None if rng is None else draws_of(rng)
    picked = _pick(sets, indices, draws, augmentation)
    count, views = picked.images.shape[:2]
    extrinsics = picked.camera_from_device
    mask = np.ones((count, views), np.bool_)
    gain, offset = np.ones((count, views, 3), np.float32), np.zeros((count, views, 3), np.float32)
    if nominal_camera_from_device is not None:
        drawn = np.zeros(count) if draws is None else draws.usual.random(count)
        nominal = drawn < (augmentation.nominal_calibration if draws is not None else 1.0)
        extrinsics[nominal] = nominal_camera_from_device.numpy()
    if draws is not None:
        lost, light = random_views(draws.usual, count, views), random_light(draws.usual, count, views)
        mask = lost if augmentation.view_dropout else mask
        gain, offset = light if augmentation.photometric else (gain, offset)
        if augmentation.calibration_rotation_deg or augmentation.calibration_shift_m:
            extrinsics = disturbed(
                draws.calibration, extrinsics, augmentation.calibration_rotation_deg, augmentation.calibration_shift_m
            )
    return Batch(
        images=_normalised(torch.from_numpy(picked.images), gain, offset),
        joints_m=torch.from_numpy(picked.joints_device_m),
        uv=torch.from_numpy(picked.pixels[:, :, 1:]),
        in_view=torch.from_numpy(picked.in_view[:, :, 1:]),
        visible=torch.from_numpy(picked.visible[:, :, 1:]),
        camera_from_device=torch.from_numpy(extrinsics),
        view_mask=torch.from_numpy(mask),
    )


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Move every tensor."""
    return Batch(**{name: tensor.to(device, non_blocking=True) for name, tensor in vars(batch).items()})


def _pick(
    sets: FrameSets | FrameSource, indices: NDArray[np.int64], draws: Draws | None, augmentation: AugmentationConfig
) -> FrameSets:
    """Load frame sets, with what changes images and their 2D truth."""
    if draws is None:
        return sets.take(indices)
    if augmentation.time_jitter_frames and isinstance(sets, FrameSets):
        raise EgorearError("augmentation: time_jitter_frames needs frame sets that say which sequence they are of")
    if augmentation.time_jitter_frames and not isinstance(sets, FrameSets):
        picked = taken_at_other_times(draws.time, sets, indices, augmentation.time_jitter_frames)
    else:
        picked = sets.take(indices)
    return occluded(draws.occluders, picked, augmentation.occluders) if augmentation.occluders else picked


def _normalised(images: Tensor, gain: NDArray[np.floating], offset: NDArray[np.floating]) -> Tensor:
    """(B, V, S, S, 3) uint8 -> (B, V, 3, S, S), stored channels last; light and ImageNet statistics in one product."""
    std = np.array(IMAGENET_STD)
    scale = torch.from_numpy((gain / 255 / std).astype(np.float32))[:, :, None, None]
    shift = torch.from_numpy(((offset - np.array(IMAGENET_MEAN)) / std).astype(np.float32))[:, :, None, None]
    return torch.addcmul(shift, images.float(), scale).permute(0, 1, 4, 2, 3)
