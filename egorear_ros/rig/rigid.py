"""Rigid transforms as 4x4 matrices; `a_from_b` maps coordinates in frame b to coordinates in frame a."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

Matrix = npt.NDArray[np.float64]

ROTATION_TOLERANCE = 1e-4
"""Largest deviation of R^T R from the identity that printing a rotation with few digits explains."""

LARGEST_M = 1e6
"""A longer translation is a mistake; its square would leave the range of single precision."""


def rigid(rotation: Sequence[Sequence[float]] | Matrix, translation_m: Sequence[float] | Matrix) -> Matrix:
    """Return the 4x4 transform with this (3, 3) rotation and (3,) translation in metres.

    Raises:
        ValueError: wrong shapes, non-finite numbers, or a matrix that is not a rotation.
    """
    matrix = np.eye(4)
    try:
        rotation_array, translation_array = np.asarray(rotation, float), np.asarray(translation_m, float)
    except OverflowError as error:  # a whole number of hundreds of digits
        raise ValueError("a rotation or translation has a number that is too large") from error
    if rotation_array.shape != (3, 3) or translation_array.shape != (3,):
        raise ValueError(
            "expected a 3x3 rotation and a translation of 3 metres, "
            f"got shapes {rotation_array.shape} and {translation_array.shape}"
        )
    matrix[:3, :3], matrix[:3, 3] = rotation_array, translation_array
    check_rigid(matrix)
    return matrix


def check_rigid(matrix: Matrix) -> None:
    """Raise ValueError, naming what is wrong, unless `matrix` is a finite 4x4 rigid transform."""
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise ValueError(f"expected a 4x4 matrix of finite numbers, got shape {matrix.shape}")
    if np.abs(matrix).max() > LARGEST_M:
        raise ValueError(f"{np.abs(matrix).max():.3g} is no length in metres and no part of a rotation")
    if not np.allclose(matrix[3], [0, 0, 0, 1], atol=1e-9):
        raise ValueError(f"last row must be 0 0 0 1, got {matrix[3].tolist()}")
    rotation = matrix[:3, :3]
    error = np.abs(rotation.T @ rotation - np.eye(3)).max()
    if error > ROTATION_TOLERANCE:
        raise ValueError(f"not a rotation matrix: R^T R differs from the identity by {error:.2g}")
    if np.linalg.det(rotation) < 0:
        raise ValueError("not a rotation matrix: determinant is -1 (a mirror image); check the axes' signs")


def inverse(a_from_b: Matrix) -> Matrix:
    """Return b_from_a."""
    rotation = a_from_b[:3, :3].T
    result = np.eye(4)
    result[:3, :3], result[:3, 3] = rotation, -rotation @ a_from_b[:3, 3]
    return result


def transform_points(a_from_b: Matrix, points_b: npt.NDArray[np.floating]) -> Matrix:
    """Map (..., 3) points from frame b to frame a."""
    return points_b @ a_from_b[:3, :3].T + a_from_b[:3, 3]


def quaternion_xyzw(a_from_b: Matrix) -> tuple[float, float, float, float]:
    """Orientation of frame b in frame a as a unit quaternion in ROS's order (x, y, z, w)."""
    x, y, z, w = Rotation.from_matrix(a_from_b[:3, :3]).as_quat()
    return float(x), float(y), float(z), float(w)
