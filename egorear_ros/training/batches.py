"""From frame sets in memory to batches: order, augmentation, normalisation.

Everything random in step k follows from (seed, k), so that a resumed run goes on exactly as it would have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from egorear_ros.data.frame_sets import FrameSets, FrameSource
from egorear_ros.errors import EgorearError
from egorear_ros.inference.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from egorear_ros.training.appearance import vary_appearance
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
from egorear_ros.training.config import TrainingConfig
from egorear_ros.training.distributed import Processes

Targets = Callable[[FrameSets], dict[str, Tensor]]
"""What a task wants to be known about frame sets beyond `Batch`; each tensor has a row per frame set."""

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
        targets: more of the truth, (B, ...) each, as the task wants it.
    """

    images: Tensor
    joints_m: Tensor
    uv: Tensor
    in_view: Tensor
    visible: Tensor
    camera_from_device: Tensor
    view_mask: Tensor
    targets: dict[str, Tensor] = field(default_factory=dict)

    def each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """The same with every tensor changed."""
        values = {name: value for name, value in vars(self).items() if name != "targets"}
        targets = {name: change(tensor) for name, tensor in self.targets.items()}
        return Batch(**{name: change(tensor) for name, tensor in values.items()}, targets=targets)

    def parts(self, count: int) -> list[Batch]:
        """The batch in `count` pieces of one size."""
        size = len(self.images) // count
        return [self] if count == 1 else [self.each(_rows(start, size)) for start in range(0, size * count, size)]

    def pin_memory(self) -> Batch:
        """The same in memory that a GPU copies from without waiting."""
        return self.each(lambda tensor: tensor.pin_memory())


def _rows(start: int, count: int) -> Callable[[Tensor], Tensor]:
    return lambda tensor: tensor[start : start + count]


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
    targets: Targets | None = None,
) -> Batch:
    """Gather frame sets; augment them where `rng` is given.

    Args:
        sets: where from.
        indices: which.
        nominal_camera_from_device: (V, 4, 4), what a user would know; None: as built.
        rng: source of the augmentation; None for none.
        augmentation: what to vary.
        targets: what fills `Batch.targets`; None: nothing.

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
    images = picked.images
    if draws is not None and augmentation.appearance:
        flat = images.reshape(-1, *images.shape[2:])
        images = vary_appearance(draws.appearance, flat, augmentation.appearance).reshape(images.shape)
    return Batch(
        images=_normalised(torch.from_numpy(images), gain, offset),
        joints_m=torch.from_numpy(picked.joints_device_m),
        uv=torch.from_numpy(picked.pixels[:, :, 1:]),
        in_view=torch.from_numpy(picked.in_view[:, :, 1:]),
        visible=torch.from_numpy(picked.visible[:, :, 1:]),
        camera_from_device=torch.from_numpy(extrinsics),
        view_mask=torch.from_numpy(mask),
        targets={} if targets is None else targets(picked),
    )


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Move every tensor."""
    return batch.each(lambda tensor: tensor.to(device, non_blocking=True))


@dataclass(frozen=True)
class StepBatches(Dataset[Batch]):
    """The batch of every step, or this process's share of it.

    Attributes:
        source: frame sets to learn from.
        config: batch size, augmentation, seed.
        nominal: (V, 4, 4) extrinsics of the rig as drawn, for the augmentation; None: the network knows none.
        targets: see `make_batch`.
        ranks: which share.
    """

    source: FrameSource
    config: TrainingConfig
    nominal: Tensor | None
    targets: Targets | None = None
    ranks: Processes = field(default_factory=Processes)

    def __getitem__(self, step: int) -> Batch:
        """Make the batch of a step."""
        config, ranks = self.config, self.ranks
        indices = indices_of_step(step, config.batch, len(self.source), config.seed)[ranks.rank :: ranks.count]
        own = [ranks.rank] if ranks.count > 1 else []
        rng = np.random.default_rng([config.seed, step, 12, *own])
        return make_batch(self.source, indices, self.nominal, rng, config.augmentation, self.targets)

    def load(self, steps: range) -> Iterable[Batch]:
        """Batches of these steps, made ahead by `config.workers` processes."""
        workers: dict[str, Any] = {"num_workers": self.config.workers}
        return DataLoader(self, None, sampler=steps, pin_memory=torch.cuda.is_available(), **workers)


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
