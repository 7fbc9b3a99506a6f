"""What every fisheye camera model offers, and the checks they share.

Pixel coordinates are those of the calibration: x to the right, y down, (0, 0) at the image's corner. Resizing an image
scales them by the plain ratio of sizes, as EgoRear's official code does. Camera frame: OpenCV's (x right, y down, z
forward).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

from egorear_ros.rig.arrays import ArrayT, namespace_of

MINIMUM_AXIS_DISTANCE = 1e-9
"""Points closer to the optical axis than this (in the caller's unit) count as lying on it, where the direction is
0/0.
"""


@dataclass(frozen=True)
class CameraModel(ABC):
    """A radially symmetric fisheye camera.

    Attributes:
        width, height: size of the calibrated image, pixels.
        center_px: (x, y) of the optical axis in the image, pixels.
        image_circle_radius_px: radius of the lens's image circle around the image's middle, pixels.
        max_angle_rad: half field of view; points further off the axis are never in view, wherever the formula puts
            them.
    """

    width: int
    height: int
    center_px: tuple[float, float]
    image_circle_radius_px: float
    max_angle_rad: float

    @abstractmethod
    def radius_of_theta(self, theta_rad: ArrayT) -> ArrayT:
        """Distance from `center_px` in pixels, elementwise.

        Args:
            theta_rad: angle behind the plane through the lens, atan(-z / sqrt(x^2 + y^2)): -pi/2 on the optical axis,
                0 at 90 degrees off it, pi/2 straight behind. The official formulas use it, and only so does single
                precision reproduce their numbers.
        """

    @abstractmethod
    def unproject(self, pixels: ArrayT) -> ArrayT:
        """Viewing rays of pixels.

        Args:
            pixels: (..., 2) pixel coordinates.

        Returns:
            (..., 3) unit vectors in the camera frame.
        """

    @abstractmethod
    def resized(self, width: int, height: int) -> Self:
        """Return the same camera for its image resized to width x height (same aspect ratio)."""

    def project(self, points_camera: ArrayT) -> ArrayT:
        """Pixels of points, by the model's formula and nothing else: also for points the camera cannot see.

        Args:
            points_camera: (..., 3) in the camera frame, any unit.

        Returns:
            (..., 2) pixel coordinates. Points on the optical axis give `center_px`.
        """
        xp = namespace_of(points_camera)
        points: Any = points_camera
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        distance = xp.sqrt(xp.clip(x * x + y * y, MINIMUM_AXIS_DISTANCE**2, None))
        radius = self.radius_of_theta(xp.arctan(-z / distance))
        return xp.stack([x / distance * radius + self.center_px[0], y / distance * radius + self.center_px[1]], -1)

    def radius_of_angle(self, angle_rad: ArrayT) -> ArrayT:
        """Distance from `center_px` in pixels, for an angle off the optical axis in [0, pi], elementwise."""
        angle: Any = angle_rad
        return self.radius_of_theta(angle - math.pi / 2)

    def in_view(self, points_camera: ArrayT) -> ArrayT:
        """Whether points fall inside the image, the image circle and the field of view.

        Args:
            points_camera: (..., 3) in the camera frame, any unit.

        Returns:
            (...,) boolean.
        """
        xp = namespace_of(points_camera)
        points: Any = points_camera
        off_axis_angle = xp.arctan2(xp.sqrt(points[..., 0] ** 2 + points[..., 1] ** 2), points[..., 2])
        in_field = off_axis_angle <= self.max_angle_rad
        return in_field & self.contains(self.project(points))

    def contains(self, pixels: ArrayT) -> ArrayT:
        """Whether (..., 2) pixels lie strictly inside the image and its circle; (...,) boolean."""
        u, v = pixels[..., 0], pixels[..., 1]  # type: ignore[index]
        in_circle = (u - self.width / 2) ** 2 + (v - self.height / 2) ** 2 < self.image_circle_radius_px**2
        return in_circle & (u > 0) & (u < self.width) & (v > 0) & (v < self.height)

    def _resize_ratio(self, width: int, height: int) -> float:
        ratio = width / self.width
        if width < 1 or abs(height - self.height * ratio) > 0.5:
            raise ValueError(
                f"cannot resize a {self.width}x{self.height} camera to {width}x{height}: "
                "a fisheye image keeps its circle only at the same aspect ratio"
            )
        return ratio
