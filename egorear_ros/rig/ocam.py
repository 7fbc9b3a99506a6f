"""Scaramuzza's omnidirectional camera model (OCam), the one of the Ego4View and UnrealEgo calibrations.

Two polynomials, fitted to each other by the calibration toolbox, describe the lens: one for pixel to ray, one for ray
to pixel. The affine part of the original model is left out, as in EgoRear's official code: it is within 2e-4 of the
identity for all four Ego4View cameras.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from egorear_ros.rig.arrays import ArrayT, namespace_of, polynomial
from egorear_ros.rig.camera import CameraModel


@dataclass(frozen=True)
class OCamModel(CameraModel):
    """OCam camera.

    Attributes:
        ray_polynomial: f(r) in pixels for a pixel r pixels from the centre; the ray of offset (dx, dy) is (dx, dy,
            -f(r)). Called polynomialC2W in the official files; the first coefficient is negative.
        radius_polynomial: rho(theta) in pixels, where theta = atan(-z / sqrt(x^2 + y^2)) runs from -pi/2 on the axis
            through 0 at 90 degrees off the axis to pi/2 behind. Called polynomialW2C in the official files.
    """

    ray_polynomial: tuple[float, ...]
    radius_polynomial: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check what a typing error in a calibration would break.

        Raises:
            ValueError: the image size is not positive, or a polynomial does not describe a lens.
        """
        if self.width < 1 or self.height < 1 or self.image_circle_radius_px <= 0:
            raise ValueError(
                f"image size {self.width}x{self.height} and image circle radius {self.image_circle_radius_px} "
                "must be positive"
            )
        if not self.ray_polynomial or self.ray_polynomial[0] >= 0:
            raise ValueError(f"ray polynomial must begin with a negative coefficient, got {self.ray_polynomial[:1]}")
        self._check_monotonic()
        self._check_consistent()

    def radius_of_theta(self, theta_rad: ArrayT) -> ArrayT:
        """See `CameraModel.radius_of_theta`; the exact polynomial, also behind the camera."""
        return polynomial(self.radius_polynomial, theta_rad)

    def unproject(self, pixels: ArrayT) -> ArrayT:
        """See `CameraModel.unproject`."""
        xp = namespace_of(pixels)
        points: Any = pixels
        dx, dy = points[..., 0] - self.center_px[0], points[..., 1] - self.center_px[1]
        forward = -polynomial(self.ray_polynomial, xp.sqrt(dx * dx + dy * dy))
        length = xp.sqrt(dx * dx + dy * dy + forward * forward)
        return xp.stack([dx / length, dy / length, forward / length], -1)

    def resized(self, width: int, height: int) -> OCamModel:
        """See `CameraModel.resized`."""
        ratio = self._resize_ratio(width, height)
        return OCamModel(
            width=width,
            height=height,
            center_px=(self.center_px[0] * ratio, self.center_px[1] * ratio),
            image_circle_radius_px=self.image_circle_radius_px * ratio,
            max_angle_rad=self.max_angle_rad,
            ray_polynomial=tuple(c * ratio ** (1 - power) for power, c in enumerate(self.ray_polynomial)),
            radius_polynomial=tuple(c * ratio for c in self.radius_polynomial),
        )

    def _check_monotonic(self) -> None:
        angle = np.linspace(0.0, self.max_angle_rad, 500)
        falling = np.flatnonzero(np.diff(self.radius_of_angle(angle)) <= 0)
        if falling.size:
            raise ValueError(
                f"radius polynomial is not monotonic: it falls at {math.degrees(angle[falling[0]]):.0f} degrees off "
                "the axis; check the coefficients and their order (constant term first)"
            )

    def _check_consistent(self) -> None:
        """The two polynomials must be each other's inverse: a swapped or mistyped one is off by many pixels."""
        radius = np.linspace(0.05, 0.95, 19) * self.image_circle_radius_px
        angle = np.arctan2(radius, -polynomial(self.ray_polynomial, radius))
        error = np.abs(self.radius_of_angle(angle) - radius).max()
        limit = self.width * 2e-3
        if not error <= limit:
            raise ValueError(
                f"the two polynomials disagree by {error:.1f} px (allowed {limit:.1f}): "
                "they must come from one calibration"
            )


def max_angle_of_circle(ray_polynomial: tuple[float, ...], radius_px: float) -> float:
    """Half field of view in radians: the angle off the axis at which the image circle of `radius_px` ends."""
    return math.atan2(radius_px, -float(polynomial(ray_polynomial, np.float64(radius_px))))
