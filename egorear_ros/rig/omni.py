"""The unified model (Mei, omni) with radial and tangential distortion; without a mirror it is the pinhole camera.

Formulas: Mei and Rives, "Single View Point Omnidirectional Camera Calibration from Planar Grids" (ICRA 2007), with
OpenCV's order and signs of the distortion coefficients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from egorear_ros.rig.arrays import ArrayT, namespace_of
from egorear_ros.rig.focal import FocalModel, lens_model, normalised

INVERSE_TERMS = 7
NEWTON_STEPS = (2, 3, 4, 6, 9, 14, 20)
INVERSE_ERROR_RAD = 1e-8


@lens_model("omni")
@dataclass(frozen=True, kw_only=True)
class OmniModel(FocalModel):
    """Unit sphere, a pinhole `xi` behind its centre, then distortion.

    Attributes:
        xi: 0 is a pinhole camera; above -1.
        distortion: (k1, k2, p1, p2), (k1, k2, p1, p2, k3) or (k1, k2, p1, p2, k3, k4, k5, k6), OpenCV's order; with
            eight, k4 to k6 are the denominator of the rational model.
    """

    xi: float
    distortion: tuple[float, ...]

    @property
    def is_symmetric(self) -> bool:
        """See `CameraModel.is_symmetric`."""
        return self.distortion[2] == 0 and self.distortion[3] == 0

    def _check_coefficients(self) -> None:
        if len(self.distortion) not in {4, 5, 8}:
            raise ValueError(f"omni model needs 4, 5 or 8 distortion coefficients, got {len(self.distortion)}")
        if not self.xi > -1:
            raise ValueError(f"omni model needs xi above -1, got {self.xi}")

    @property
    def _coefficients(self) -> tuple[float, ...]:
        return (*self.distortion, *(0.0,) * (8 - len(self.distortion)))

    def _stretch(self, square: Any) -> tuple[Any, Any]:
        """Radial factor at a squared undistorted radius, and its derivative by that square."""
        k1, k2, _, _, k3, k4, k5, k6 = self._coefficients
        top = 1 + square * (k1 + square * (k2 + square * k3))
        top_slope = k1 + square * (2 * k2 + square * 3 * k3)
        if not (k4 or k5 or k6):
            return top, top_slope
        bottom = 1 + square * (k4 + square * (k5 + square * k6))
        bottom_slope = k4 + square * (2 * k5 + square * 3 * k6)
        return top / bottom, (top_slope - top / bottom * bottom_slope) / bottom

    def _plain_radius(self, sine: Any, cosine: Any, angle: Any) -> Any:
        return sine / (cosine + self.xi)

    def _radius(self, sine: Any, cosine: Any, angle: Any) -> Any:
        plain = self._plain_radius(sine, cosine, angle)
        return plain * self._stretch(plain * plain)[0]

    def _least_radius(self, radius: Any, plain_radius: Any) -> Any:
        return radius - 3 * math.hypot(*self.distortion[2:4]) * plain_radius * plain_radius

    def plane_of_direction(self, right: Any, down: Any, theta_rad: Any) -> tuple[Any, Any]:
        """See `CameraModel.plane_of_direction`."""
        across, below = super().plane_of_direction(right, down, theta_rad)
        if self.is_symmetric:
            return across, below
        xp = namespace_of(theta_rad)
        angle = xp.clip(theta_rad + np.pi / 2, None, self.turning_angle_rad)
        plain = xp.sin(angle) / (xp.cos(angle) + self.xi)
        tangential = self._tangential(right * plain, down * plain)
        return across + tangential[0], below + tangential[1]

    def _tangential(self, x: Any, y: Any) -> tuple[Any, Any]:
        p1, p2 = self.distortion[2:4]
        square = x * x + y * y
        return 2 * p1 * x * y + p2 * (square + 2 * x * x), p1 * (square + 2 * y * y) + 2 * p2 * x * y

    def rays_of_plane(self, across: ArrayT, down: ArrayT) -> ArrayT:
        """See `CameraModel.rays_of_plane`; the distortion is undone by Newton's method, the rest in closed form."""
        return self._rays(across, down, self._newton_steps)

    def _rays(self, across: Any, down: Any, steps: int) -> Any:
        xp = namespace_of(across)
        x, y = self._undistorted(across, down, steps)
        square = x * x + y * y
        under = xp.clip(1 + (1 - self.xi * self.xi) * square, 0.0, None)
        scale = (self.xi + xp.sqrt(under)) / (1 + square)
        return normalised((scale * x, scale * y, scale - self.xi))

    def _undistorted(self, across: Any, down: Any, steps: int) -> tuple[Any, Any]:
        if not any(self.distortion):
            return across, down
        xp = namespace_of(across)
        p1, p2 = self.distortion[2:4]
        largest, furthest, coefficients = self._rough_inverse
        share_square = xp.clip((across * across + down * down) / (largest * largest), None, 1.0)
        factor = 0.0 * share_square
        for coefficient in reversed(coefficients):
            factor = factor * share_square + coefficient
        x, y = across * factor, down * factor
        for _ in range(steps):
            stretch, slope = self._stretch(x * x + y * y)
            tangential = self._tangential(x, y)
            error_x, error_y = x * stretch + tangential[0] - across, y * stretch + tangential[1] - down
            xx = stretch + 2 * slope * x * x + 2 * p1 * y + 6 * p2 * x
            yy = stretch + 2 * slope * y * y + 6 * p1 * y + 2 * p2 * x
            xy = 2 * slope * x * y + 2 * p1 * x + 2 * p2 * y
            scale = 1 / (xx * yy - xy * xy)
            x, y = x - scale * (yy * error_x - xy * error_y), y - scale * (xx * error_y - xy * error_x)
            outside = furthest / xp.sqrt(xp.clip(x * x + y * y, furthest * furthest, None))
            x, y = x * outside, y * outside  # beyond the formula's end a step would go anywhere
        return x, y

    @cached_property
    def _rough_inverse(self) -> tuple[float, float, tuple[float, ...]]:
        """Largest distorted radius in view, largest undistorted one that is usable, and the factor between them.

        With u = distorted radius / largest, undistorted / distorted is about c0 + c1 u^2 + c2 u^4 + ...
        """
        angle = np.linspace(0.0, min(self.max_angle_rad, self.usable_angle_rad), 501)[1:]
        plain = np.sin(angle) / (np.cos(angle) + self.xi)
        bent = plain * self._stretch(plain * plain)[0]
        share = bent / bent[-1]
        found = np.linalg.lstsq(share[:, None] ** (2 * np.arange(INVERSE_TERMS)), plain / bent, rcond=None)[0]
        end = self.usable_angle_rad
        furthest = 1.02 * np.sin(end) / (np.cos(end) + self.xi)
        return float(bent[-1]), float(furthest), tuple(float(coefficient) for coefficient in found)

    @cached_property
    def _newton_steps(self) -> int:
        """As few steps as this lens needs in its field of view."""
        angle = np.linspace(0.0, min(self.max_angle_rad, self.usable_angle_rad), 100)[:, None]
        turn = np.linspace(0.0, 2 * np.pi, 24)
        right, down = np.cos(turn) + 0 * angle, np.sin(turn) + 0 * angle
        plane = self.plane_of_direction(right, down, angle - np.pi / 2)
        rays = np.stack([right * np.sin(angle), down * np.sin(angle), np.cos(angle) + 0 * right], -1)
        for steps in NEWTON_STEPS:
            if np.abs(self._rays(*plane, steps) - rays).max() <= INVERSE_ERROR_RAD:
                break
        return steps
