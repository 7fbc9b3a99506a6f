"""From camera images to network input: resize to the network's size, ImageNet normalisation.

Two ways to resize. "official" is that of the official code, Pillow's antialiased bicubic, to the bit: what its weights
were trained on. "fast" averages areas with OpenCV, as egorear-s was trained; what it costs the other networks and
saves is in docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from egorear_ros.data.parallel import for_each_view
from egorear_ros.errors import EgorearError
from egorear_ros.network import EgoRearSConfig, NetworkConfig

Rgb = npt.NDArray[np.uint8]
Mode = Literal["official", "fast"]

MODES: Final[tuple[Mode, ...]] = get_args(Mode)
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

WHOLE_STEPS: Final = (4, 2)
LEAST_SECOND_STEP: Final = 3
"""Averaging whole squares of pixels takes a third of the time of averaging broken ones. After it, a cell of the result
must still be this many pixels wide, or the squares that straddle its edge would blur it."""


class PreprocessingError(EgorearError):
    """There is no such preprocessing."""


class Preprocessor:
    """Turns the images of a frame set into the network's input, in a buffer of its own.

    Args:
        views: views of the network, in order.
        size: height and width of its images.
        mode: how to resize.
        device: where the input shall be.
    """

    def __init__(self, views: Sequence[str], size: int, mode: Mode, device: torch.device | None = None) -> None:
        self.views, self.size, self.mode = tuple(views), size, mode
        self._device = device or torch.device("cpu")
        self._resize = resize_official if mode == "official" else resize_fast
        self._buffer = np.empty((len(self.views), 3, size, size), np.float32)

    def __call__(self, images: Mapping[str, Rgb]) -> Tensor:
        """Resize and normalise.

        Args:
            images: view -> (H, W, 3) uint8 RGB of any size; other views' images are ignored, missing views are black.

        Returns:
            (1, V, 3, S, S) float32, ImageNet-normalised, contiguous. On the CPU the next call overwrites it.
        """
        for_each_view(lambda view: self._fill(view, images.get(view)), self.views)
        return torch.from_numpy(self._buffer)[None].to(self._device)

    def _fill(self, view: str, image: Rgb | None) -> None:
        planes = self._buffer[self.views.index(view)]
        if image is None:
            planes[:] = NORMALIZED[:, :1, None]
            return
        for channel, plane in enumerate(cv2.split(self._resize(image, self.size))):
            cv2.LUT(plane, NORMALIZED[channel], dst=planes[channel])


def mode_for(config: NetworkConfig, preprocessing: str = "auto") -> Mode:
    """How a network's images are resized: as asked for, or with "auto" as those it was trained on.

    Raises:
        PreprocessingError: no such way.
    """
    if preprocessing == "auto":
        return "fast" if isinstance(config, EgoRearSConfig) else "official"
    for mode in MODES:
        if preprocessing == mode:
            return mode
    raise PreprocessingError(f"preprocessing is '{preprocessing}', expected auto, {' or '.join(MODES)}")


def resize_official(image: Rgb, size: int) -> Rgb:
    """Resize as the official code does: Pillow's antialiased bicubic, to the bit.

    Args:
        image: (H, W, 3) uint8 RGB.
        size: height and width of the result.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    if image.shape[:2] == (size, size):
        return image
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC), np.uint8)


def resize_fast(image: Rgb, size: int) -> Rgb:
    """Resize by averaging: first whole squares of pixels, where the image has plenty, then the areas that are left.

    Args:
        image: (H, W, 3) uint8 RGB.
        size: height and width of the result.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    height, width = image.shape[:2]
    if (height, width) == (size, size):
        return image
    for step in WHOLE_STEPS:
        if height % step == width % step == 0 and min(height, width) >= LEAST_SECOND_STEP * step * size:
            image = _averaged(image, width // step, height // step)
            break
    return _averaged(image, size, size)


def _averaged(image: Rgb, width: int, height: int) -> Rgb:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _normalized_levels() -> npt.NDArray[np.float32]:
    """(3, 256) normalised value of every level of every channel, computed as the official code does each pixel."""
    levels = torch.arange(256, dtype=torch.float32)[None] / 255
    mean, std = (torch.tensor(values)[:, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return ((levels - mean) / std).numpy()


NORMALIZED: Final = _normalized_levels()
