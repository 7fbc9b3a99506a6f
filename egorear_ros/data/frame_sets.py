"""Labelled frame sets as arrays: what every source of training and evaluation data gives.

`FrameSets` holds some in memory. A `FrameSource` may be much larger than memory: it loads the frame sets asked for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros.errors import EgorearError

Resize = Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]
"""Makes a square image (S, S, 3) so many pixels wide and high."""


class DataError(EgorearError):
    """A data set that is not what its layout promises."""


class MissingFileError(DataError):
    """A file that a data set should have."""


class FrameName(NamedTuple):
    """Where a frame set comes from.

    Attributes:
        sequence: path of its sequence within the data set.
        frame: number of the frame within the sequence.
        action: what the wearer does; empty where the data do not say.
    """

    sequence: str
    frame: int
    action: str = ""


class FrameSource(Protocol):
    """Labelled frame sets, loaded as they are asked for."""

    @property
    def views(self) -> tuple[str, ...]:
        """The views, in the order of the arrays' second axis."""

    def __len__(self) -> int: ...

    def take(self, indices: NDArray[np.int64]) -> FrameSets:
        """Load the frame sets of these numbers, in this order."""

    def name(self, index: int) -> FrameName:
        """Where one frame set comes from."""


def averaged(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Resize a square image (S, S, 3) by averaging the area that each new pixel covers."""
    return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True)
class FrameSets:
    """Frame sets in memory.

    Attributes:
        images: (N, V, S, S, 3) uint8 RGB.
        joints_device_m: (N, 16, 3) float32, device frame.
        pixels: (N, V, 16, 2) float32, (u, v) as fractions of the image; may lie outside 0..1.
        in_view: (N, V, 16) bool.
        visible: (N, V, 16) bool, in view and not hidden.
        camera_from_device: (N, V, 4, 4) float32 metres, as built: with the rig's tolerances.
    """

    images: NDArray[np.uint8]
    joints_device_m: NDArray[np.float32]
    pixels: NDArray[np.float32]
    in_view: NDArray[np.bool_]
    visible: NDArray[np.bool_]
    camera_from_device: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: NDArray[np.int64]) -> FrameSets:
        """The frame sets of these numbers, in this order."""
        return FrameSets(**{name: array[indices] for name, array in self.arrays().items()})

    def resized(self, size: int, resize: Resize = averaged) -> FrameSets:
        """The same with smaller images.

        Args:
            size: their width and height.
            resize: how; by default each pixel is the mean of the square it covers.

        Raises:
            EgorearError: the images' size is no multiple of `size`.
        """
        own = self.images.shape[2]
        if own == size:
            return self
        if own % size:
            raise EgorearError(f"images of {own} px cannot be made {size} px; render them at a multiple of it")
        small = np.empty((*self.images.shape[:2], size, size, 3), np.uint8)
        for index in np.ndindex(self.images.shape[:2]):
            small[index] = resize(self.images[index], size)
        return dataclasses.replace(self, images=small)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every field by name, without a copy."""
        return dict(vars(self))
