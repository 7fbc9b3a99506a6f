"""Scaramuzza's omnidirectional camera model (OCam), the one of the Ego4View and UnrealEgo calibrations.

Two polynomials, fitted to each other by the calibration toolbox, describe the lens: one for pixel to ray, one for ray
to pixel. EgoRear's official code leaves out the affine part, which is within 2e-4 of the identity for all four
Ego4View cameras; other calibrations have one worth several pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from egorear_ros.rig.arrays import ArrayT, namespace_of, polynomial
from egorear_ros.rig.camera import CameraModel

POLYNOMIALS_AGREE = 2e-3
"""Largest distance of the two polynomials, as a share of the image's width: they are fitted, not derived."""


@dataclass(frozen=True)
class OCamModel(CameraModel):
    """OCam camera.

    Attributes:
        ray_polynomial: f(r) in pixels for a pixel r pixels from the centre; the ray of offset (dx, dy) is (dx, dy,
            -f(r)). Called polynomialC2W in the official files; the first coefficient is negative.
        radius_polynomial: rho(theta) in pixels, where theta = atan(-z / sqrt(x^2 + y^2)) runs from -pi/2 on the axis
            through 0 at 90 degrees off the axis to pi/2 behind. Called polynomialW2C in the official files.
        affine: (c, d, e) as OCamCalib prints them. A point (x, y) of the lens plane lies at column center_x + x + e y
            and row center_y + d x + c y. (OCamCalib's own x and y are row and column.)
    """

    ray_polynomial: tuple[float, ...]
    radius_polynomial: tuple[float, ...]
    affine: tuple[float, float, float] = (1.0, 0.0, 0.0)

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
        if len(self.affine) != 3 or abs(self.affine[0] - 1) > 0.5 or max(map(abs, self.affine[1:])) > 0.5:
            raise ValueError(f"affine part must be c (near 1), d and e (near 0), got {self.affine}")
        self._check_monotonic()
        self._check_consistent()

    @property
    def pixel_from_plane(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """See `CameraModel.pixel_from_plane`."""
        c, d, e = self.affine
        return (1.0, e), (d, c)

    @property
    def usable_angle_rad(self) -> float:
        """See `CameraModel.usable_angle_rad`: where one of the polynomials turns back, or the two part."""
        radius = usable_radius(self.ray_polynomial, self.radius_polynomial, self.width)
        return max(max_angle_of_circle(self.ray_polynomial, radius), self.max_angle_rad)

    def radius_of_theta(self, theta_rad: ArrayT) -> ArrayT:
        """See `CameraModel.radius_of_theta`; the exact polynomial, also behind the camera."""
        return polynomial(self.radius_polynomial, theta_rad)

    def rays_of_plane(self, across: ArrayT, down: ArrayT) -> ArrayT:
        """See `CameraModel.rays_of_plane`."""
        xp = namespace_of(across)
        dx: Any = across
        dy: Any = down
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
            affine=self.affine,
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
        error = np.abs(self.radius_of_theta(angle - math.pi / 2) - radius).max()
        limit = self.width * POLYNOMIALS_AGREE
        if not error <= limit:
            raise ValueError(
                f"the two polynomials disagree by {error:.1f} px (allowed {limit:.1f}): "
                "they must come from one calibration"
            )


def max_angle_of_circle(ray_polynomial: tuple[float, ...], radius_px: float) -> float:
    """Half field of view in radians: the angle off the axis at which the image circle of `radius_px` ends."""
    return math.atan2(radius_px, -float(polynomial(ray_polynomial, np.float64(radius_px))))


def usable_radius(ray_polynomial: tuple[float, ...], radius_polynomial: tuple[float, ...], width: int) -> float:
    """Radius in pixels up to which both polynomials grow and agree; at most one and a half image widths."""
    radius = np.linspace(0.0, 1.5 * width, 3001)
    angle = np.arctan2(radius, -polynomial(ray_polynomial, radius))
    found = polynomial(radius_polynomial, angle - math.pi / 2)
    good = np.abs(found - radius) <= POLYNOMIALS_AGREE * width
    good[1:] &= (np.diff(angle) > 0) & (np.diff(found) > 0)
    bad = np.flatnonzero(~good)
    return float(radius[max(bad[0] - 1, 0)] if bad.size else radius[-1])
