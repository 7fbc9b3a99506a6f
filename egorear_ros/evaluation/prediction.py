"""A network's answers to many frame sets, in batches, with the preprocessing of `PoseEstimator`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from egorear_ros.data.frame_sets import FrameSets
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.loading import PoseNetwork
from egorear_ros.evaluation.view_sets import ViewMask
from egorear_ros.inference.preprocessing import Preprocessor, mode_for
from egorear_ros.network import NetworkOutput
from egorear_ros.skeleton import NUM_JOINTS

BATCH = 32


class Frames(Protocol):
    """What can be read in pieces: frame sets in memory, or a `FrameSource`."""

    def __len__(self) -> int: ...

    def take(self, indices: NDArray[np.int64]) -> FrameSets:
        """Load the frame sets of these numbers, in this order."""


class Predictions(NamedTuple):
    """(N, 16, 3) float32 poses and standard deviations, metres; NaN where the network predicts no deviation."""

    joints_m: NDArray[np.float32]
    std_m: NDArray[np.float32]


def batches(frames: Frames, size: int = BATCH) -> Iterator[FrameSets]:
    """Read every frame set, `size` at a time."""
    for start in range(0, len(frames), size):
        yield frames.take(np.arange(start, min(start + size, len(frames))))


def predict(network: nn.Module, frames: Frames, view_mask: ViewMask, bf16: bool = False) -> Predictions:
    """Run a network over frame sets, with the rig's nominal extrinsics as a user would; its mode is left as it was.

    Args:
        network: gives poses; its views are those of the frame sets.
        frames: frame sets, not none.
        view_mask: the views to use.
        bf16: compute in bfloat16.
    """
    was_training = network.training
    network.eval()
    parts = [predict_batch(network, prepare(network, sets), view_mask, bf16=bf16) for sets in batches(frames)]
    network.train(was_training)
    return Predictions(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def prepare(network: nn.Module, sets: FrameSets) -> Tensor:
    """(N, V, 3, S, S) network input on the network's device, resized and normalised as `PoseEstimator` does."""
    config = cast(PoseNetwork, network.config)
    numbers = [str(number) for number in range(sets.images.shape[1])]
    preprocess = Preprocessor(numbers, config.image_size, mode_for(config))
    prepared = [preprocess(dict(zip(numbers, images, strict=True))).clone() for images in sets.images]
    return torch.cat(prepared).to(_device(network))


@torch.inference_mode()
def predict_batch(
    network: nn.Module,
    images: Tensor,
    view_mask: ViewMask,
    camera_from_device: NDArray[np.float32] | None = None,
    bf16: bool = False,
) -> Predictions:
    """Answer one batch.

    Args:
        network: in eval mode.
        images: from `prepare`.
        view_mask: the views to use.
        camera_from_device: (N, V, 4, 4) metres; None for the rig's own.
        bf16: compute in bfloat16.

    Raises:
        EgorearError: the network gives no poses.
    """
    device = images.device
    mask = None if all(view_mask) else torch.tensor(view_mask, device=device).expand(len(images), -1)
    extrinsics = None if camera_from_device is None else torch.from_numpy(camera_from_device).to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        output = cast(NetworkOutput, network(images, extrinsics, mask))
    if output.poses is None:
        raise EgorearError(f"a network of {type(network).__name__} without lifting gives no poses to compare")
    std = np.full((len(images), NUM_JOINTS, 3), np.nan, np.float32)
    if output.log_std is not None:
        std = output.log_std.float().exp().cpu().numpy()
    return Predictions(output.poses[-1].float().cpu().numpy(), std)


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device
