"""Heatmap targets: EgoRear's joint maps, EgoTAP's joint and limb maps.

Occlusion is ignored: an occluded joint has a target like any other. Source: the systems' official preprocessing.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Array = NDArray[Any]

MAP_SIZE: Final = 64
_BORDER: Final = 4  # pixels around EgoTAP's maps, so that a joint just outside leaves a trace
_PEAK: Final = 0.15915589174187972  # of scipy's sigma 1 filter on a single pixel


def joint_heatmaps(pixels: Array, image_size: int = 872) -> Array:
    """EgoRear's joint maps: a 7 x 7 Gaussian of sigma 1 and peak 1 on the nearest pixel, cut off at the border.

    Args:
        pixels: (..., J, 2) as (u, v) in the calibrated image, whether visible or not.
        image_size: width and height of that image.

    Returns:
        (..., J, 64, 64) float32; zero for a joint whose patch lies outside.
    """
    points = np.asarray(pixels, dtype=np.float64)
    # astype truncates toward zero, as the official code does: slightly negative positions land on pixel 0.
    center = (points / (image_size / MAP_SIZE) + 0.5).astype(np.int64)
    offset = np.arange(MAP_SIZE) - center[..., None]  # (..., J, 2, 64)
    profile = np.where(np.abs(offset) <= 3, np.exp(-(offset**2) / 2.0), 0.0)
    outside: Array = np.any((center - 3 >= MAP_SIZE) | (center + 4 < 0), axis=-1)
    maps = profile[..., 1, :, None] * profile[..., 0, None, :]
    return np.where(outside[..., None, None], 0.0, maps).astype(np.float32)


def egotap_joint_heatmaps(pixels: Array, image_size: int = 1024) -> Array:
    """EgoTAP's joint maps: one pixel, blurred with sigma 1, peak 1.

    Args:
        pixels: (J, 2) as (u, v) in the calibrated image.
        image_size: width and height of that image.

    Returns:
        (J, 64, 64) float32.
    """
    maps = np.zeros((len(pixels), MAP_SIZE, MAP_SIZE), dtype=np.float32)
    for joint, (u, v) in enumerate(np.asarray(pixels, dtype=np.float64)):
        x, y = int(u / image_size * MAP_SIZE), int(v / image_size * MAP_SIZE)
        # The official code's limits differ for the two axes: y reaches the far border, x does not.
        if -_BORDER <= x < MAP_SIZE and -_BORDER <= y < MAP_SIZE + _BORDER:
            canvas = np.zeros((MAP_SIZE + 2 * _BORDER,) * 2)
            canvas[y + _BORDER, x + _BORDER] = 1.0
            inner = slice(_BORDER, -_BORDER)
            maps[joint] = gaussian_filter(canvas, 1.0)[inner, inner] / _PEAK
    return maps
