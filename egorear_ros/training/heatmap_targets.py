"""Heatmap targets: EgoRear's joint maps, EgoTAP's joint and limb maps.

Occlusion is ignored: an occluded joint has a target like any other. Source: the systems' official preprocessing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Array = NDArray[Any]

MAP_SIZE: Final = 64
_BORDER: Final = 4  # pixels around EgoTAP's maps, so that a joint just outside leaves a trace
_PEAK: Final = 0.15915589174187972  # of scipy's sigma 1 filter on a single pixel


def joint_heatmaps(pixels: Array, image_size: float = 872, map_size: int = MAP_SIZE) -> Array:
    """EgoRear's joint maps: a 7 x 7 Gaussian of sigma 1 and peak 1 on the nearest pixel, cut off at the border.

    Args:
        pixels: (..., J, 2) as (u, v) in the calibrated image, whether visible or not.
        image_size: width and height of that image.
        map_size: width and height of the maps.

    Returns:
        (..., J, map_size, map_size) float32; zero for a joint whose patch lies outside.
    """
    points = np.asarray(pixels, dtype=np.float64)
    # astype truncates toward zero, as the official code does: slightly negative positions land on pixel 0.
    center = (points / (image_size / map_size) + 0.5).astype(np.int64)
    offset = np.arange(map_size) - center[..., None]  # (..., J, 2, map_size)
    profile = np.where(np.abs(offset) <= 3, np.exp(-(offset**2) / 2.0), 0.0)
    outside: Array = np.any((center - 3 >= map_size) | (center + 4 < 0), axis=-1)
    maps = profile[..., 1, :, None] * profile[..., 0, None, :]
    return np.where(outside[..., None, None], 0.0, maps).astype(np.float32)


def egotap_joint_heatmaps(pixels: Array, image_size: float = 1024, map_size: int = MAP_SIZE) -> Array:
    """EgoTAP's joint maps: one pixel, blurred with sigma 1, peak 1.

    Args:
        pixels: (J, 2) as (u, v) in the calibrated image.
        image_size: width and height of that image.
        map_size: width and height of the maps.

    Returns:
        (J, map_size, map_size) float32.
    """
    maps = np.zeros((len(pixels), map_size, map_size), dtype=np.float32)
    for joint, (u, v) in enumerate(np.asarray(pixels, dtype=np.float64)):
        x, y = int(u / image_size * map_size), int(v / image_size * map_size)
        # The official code's limits differ for the two axes: y reaches the far border, x does not.
        if -_BORDER <= x < map_size and -_BORDER <= y < map_size + _BORDER:
            canvas = np.zeros((map_size + 2 * _BORDER,) * 2)
            canvas[y + _BORDER, x + _BORDER] = 1.0
            inner = slice(_BORDER, -_BORDER)
            maps[joint] = gaussian_filter(canvas, 1.0)[inner, inner] / _PEAK
    return maps


def egotap_limb_heatmaps(
    pixels: Array, parents: Sequence[int], image_size: float = 1024, map_size: int = MAP_SIZE
) -> tuple[Array, Array]:
    """EgoTAP's limb maps: an anti-aliased line from each joint to its parent, blurred with sigma 1, times 2.

    The network's targets are these maps times cos and times sin of `limb_angles`.

    Args:
        pixels: (J, 2) as (u, v) in the calibrated image.
        parents: parent of each joint; the first joint is the root and has no limb.
        image_size: width and height of that image.
        map_size: width and height of the maps.

    Returns:
        (J - 1, map_size, map_size) float32, and the limbs' lengths in heatmap pixels plus 1, (J - 1,).
    """
    points = np.asarray(pixels, dtype=np.float64) / image_size * map_size
    maps = np.zeros((len(points) - 1, map_size, map_size), dtype=np.float32)
    for limb in range(len(points) - 1):
        start, end = np.round(points[limb + 1]).astype(int), np.round(points[parents[limb + 1]]).astype(int)
        canvas = np.zeros((map_size, map_size))
        for x, y, value in antialiased_line(*start.tolist(), *end.tolist()):
            if 0 <= x < map_size and 0 <= y < map_size:
                canvas[y, x] = value
        maps[limb] = 2.0 * gaussian_filter(canvas, 1.0, mode="constant")
    ends = points[list(parents[1:])]
    return maps, np.linalg.norm(points[1:] - ends, axis=-1) + 1.0


def limb_angles(points_camera: Array, parents: Sequence[int]) -> Array:
    """Angle of each limb, from joint to parent, out of the image plane: (J, 3) in the left camera -> (J - 1,) rad."""
    points = np.asarray(points_camera, dtype=np.float64)
    limb = points[list(parents[1:])] - points[1:]
    return np.arctan2(limb[:, 2], np.hypot(limb[:, 0], limb[:, 1]))


def antialiased_line(x: int, y: int, end_x: int, end_y: int) -> Iterator[tuple[int, int, float]]:
    """Pixels of a line with their coverage in 0..1: Bresenham's line with the error term as distance (Zingl, 2012)."""
    step_x, step_y = (1 if x < end_x else -1), (1 if y < end_y else -1)
    dx, dy = abs(end_x - x), abs(end_y - y)
    length = math.hypot(dx, dy) or 1.0
    error = dx - dy
    while True:
        yield x, y, 1.0 - abs(error - dx + dy) / length
        before, column = error, x
        if 2 * before >= -dx:
            if x == end_x:
                return
            if before + dy < length:
                yield x, y + step_y, 1.0 - (before + dy) / length
            error -= dy
            x += step_x
        if 2 * before <= dy:
            if y == end_y:
                return
            if dx - before < length:
                yield column + step_x, y, 1.0 - (dx - before) / length
            error += dx
            y += step_y
