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
    """A fisheye camera: a lens that is symmetric about its axis, then a linear map to pixels.

    A point at the angle theta and the direction (cos, sin) about the axis lands in the lens plane at
    `radius_of_theta(theta) * (cos, sin)`, and from there at `center_px + pixel_from_plane @ (x, y)`. One model
    (`OmniModel`) has a part that is not symmetric.

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

    @property
    @abstractmethod
    def pixel_from_plane(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Rows of the 2 x 2 matrix from the lens plane to pixels, relative to `center_px`."""

    @property
    @abstractmethod
    def usable_angle_rad(self) -> float:
        """Angle off the axis up to which pixel and ray determine each other; `max_angle_rad` must not exceed it."""

    @property
    def is_symmetric(self) -> bool:
        """Whether the lens is symmetric about its axis; the linear map after it may still stretch and skew."""
        return True

    @abstractmethod
    def radius_of_theta(self, theta_rad: ArrayT) -> ArrayT:
        """Distance from the axis in the lens plane, elementwise, in the unit that `pixel_from_plane` expects.

        Args:
            theta_rad: angle behind the plane through the lens, atan(-z / sqrt(x^2 + y^2)): -pi/2 on the optical axis,
                0 at 90 degrees off it, pi/2 straight behind. The official formulas use it, and only so does single
                precision reproduce their numbers.
        """

    @abstractmethod
    def rays_of_plane(self, across: ArrayT, down: ArrayT) -> ArrayT:
        """(..., 3) unit viewing rays of lens plane coordinates, each (...,)."""

    @abstractmethod
    def resized(self, width: int, height: int) -> Self:
        """Return the same camera for its image resized to width x height (same aspect ratio)."""

    def project(self, points_camera: ArrayT) -> ArrayT:
        """Pixels of points, by the model's formula: also for points the camera cannot see.

        Args:
            points_camera: (..., 3) in the camera frame, any unit.

        Returns:
            (..., 2) pixel coordinates. Points on the optical axis give `center_px`.
        """
        xp = namespace_of(points_camera)
        points: Any = points_camera
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        distance = xp.sqrt(xp.clip(x * x + y * y, MINIMUM_AXIS_DISTANCE**2, None))
        across, down = self.plane_of_direction(x / distance, y / distance, xp.arctan(-z / distance))
        ((xx, xy), (yx, yy)) = self.pixel_from_plane
        return xp.stack(
            [_combined(xx, across, xy, down) + self.center_px[0], _combined(yy, down, yx, across) + self.center_px[1]],
            -1,
        )

    def plane_of_direction(self, right: Any, down: Any, theta_rad: Any) -> tuple[Any, Any]:
        """Lens plane coordinates of the direction (right, down) about the axis, a unit vector, at angle theta."""
        radius = self.radius_of_theta(theta_rad)
        return right * radius, down * radius

    def unproject(self, pixels: ArrayT) -> ArrayT:
        """Viewing rays of pixels.

        Args:
            pixels: (..., 2) pixel coordinates.

        Returns:
            (..., 3) unit vectors in the camera frame.
        """
        points: Any = pixels
        ((xx, xy), (yx, yy)) = self.pixel_from_plane
        scale = 1 / (xx * yy - xy * yx)
        dx, dy = points[..., 0] - self.center_px[0], points[..., 1] - self.center_px[1]
        return self.rays_of_plane(
            _combined(yy * scale, dx, -xy * scale, dy), _combined(xx * scale, dy, -yx * scale, dx)
        )

    def radius_of_angle(self, angle_rad: ArrayT) -> ArrayT:
        """Mean distance from `center_px` in pixels, for an angle off the optical axis in [0, pi], elementwise."""
        angle: Any = angle_rad
        ((xx, xy), (yx, yy)) = self.pixel_from_plane
        radius: Any = self.radius_of_theta(angle - math.pi / 2)
        return radius * math.sqrt(abs(xx * yy - xy * yx))

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


def _combined(main: float, first: Any, other: float, second: Any) -> Any:
    """Main * first + other * second; factors of 1 and 0 cost nothing in a compiled network."""
    value = first if main == 1 else first * main
    return value if other == 0 else value + second * other
