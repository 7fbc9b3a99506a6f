"""What a calibration file says of a camera, and how numbers in it are checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.equidistant import EquidistantModel
from egorear_ros.rig.fields import number, numbers
from egorear_ros.rig.omni import OmniModel
from egorear_ros.rig.rigid import Matrix, check_rigid
from egorear_ros.rig.sphere_models import DoubleSphereModel, ExtendedUnifiedModel
from egorear_ros.rig.view_range import half_diagonal

ANY_ANGLE: Final = 1e-3
"""Field of view until the real one is derived."""


@dataclass(frozen=True)
class FoundCamera:
    """One camera of a file.

    Attributes:
        label: what the file calls it, for messages.
        name: a name that the file gives on purpose, or "".
        lens: its image circle and field of view count only where `has_range` is set.
        camera_from_reference: (4, 4) metres from a frame all cameras of the file share; None if the file has no poses.
        has_range: the file states the image circle.
    """

    label: str
    name: str
    lens: CameraModel
    camera_from_reference: Matrix | None = None
    has_range: bool = False


@dataclass(frozen=True)
class Image:
    """Image size and the linear part of a camera."""

    width: int
    height: int
    focal_px: tuple[float, float]
    center_px: tuple[float, float]
    skew_px: float = 0.0

    @property
    def _common(self) -> tuple[Any, ...]:
        return self.width, self.height, self.center_px, half_diagonal(self.width, self.height), ANY_ANGLE

    def equidistant(self, distortion: Sequence[float]) -> EquidistantModel:
        """Kannala-Brandt with (k1, k2, k3, k4)."""
        if len(distortion) != 4:
            raise ValueError(f"the equidistant model has 4 distortion coefficients, got {len(distortion)}")
        k1, k2, k3, k4 = distortion
        return EquidistantModel(
            *self._common, focal_px=self.focal_px, skew_px=self.skew_px, distortion=(k1, k2, k3, k4)
        )

    def omni(self, xi: float, distortion: Sequence[float]) -> OmniModel:
        """Mei with OpenCV's distortion coefficients; xi = 0 is the pinhole camera."""
        values = tuple(distortion) or (0.0,) * 4
        while len(values) > 8 and values[-1] == 0:  # thin prism and tilt that are not used
            values = values[:-1]
        if len(distortion) > 8:
            values += (0.0,) * (8 - len(values))
        return OmniModel(*self._common, focal_px=self.focal_px, skew_px=self.skew_px, xi=xi, distortion=values)

    def double_sphere(self, xi: float, alpha: float) -> DoubleSphereModel:
        """Double sphere."""
        return DoubleSphereModel(*self._common, focal_px=self.focal_px, skew_px=self.skew_px, xi=xi, alpha=alpha)

    def extended_unified(self, alpha: float, beta: float) -> ExtendedUnifiedModel:
        """Extended unified."""
        return ExtendedUnifiedModel(*self._common, focal_px=self.focal_px, skew_px=self.skew_px, alpha=alpha, beta=beta)


def image_of_matrix(width: int, height: int, matrix: Sequence[float]) -> Image:
    """Return size and linear part from a row-major 3 x 3 camera matrix."""
    if len(matrix) != 9:
        raise ValueError(f"the camera matrix must have 9 numbers, got {len(matrix)}")
    fx, skew, cx, yx, fy, cy, *last = matrix
    if abs(yx) > 1e-9 or np.abs(np.subtract(last, [0, 0, 1])).max() > 1e-9:
        raise ValueError(f"the camera matrix must be fx skew cx / 0 fy cy / 0 0 1, got {list(matrix)}")
    return Image(width, height, (fx, fy), (cx, cy), skew)


def whole(fields: Mapping[str, Any], key: str) -> int:
    """Return a positive whole number."""
    value = number(fields, key)
    if value < 1 or value != int(value):
        raise ValueError(f"'{key}' must be a positive whole number, got {value}")
    return int(value)


def size_of(fields: Mapping[str, Any], key: str) -> tuple[int, int]:
    """Return (width, height) of a list of two."""
    width, height = numbers(fields, key, 2)
    return whole({key: width}, key), whole({key: height}, key)


def pose_of(matrix: Any, what: str) -> Matrix:
    """Return a rigid (4, 4) matrix; its rotation is made exact where it was printed with few digits."""
    try:
        array: NDArray[np.float64] = np.asarray(matrix, dtype=np.float64)
        check_rigid(array)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{what}: {error}") from error
    left, _, right = np.linalg.svd(array[:3, :3])
    array = array.copy()
    array[:3, :3] = left @ right
    return array
