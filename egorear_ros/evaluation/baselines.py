"""Trivial ways to answer: the floor under every figure of a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.frame_sets import FrameSets
from egorear_ros.evaluation.prediction import Frames, batches
from egorear_ros.evaluation.view_sets import ViewMask

MEAN_POSE: Final = "mean pose"
NEAREST: Final = "nearest picture"

THUMBNAIL_PX: Final = 12
READ: Final = 32
"""Frame sets in memory at once: of four views at 872 px nearly 300 MB."""


@dataclass(frozen=True)
class TrainingPoses:
    """What a network could have learned by heart: the training data's poses and how their frame sets look.

    Attributes:
        joints_m: (N, 16, 3) float32.
        thumbnails: (N, V, D) float32, from `thumbnails_of`.
    """

    joints_m: NDArray[np.float32]
    thumbnails: NDArray[np.float32]

    def mean_pose_m(self) -> NDArray[np.float32]:
        """(16, 3), the answer that needs no picture."""
        return self.joints_m.mean(axis=0)

    def nearest_pose_m(self, sets: FrameSets, view_mask: ViewMask) -> NDArray[np.float32]:
        """(n, 16, 3): for each frame set the pose of the training frame set that looks most like it.

        Alike means the largest sum, over the views in `view_mask`, of the correlation of the thumbnails.
        """
        asked = thumbnails_of(sets.images) * np.array(view_mask)[:, None]
        alike = asked.reshape(len(asked), -1) @ self.thumbnails.reshape(len(self.thumbnails), -1).T
        return self.joints_m[alike.argmax(axis=1)]


def learn_by_heart(sources: Sequence[Frames], progress: Callable[[int], None] = lambda sets: None) -> TrainingPoses:
    """Read training data once.

    Args:
        sources: the training data, with the views that will be asked about.
        progress: called with the number of frame sets read since the last call.
    """
    joints, thumbnails = [], []
    for source in sources:
        for sets in batches(source, READ):
            joints.append(sets.joints_device_m)
            thumbnails.append(thumbnails_of(sets.images))
            progress(len(sets))
    return TrainingPoses(np.concatenate(joints), np.concatenate(thumbnails))


def thumbnails_of(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Shrink every view to 12 x 12 grey levels with mean 0 and length 1, so that brightness does not matter.

    Args:
        images: (N, V, S, S, 3) uint8.

    Returns:
        (N, V, 144) float32.
    """
    flat = images.reshape(-1, *images.shape[2:])
    small = np.stack([_thumbnail(image) for image in flat])
    small -= small.mean(axis=1, keepdims=True)
    small /= np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-6)
    return small.reshape(*images.shape[:2], -1)


def _thumbnail(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    shrunk: Any = cv2.resize(image, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.float32).mean(axis=-1).ravel()
