"""From camera images to network input: resize to the network's size, ImageNet normalisation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

Rgb = npt.NDArray[np.uint8]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


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


def normalize(images: Sequence[Rgb]) -> Tensor:
    """Stack equally sized (H, W, 3) uint8 images to (N, 3, H, W) float32, ImageNet-normalised."""
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    mean, std = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (stacked.to(torch.float32) / 255 - mean) / std
